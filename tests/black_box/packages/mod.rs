//! Packages over HTTP: publishing, refusals, downloads, lists and retention.

mod conditions;
mod downloads;
mod pages;
mod public_url;
mod publish;
mod refusals;
mod retention;
