//! The metrics as Prometheus reads them.
//!
//! Invariant: each family is announced once, with help and type, before its samples.
//!
//! Source: the Prometheus exposition formats, "Text-based format".

use super::counters::{Activity, BUCKETS, CloseReason, Metrics, REFUSALS, StorageMetrics};
use super::process;
use super::store::{LATENCIES, Operation, Outcome, StoreMetrics};
use super::tls::Handshake;
use super::tokens::TokenOutcome;
use crate::log;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

struct Page(String);

impl Page {
    /// Announces a family of samples.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail, here and below.
        let _ = writeln!(self.0, "# HELP release_server_{name} {help}");
        let _ = writeln!(self.0, "# TYPE release_server_{name} {kind}");
    }

    /// A sample; `labels` with their braces, or empty.
    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "release_server_{name}{labels} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.family(name, "counter", help);
        self.sample(name, "", value.load(Relaxed));
    }

    /// A family with a sample for each value of one label.
    fn labelled<T>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        words: &[(T, &str)],
        values: &[AtomicU64],
    ) {
        self.family(name, kind, help);
        for ((_, word), value) in words.iter().zip(values) {
            let labels = format!("{{{label}=\"{word}\"}}");
            self.sample(name, &labels, value.load(Relaxed));
        }
    }

    /// A histogram of seconds, from the count in each bucket alone.
    fn histogram<'b>(
        &mut self,
        name: &str,
        help: &str,
        bounds: impl Iterator<Item = &'b str>,
        buckets: &[AtomicU64],
        microseconds: &AtomicU64,
    ) {
        self.family(name, "histogram", help);
        let mut count = 0;
        for (bound, bucket) in bounds.zip(buckets) {
            count += bucket.load(Relaxed);
            let labels = format!("{{le=\"{bound}\"}}");
            self.sample(&format!("{name}_bucket"), &labels, count);
        }
        let microseconds = microseconds.load(Relaxed);
        let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
        let sum = format_args!("{seconds}.{fraction:06}");
        self.sample(&format!("{name}_sum"), "", sum);
        self.sample(&format!("{name}_count"), "", count);
    }

    /// A gauge with a sample for each word of one label.
    fn counted(&mut self, name: &str, help: &str, label: &str, counts: &[(&str, u64)]) {
        self.family(name, "gauge", help);
        for (word, count) in counts {
            self.sample(name, &format!("{{{label}=\"{word}\"}}"), count);
        }
    }

    /// The metrics of the process, whose names have no prefix.
    fn process(&mut self, started: f64) {
        for (name, kind, help, value) in process::samples(started) {
            let _ = writeln!(
                self.0,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }
}

impl Metrics {
    /// The metrics as text; those of the storage where they are known.
    pub fn render(&self, storage: Option<StorageMetrics>) -> String {
        let mut page = Page(String::with_capacity(8 * 1024));
        self.render_requests(&mut page);
        self.render_latency(&mut page);
        self.render_connections(&mut page);
        self.render_pool(&mut page);
        self.render_tls(&mut page);
        render_store(&mut page, &self.store);
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

fn render_store(page: &mut Page, store: &StoreMetrics) {
    if !store.is_shown() {
        return;
    }
    let name = "store_requests_total";
    let help = "Requests to the object store, by operation and outcome.";
    page.family(name, "counter", help);
    for ((_, operation), outcomes) in Operation::ALL.iter().zip(&store.requests) {
        for ((_, outcome), count) in Outcome::ALL.iter().zip(outcomes) {
            let labels = format!("{{operation=\"{operation}\",outcome=\"{outcome}\"}}");
            page.sample(name, &labels, count.load(Relaxed));
        }
    }
    page.histogram(
        "store_request_duration_seconds",
        "Time from the beginning of a request to the object store to the head of its answer.",
        LATENCIES.iter().map(|(_, bound)| *bound),
        &store.latency_buckets,
        &store.latency_microseconds,
    );
    page.counter(
        "store_retries_total",
        "Requests that were sent to the object store again.",
        &store.retries,
    );
    page.counter(
        "store_received_bytes_total",
        "Bytes of objects received from the object store.",
        &store.received_bytes,
    );
    page.counter(
        "store_sent_bytes_total",
        "Bytes of objects sent to the object store.",
        &store.sent_bytes,
    );
    page.counter(
        "store_cache_hits_total",
        "Downloads of packages that were on the local disk.",
        &store.cache_hits,
    );
    page.counter(
        "store_cache_misses_total",
        "Downloads of packages that had to be fetched from the object store.",
        &store.cache_misses,
    );
    page.gauge(
        "store_cached_bytes",
        "Bytes of packages on the local disk.",
        store.cached_bytes.load(Relaxed),
    );
    page.gauge(
        "store_listing_timestamp_seconds",
        "When the listing was last known to be current, in seconds since 1970.",
        store.listing_seconds.load(Relaxed),
    );
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
