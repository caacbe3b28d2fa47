//! GitHub's REST API over the packages: reads, downloads, and the calls that create releases.

mod downloads;
mod reads;
mod website;
mod writes;
