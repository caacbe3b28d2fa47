//! Packages over HTTP: publishing, refusals, downloads, lists and retention.

#[cfg(feature = "catalogs")]
pub mod catalogs;
mod conditions;
mod downloads;
#[cfg(feature = "catalogs")]
mod hostile_archives;
mod pages;
mod public_url;
mod publish;
mod refusals;
mod retention;
