//! Packages over HTTP: publishing, refusals, downloads, lists and retention.

mod conditions;
mod downloads;
mod pages;
mod publish;
mod refusals;
mod retention;
