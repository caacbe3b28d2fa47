//! The operations on the objects of one bucket under one prefix.
//!
//! Invariant: the bytes of a put are signed by their SHA-256, the only checksum that every store
//! verifies; no other checksum is sent, because some stores refuse them.
//!
//! Sources: Amazon S3 API Reference, `ListObjectsV2`, `HeadObject`, `GetObject`, `PutObject`,
//! `DeleteObject`; RFC 9110, sections 13 (conditions), 14 (ranges) and 10.1.1 (expectations).

use super::credentials::{CredentialCache, Source};
use super::endpoint::Endpoint;
use super::error::{Result, S3Error, S3ErrorKind};
use super::list::Page;
use super::object::{Condition, Content, Get, Got, Head, Object, Put, Reader};
use super::request::{Call, Sender};
use super::sign::Signer;
use crate::checksum;
use crate::client::{Body, Client, Method, Options, Response};
use crate::clock::{self, Clock};
use crate::config::BucketSettings;
use crate::date;
use crate::limits::bucket::{LIST_PAGE_BYTES_MAX, PRESIGNED_MARGIN};
use crate::metrics::{Operation, StoreMetrics};
use crate::text::number;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

/// Shared by threads; an operation blocks its caller.
#[derive(Debug)]
pub struct Bucket {
    sender: Sender,
    endpoint: Endpoint,
    public_endpoint: Endpoint,
    prefix: String,
    url_time: Duration,
}

impl Bucket {
    /// The error is a sentence about a setting. Nothing is sent yet.
    pub fn new(
        settings: &BucketSettings,
        metrics: Arc<StoreMetrics>,
    ) -> std::result::Result<Self, String> {
        let ca_file = settings.ca_file.as_deref();
        let options = Options {
            ca_file,
            total_time_max: None,
        };
        let client = Client::new(&options).map_err(|why| format!("bucket_ca_file: {why}"))?;
        let source = Source::of(settings)?;
        metrics.show();
        Ok(Self {
            sender: Sender {
                client,
                credentials: CredentialCache::new(source, ca_file, Arc::clone(&metrics))?,
                bucket: settings.location.name.clone(),
                region: settings.region.clone(),
                metrics,
                clock: Clock::system(),
                skew_seconds: AtomicI64::new(0),
            },
            endpoint: Endpoint::of(settings),
            public_endpoint: Endpoint::public(settings),
            prefix: settings.location.prefix.clone(),
            url_time: settings.url_time,
        })
    }

    /// The URL that its keys begin with.
    pub fn place(&self) -> String {
        self.endpoint.object("").url()
    }

    /// Calls `each` for every object directly under the prefix, in order of their keys, page by
    /// page. Objects below a further `/` are left out.
    pub fn list(&self, each: &mut dyn FnMut(Object)) -> Result<()> {
        let mut continuation: Option<String> = None;
        loop {
            let page = self.list_page(continuation.as_deref())?;
            page.objects.into_iter().for_each(&mut *each);
            if page.continuation.is_none() {
                return Ok(());
            }
            if page.continuation == continuation {
                return Err(not_understood("the list's next page is the same one"));
            }
            continuation = page.continuation;
        }
    }

    fn list_page(&self, continuation: Option<&str>) -> Result<Page> {
        // Not `encoding-type`: one store answers `+` for a blank, another one ignores it.
        let mut parameters = vec![
            ("delimiter", "/"),
            ("list-type", "2"),
            ("max-keys", "1000"),
            ("prefix", &self.prefix),
        ];
        parameters.extend(continuation.map(|token| ("continuation-token", token)));
        let call = Call {
            target: self.endpoint.bucket(&parameters),
            ..self.call(Operation::List, Method::Get, "")
        };
        let body = self.sender.send(&call)?.read_to_end(LIST_PAGE_BYTES_MAX);
        let body = body.map_err(|failure| {
            let why = format!("cannot {}: {failure}", call.action);
            S3Error::new(S3ErrorKind::Unavailable, why)
        })?;
        Page::parse(&body, &self.prefix)
            .ok_or_else(|| not_understood("the answer is not a list of objects"))
    }

    pub fn head(&self, key: &str) -> Result<Head> {
        let call = self.call(Operation::Head, Method::Head, key);
        let response = self.sender.send(&call)?;
        head_of(&response).ok_or_else(|| not_understood("an object's head has no size or date"))
    }

    pub fn get(&self, key: &str, get: &Get<'_>) -> Result<Got> {
        let mut call = self.call(Operation::Get, Method::Get, key);
        let mut header = |name, value: Option<&str>| {
            call.headers
                .extend(value.map(|value| (name, value.to_owned())));
        };
        header("if-match", get.if_match);
        header("if-none-match", get.if_none_match);
        let range = get
            .range
            .map(|(first, end)| format!("bytes={first}-{}", end.saturating_sub(1)));
        header("range", range.as_deref());
        let response = self.sender.send(&call)?;
        // A store that ignores the range would be taken for one that sends it.
        if get.range.is_some() && response.status() != 206 {
            return Err(not_understood("the store does not answer a range"));
        }
        let head = head_of(&response);
        let head = head.ok_or_else(|| not_understood("an object has no size or date"))?;
        let body = Counted {
            inner: response.into_reader(),
            metrics: Arc::clone(&self.sender.metrics),
        };
        Ok(Got {
            head,
            body: Reader(Box::new(body)),
        })
    }

