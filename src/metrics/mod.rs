//! Metrics for Prometheus: counters that everything counts with, and their text.

mod counters;
mod process;
mod text;
mod tls;

pub use counters::{Activity, CloseReason, Finished, Metrics, NO_ROUTE, StorageMetrics};
pub use tls::{Handshake, TlsMetrics};
