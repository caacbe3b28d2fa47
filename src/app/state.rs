//! What the handlers share: the store, the settings that answers depend on, the kept answers.

use crate::app::downloads::Downloads;
use crate::app::metrics::Metrics;
use crate::app::public_url::PublicUrl;
use crate::app::rendered::RenderedCache;
use crate::config::token::Token;
use crate::storage::Store;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What handlers share.
pub struct AppState {
    pub store: Arc<Store>,
    pub token: Token,
    pub public_url: PublicUrl,
    pub max_upload_bytes: Option<u64>,
    pub metrics: Arc<Metrics>,
    pub downloads: Downloads,
    /// What `/latest` and the lists of packages answer.
    pub rendered: RenderedCache,
    /// What GitHub's API answers: clients that invent repositories take nothing from the others.
    pub api_rendered: RenderedCache,
    pub draining: AtomicBool,
}
