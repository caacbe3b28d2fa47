//! The storage directory: files put there by hand, several processes, and many packages.

mod processes;
mod scale;
mod volume;
