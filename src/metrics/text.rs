//! The metrics as Prometheus reads them.
//!
//! Invariant: each family is announced once, with help and type, before its samples.
//!
//! Source: the Prometheus exposition formats, "Text-based format".

use super::counters::{Activity, BUCKETS, CloseReason, Metrics, REFUSALS, StorageMetrics};
use super::page::Page;
use super::store_text;
use super::tls::Handshake;
use super::tokens::TokenOutcome;
use crate::log;
use std::sync::atomic::Ordering::Relaxed;

impl Metrics {
    /// The metrics as text; those of the storage where they are known.
    pub fn render(&self, storage: Option<StorageMetrics>) -> String {
        let mut page = Page(String::with_capacity(8 * 1024));
        self.render_requests(&mut page);
        self.render_latency(&mut page);
        self.render_connections(&mut page);
        self.render_pool(&mut page);
        self.render_tls(&mut page);
        store_text::render(&mut page, &self.store);
        self.render_tokens(&mut page);
        page.labelled(
            "uploads_refused_total",
            "counter",
            "Uploads refused or ended early, by reason.",
            "reason",
            &REFUSALS,
            &self.refusals,
        );
        page.counter(
            "received_bytes_total",
            "Bytes of request bodies received.",
            &self.received_bytes,
        );
        page.counter(
            "sent_bytes_total",
            "Bytes of response bodies sent.",
            &self.sent_bytes,
        );
        page.counter(
            "handler_panics_total",
            "Requests whose handler panicked.",
            &self.panics,
        );
        page.counter(
            "packages_published_total",
            "Packages published.",
            &self.published,
        );
        page.counter(
            "packages_deleted_total",
            "Packages deleted on request.",
            &self.deleted,
        );
        page.counter(
            "packages_swept_total",
            "Packages removed by retention.",
            &self.swept,
        );
        if let Some(storage) = storage {
            render_storage(&mut page, &storage);
        }
        page.family(
            "log_lines_dropped_total",
            "counter",
            "Log lines dropped because the output was not read.",
        );
        page.sample("log_lines_dropped_total", "", log::dropped_lines());
        page.process(self.started);
        page.family("build_info", "gauge", "The running version.");
        let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
        page.sample("build_info", version, 1);
        page.0
    }

    fn render_requests(&self, page: &mut Page) {
        const NAME: &str = "requests_total";
        page.family(
            NAME,
            "counter",
            "Finished requests, by route and class of status.",
        );
        for (route, classes) in &self.requests {
            for (class, count) in (1..).zip(classes) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = format!("{{route=\"{route}\",status=\"{class}xx\"}}");
                    page.sample(NAME, &labels, count);
                }
            }
        }
    }

    fn render_latency(&self, page: &mut Page) {
        page.histogram(
            "request_duration_seconds",
            "Time from the end of a request's head to the end of its answer.",
            BUCKETS.iter().map(|(_, bound)| *bound),
            &self.latency_buckets,
            &self.latency_microseconds,
        );
    }

    fn render_connections(&self, page: &mut Page) {
        page.counter(
            "connections_accepted_total",
            "Connections accepted.",
            &self.connections_accepted,
        );
        let open = self.connections_open.load(Relaxed);
        page.gauge("connections_open", "Open connections.", open);
        page.labelled(
            "connections",
            "gauge",
            "Open connections, by their activity in their last turn.",
            "state",
            &Activity::ALL,
            &self.connections,
        );
        page.labelled(
            "connections_closed_total",
            "counter",
            "Connections closed by the server, by reason.",
            "reason",
            &CloseReason::ALL,
            &self.closes,
        );
    }

    fn render_tls(&self, page: &mut Page) {
        let Some(expiry) = self.tls.expiry() else {
            return;
        };
        page.gauge(
            "tls_certificate_expiry_timestamp_seconds",
            "When the certificate in force expires, in seconds since 1970.",
            expiry,
        );
        page.gauge(
            "tls_last_reload_successful",
            "Whether the files of certificate and key hold the pair in force.",
            u64::from(self.tls.is_last_reload_successful()),
        );
        page.labelled(
            "tls_handshakes_total",
            "counter",
            "TLS handshakes, by how they ended.",
            "outcome",
            &Handshake::ALL,
            &self.tls.handshakes,
        );
    }

    fn render_tokens(&self, page: &mut Page) {
        page.labelled(
            "token_checks_total",
            "counter",
            "Tokens of writes, by outcome. A forbidden one was accepted before.",
            "outcome",
            &TokenOutcome::ALL,
            &self.tokens.outcomes,
        );
        if self.tokens.has_file() {
            page.gauge(
                "tokens_last_reload_successful",
                "Whether the files of named tokens hold the tokens in force.",
                u64::from(self.tokens.is_last_reload_successful()),
            );
        }
    }

    fn render_pool(&self, page: &mut Page) {
        let workers = self.workers.load(Relaxed);
        page.gauge("workers", "Threads of the pool.", workers);
        let busy = self.workers_busy.load(Relaxed);
        page.gauge("workers_busy", "Threads of the pool that are busy.", busy);
    }
}

fn render_storage(page: &mut Page, storage: &StorageMetrics) {
    page.gauge(
        "packages",
        "Packages in the listing.",
        storage.packages as u64,
    );
    page.gauge(
        "stored_bytes",
        "Total size of all packages, in bytes.",
        storage.stored_bytes,
    );
    if let Some(free_bytes) = storage.free_bytes {
        page.gauge("free_bytes", "Bytes free in the storage.", free_bytes);
    }
    page.counted(
        "catalog_entries",
        "Entries in spec-kit's catalogs, by kind.",
        "kind",
        &storage.catalog_entries,
    );
    page.counted(
        "catalog_unlisted",
        "Packages of spec-kit that catalogs leave out, by reason.",
        "reason",
        &storage.catalog_unlisted,
    );
    page.gauge(
        "catalog_unread",
        "Packages that are still to be read or hashed before catalogs are complete.",
        storage.catalog_unread,
    );
}
