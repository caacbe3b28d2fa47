//! Packages over HTTP: publishing, refusals, downloads, lists and retention.

mod downloads;
mod pages;
mod public_url;
mod publish;
mod refusals;
mod retention;
