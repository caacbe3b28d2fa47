//! Metrics for Prometheus: counters that everything counts with, and their text.

mod counters;
mod page;
mod process;
mod store;
mod store_text;
mod text;
mod tls;
mod tokens;

pub use counters::{Activity, CloseReason, Finished, Metrics, NO_ROUTE, StorageMetrics};
pub use store::{Operation, Outcome, StoreMetrics};
pub use tls::{Handshake, TlsMetrics};
pub use tokens::{TokenMetrics, TokenOutcome};
