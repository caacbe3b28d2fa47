//! Files that are read again as they change: the one way for tokens and certificates.
//!
//! Invariants: a new value replaces the old one in one step; contents that cannot be used replace
//! nothing and are reported once, those at which reading panics too; files are read on a thread of
//! their own and never by a worker, so that a volume that hangs delays a change of the files and no
//! request; no panic ends that thread.
//!
//! The files are read and compared, since no notification covers all the ways in which they are
//! replaced: a rename, a symbolic link set anew (certbot), a link to a directory set anew
//! (Kubernetes), writing in place, a network file system. Several files cannot be replaced in one
//! step, and one that is written in place is seen half-written; contents that cannot be used are
//! therefore reported only when they are read twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Files that have one value together.
pub trait Source: Send + Sync {
    type Contents: PartialEq + Send;
    type Value: Send + Sync;

    /// What the files hold; the sentence says which one cannot be read.
    fn read(&self) -> Result<Self::Contents, String>;
    /// The value of contents; the sentence says what is wrong with which file.
    fn check(&self, contents: &Self::Contents, now: SystemTime) -> Result<Self::Value, String>;
}

/// The value in force of some files.
pub struct Watched<S: Source> {
    source: S,
    in_force: RwLock<Arc<S::Value>>,
    last_read: Mutex<LastRead<S::Contents>>,
}

struct LastRead<C> {
    contents: Result<C, String>,
    /// Why these contents cannot be used.
    refusal: Option<String>,
    is_reported: bool,
}

/// What reading the files again came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Reread<V> {
    /// Nothing to report.
    Unchanged,
    /// The files hold something new, which is in force.
    Renewed(Arc<V>),
    /// The files hold nothing usable, and the old value stays in force.
    Refused(String),
}

/// Whether contents that cannot be used are reported when they are first read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// For a person who asked for it.
    AtOnce,
    /// For a check that comes again.
    WhenReadTwice,
}

impl<S: Source> Watched<S> {
    /// Reads the files; the sentence says why they cannot be used.
    pub fn open(source: S, now: SystemTime) -> Result<Self, String> {
        let contents = source.read()?;
        let value = source.check(&contents, now)?;
        Ok(Self {
            source,
            in_force: RwLock::new(Arc::new(value)),
            last_read: Mutex::new(LastRead {
                contents: Ok(contents),
                refusal: None,
                is_reported: true,
            }),
        })
    }

    pub fn source(&self) -> &S {
        &self.source
    }

    /// The value in force.
    pub fn value(&self) -> Arc<S::Value> {
        let value = self.in_force.read();
        Arc::clone(&value.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again and puts a new value in force.
    pub fn reread(&self, now: SystemTime, report: Report) -> Reread<S::Value> {
        // Taken before reading: of two readings the later one counts.
        let mut last = self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let contents = self.source.read();
        if contents != last.contents {
            let value = match &contents {
                Ok(contents) => self.check(contents, now),
                Err(why) => Err(why.clone()),
            };
            last.contents = contents;
            last.is_reported = report == Report::AtOnce;
            match value {
                Ok(value) => {
                    last.refusal = None;
                    return Reread::Renewed(self.put_in_force(value));
                }
                Err(why) if last.is_reported => {
                    last.refusal = Some(why.clone());
                    return Reread::Refused(why);
                }
                Err(why) => last.refusal = Some(why),
            }
            return Reread::Unchanged;
        }
        match last.refusal.clone() {
            Some(why) if report == Report::AtOnce || !last.is_reported => {
                last.is_reported = true;
                Reread::Refused(why)
            }
            _ => Reread::Unchanged,
        }
    }

    fn check(&self, contents: &S::Contents, now: SystemTime) -> Result<S::Value, String> {
        let check = AssertUnwindSafe(|| self.source.check(contents, now));
        catch_unwind(check).unwrap_or_else(|_| {
            Err("a bug of the server: checking the files panicked; please report it".to_owned())
        })
    }

    fn put_in_force(&self, value: S::Value) -> Arc<S::Value> {
        let value = Arc::new(value);
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = Arc::clone(&value);
        value
    }
}

/// Starts a thread that calls `reread` after each interval, as long as the process lives.
pub fn start(
    name: &str,
    interval: Duration,
    mut reread: impl FnMut() + Send + 'static,
) -> std::io::Result<()> {
    let run = move || {
        loop {
            std::thread::park_timeout(interval);
            // Without the thread, a revoked token would be accepted for ever.
            if catch_unwind(AssertUnwindSafe(&mut reread)).is_err() {
                log::error!("a bug of the server: rereading files panicked; they are read again");
            }
        }
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)?;
    Ok(())
}
