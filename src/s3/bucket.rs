//! The operations on the objects of one bucket under one prefix.

use super::error::{Result, S3Error, S3ErrorKind};
use super::object::{Get, Got, Head, Object, Put};
use super::probe::Probe;
use crate::config::BucketSettings;
use crate::metrics::StoreMetrics;
use std::sync::Arc;

/// Shared by threads; an operation blocks its caller.
#[derive(Debug)]
pub struct Bucket {
    _settings: BucketSettings,
    _metrics: Arc<StoreMetrics>,
}

fn nothing<T>() -> Result<T> {
    Err(S3Error::new(
        S3ErrorKind::Unavailable,
        "the store is not reached yet",
    ))
}

impl Bucket {
    /// The error is a sentence about a setting. Nothing is sent yet.
    pub fn new(
        settings: BucketSettings,
        metrics: Arc<StoreMetrics>,
    ) -> std::result::Result<Self, String> {
        Ok(Self {
            _settings: settings,
            _metrics: metrics,
        })
    }

    /// Calls `each` for every object directly under the prefix, in order of their keys, page by
    /// page. Objects below a further `/` are left out.
    pub fn list(&self, _each: &mut dyn FnMut(Object)) -> Result<()> {
        nothing()
    }

    pub fn head(&self, _key: &str) -> Result<Head> {
        nothing()
    }

    pub fn get(&self, _key: &str, _get: &Get<'_>) -> Result<Got> {
        nothing()
    }

    /// The object's ETag. A create (`Condition::IsNew`) is not tried again after a failure without
    /// an answer: whether it happened is seen by `head`.
    pub fn put(&self, _key: &str, _put: &Put<'_>) -> Result<String> {
        nothing()
    }

    /// Deletes an object, under the condition of its ETag where the store heeds that; a missing one
    /// is deleted already.
    pub fn delete(&self, _key: &str, _if_match: Option<&str>) -> Result<()> {
        nothing()
    }

    /// A URL at which anyone may get the object for a while, as an attachment with this disposition.
    pub fn presign(&self, _key: &str, _content_disposition: &str) -> Result<String> {
        nothing()
    }

    pub fn probe(&self) -> Result<Probe> {
        nothing()
    }
}
