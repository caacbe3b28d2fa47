//! The metrics of the object store as Prometheus reads them.

use super::page::Page;
use super::store::{LATENCIES, Operation, Outcome, StoreMetrics};
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn render(page: &mut Page, store: &StoreMetrics) {
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
        "Fetches of packages that were not on the local disk.",
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
