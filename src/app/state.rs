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
    /// The answers of `/latest` and the lists of packages.
    pub rendered: RenderedCache,
    /// The answers of GitHub's API: clients that invent repositories evict nothing of the others.
    pub api_rendered: RenderedCache,
    pub draining: AtomicBool,
}
