//! Packages over HTTP: publishing, refusals, downloads, lists and retention.

mod downloads;
mod pages;
mod publish;
mod refusals;
mod retention;