    /// The object's ETag. After a failure, and after `PreconditionFailed`, an earlier try of the
    /// same put may have made the object: `head` tells by its metadata.
    pub fn put(&self, key: &str, put: &Put<'_>) -> Result<String> {
        let metadata = put.metadata.iter();
        let names: Vec<String> = metadata
            .map(|(name, _)| format!("x-amz-meta-{name}"))
            .collect();
        let mut call = self.call(Operation::Put, Method::Put, key);
        let size = match put.content {
            Content::Bytes(bytes) => {
                call.body = Body::Bytes(bytes);
                call.payload_sha256 = checksum::hex(&Sha256::digest(bytes));
                bytes.len() as u64
            }
            Content::File { file, size, sha256 } => {
                call.body = Body::File { file, length: size };
                call.payload_sha256 = sha256.hex();
                // A refusal arrives before the bytes are sent.
                call.headers.push(("expect", "100-continue".to_owned()));
                size
            }
        };
        let condition = match put.condition {
            Condition::None => None,
            Condition::IsNew => Some(("if-none-match", "*".to_owned())),
            Condition::Matches(etag) => Some(("if-match", etag.to_owned())),
        };
        call.headers.extend(condition);
        for (name, (_, value)) in names.iter().zip(put.metadata) {
            call.headers.push((name, (*value).to_owned()));
        }
        let response = self.sender.send(&call)?;
        self.sender.metrics.sent_bytes.fetch_add(size, Relaxed);
        Ok(response.header("etag").unwrap_or_default().to_owned())
    }

    /// Deletes an object, under the condition of its ETag where the store heeds that; a missing one
    /// is deleted already.
    pub fn delete(&self, key: &str, if_match: Option<&str>) -> Result<()> {
        let mut call = self.call(Operation::Delete, Method::Delete, key);
        let etag = if_match.map(|etag| ("if-match", etag.to_owned()));
        call.headers.extend(etag);
        match self.sender.send(&call) {
            Err(error) if error.kind == S3ErrorKind::NotFound => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// A URL at which anyone may get the object for a while, as an attachment with this
    /// disposition. Waits for no server: `None` where no credentials are at hand.
    pub fn presign(&self, key: &str, content_disposition: &str) -> Option<String> {
        let credentials = self.sender.credentials.at_hand()?;
        let mut time = self.url_time;
        if let Some(expires) = credentials.expires {
            let left = expires.duration_since(clock::wall_now()).ok()?;
            time = time.min(left.checked_sub(PRESIGNED_MARGIN)?);
        }
        let signer = Signer {
            credentials: &credentials,
            region: &self.sender.region,
            time: self.sender.store_time(),
        };
        let disposition = [("response-content-disposition", content_disposition)];
        let target = self.public_endpoint.object(key);
        Some(signer.presign(&target, &disposition, time))
    }

    fn call(&self, operation: Operation, method: Method, key: &str) -> Call<'_> {
        let Sender { bucket, .. } = &self.sender;
        let action = match operation {
            Operation::List => format!("list the bucket {bucket}"),
            operation => format!(
                "{} {}{key} in the bucket {bucket}",
                operation.as_str(),
                self.prefix
            ),
        };
        Call {
            operation,
            action,
            method,
            target: self.endpoint.object(key),
            headers: Vec::new(),
            body: Body::Empty,
            payload_sha256: checksum::hex(&Sha256::digest("")),
        }
    }
}

fn not_understood(why: &str) -> S3Error {
    S3Error::new(
        S3ErrorKind::Invalid,
        format!("the store is not understood: {why}"),
    )
}

fn head_of(response: &Response) -> Option<Head> {
    let length = response.header("content-length").and_then(number);
    let range = response.header("content-range");
    let size = match range.and_then(|range| range.rsplit_once('/')) {
        Some((_, size)) => number(size),
        None => length,
    };
    let metadata = response.headers().filter_map(|(name, value)| {
        let name = name.strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), value.to_owned()))
    });
    Some(Head {
        size: size?,
        etag: response.header("etag").unwrap_or_default().to_owned(),
        modified: date::parse(response.header("last-modified")?)?,
        metadata: metadata.collect(),
    })
}

/// Counts what arrives.
struct Counted<R> {
    inner: R,
    metrics: Arc<StoreMetrics>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.metrics
            .received_bytes
            .fetch_add(length as u64, Relaxed);
        Ok(length)
    }
}
