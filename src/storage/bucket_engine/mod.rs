//! The engine that keeps packages as objects in a bucket, with a local directory for uploads and
//! for what was fetched.
//!
//! Any number of servers share a bucket without knowing each other: the store decides who creates a
//! name, and each server lists the bucket when another one has changed it.
//!
//! Invariants:
//! - The bucket has every package; the local directory may be lost at any time.
//! - An object's bytes and their digest are stored in one request ([`changes`]).
//! - No worker waits for the store: other threads do, and a connection that needs them is parked
//!   ([`view`], [`lookups`], [`fetch`]).
//! - No object is deleted that is not in the state in which it was chosen ([`refresh`]).

mod admission;
mod agenda;
mod arrival;
mod changes;
pub mod copy;
mod faults;
mod fetch;
mod file_cache;
mod finishing;
mod jobs;
mod known;
mod lookups;
mod object;
mod refresh;
pub mod store;
mod upkeep;
pub mod verify;
mod view;
