//! The thread that keeps the pair in force: reads its files again as they change, and warns before
//! the certificate expires.
//!
//! Invariant: files are read here and never by a worker, so that a volume that hangs delays a
//! renewal and no request.

use super::acceptor::{Acceptor, Reread};
use super::facts::Facts;
use crate::clock::{self, Clock};
use crate::date;
use crate::limits::{CERTIFICATE_WARNING_INTERVAL, FILES_REREAD_INTERVAL};
use crate::metrics::Metrics;
use crate::watch::{self, Report};
use std::sync::Arc;
use std::time::Instant;

/// The pair in force, and what is reported about it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Renewal {
    acceptor: Arc<Acceptor>,
    metrics: Arc<Metrics>,
}

impl Renewal {
    /// Starts the thread. It lives as long as the process.
    pub fn start(acceptor: Arc<Acceptor>, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let renewal = Self { acceptor, metrics };
        let (facts, warnings) = renewal.acceptor.facts();
        renewal.report_in_force(&facts, &warnings);
        let (thread, clock) = (renewal.clone(), Clock::system());
        let mut warned_at = None;
        thread.warn_of_expiry(clock.now(), &mut warned_at);
        watch::start("certificate", FILES_REREAD_INTERVAL, move || {
            thread.reread(Report::WhenReadTwice);
            thread.warn_of_expiry(clock.now(), &mut warned_at);
        })?;
        Ok(renewal)
    }

    /// Reads the files at once, for a person who asked for it.
    pub fn reread_now(&self) {
        log::info!("SIGHUP: the files of certificate and key are read again");
        self.reread(Report::AtOnce);
    }

    fn reread(&self, report: Report) {
        match self.acceptor.reread(clock::wall_now(), report) {
            Reread::Unchanged => {}
            Reread::Renewed(facts, warnings) => self.report_in_force(&facts, &warnings),
            Reread::Refused(why) => {
                self.metrics.tls.reload_failed();
                log::error!("the certificate is not renewed, the last one stays in force: {why}");
            }
        }
    }

    fn report_in_force(&self, facts: &Facts, warnings: &[String]) {
        self.metrics.tls.loaded(facts.not_after);
        log::info!(
            subject = facts.subject.as_str(), names = facts.names.join(",").as_str(),
            expires = date::rfc3339(facts.not_after).as_str();
            "the certificate is in force"
        );
        for warning in warnings {
            log::warn!("{warning}");
        }
    }

    fn warn_of_expiry(&self, now: Instant, warned_at: &mut Option<Instant>) {
        let is_warned = |at: Instant| now.duration_since(at) < CERTIFICATE_WARNING_INTERVAL;
        if warned_at.is_some_and(is_warned) {
            return;
        }
        let (facts, _) = self.acceptor.facts();
        let Some(sentence) = facts.expiry_warning(clock::wall_now()) else {
            return;
        };
        log::warn!("{sentence}");
        *warned_at = Some(now);
    }
}
