//! The state that all handlers share.

use crate::app::downloads::Downloads;
use crate::app::public_url::PublicUrl;
use crate::app::rendered::RenderedCache;
use crate::config::token::Token;
use crate::metrics::Metrics;
use crate::storage::Store;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub struct AppState {
    pub store: Arc<Store>,
    pub token: Token,
    pub public_url: PublicUrl,
    pub max_upload_bytes: Option<u64>,
    pub metrics: Arc<Metrics>,
    pub downloads: Downloads,
    pub rendered: RenderedCache,
    /// Whether the log has the warning about catalogs below an http URL.
    pub warned_of_http: AtomicBool,
    pub draining: AtomicBool,
}
