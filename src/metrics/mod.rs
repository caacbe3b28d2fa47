//! Metrics for Prometheus: counters that everything counts with, and their text.

mod counters;
mod process;
mod text;

pub use counters::{Activity, CloseReason, Finished, Metrics, NO_ROUTE, StorageMetrics};
