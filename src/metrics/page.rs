//! A page of metrics in Prometheus's text format.
//!
//! Invariant: each family is announced once, with help and type, before its samples.
//!
//! Source: the Prometheus exposition formats, "Text-based format".

use super::process;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub struct Page(pub String);

impl Page {
    /// Announces a family of samples.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail, here and below.
        let _ = writeln!(self.0, "# HELP release_server_{name} {help}");
        let _ = writeln!(self.0, "# TYPE release_server_{name} {kind}");
    }

    /// A sample; `labels` with their braces, or empty.
    pub fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "release_server_{name}{labels} {value}");
    }

    pub fn counter(&mut self, name: &str, help: &str, value: &AtomicU64) {
        self.family(name, "counter", help);
        self.sample(name, "", value.load(Relaxed));
    }

    /// A family with a sample for each value of one label.
    pub fn labelled<T>(
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
    pub fn histogram<'b>(
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
    pub fn counted(&mut self, name: &str, help: &str, label: &str, counts: &[(&str, u64)]) {
        self.family(name, "gauge", help);
        for (word, count) in counts {
            self.sample(name, &format!("{{{label}=\"{word}\"}}"), count);
        }
    }

    /// The metrics of the process, whose names have no prefix.
    pub fn process(&mut self, started: f64) {
        for (name, kind, help, value) in process::samples(started) {
            let _ = writeln!(
                self.0,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
    }

    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }
}
