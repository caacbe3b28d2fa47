//! SIGKILL, or an error, at each system call of each operation that changes the directory.
//!
//! A server with one worker performs the operation once while its calls are recorded. Then the
//! operation is repeated for each call: either the server is killed just before the call, and
//! another one starts over the same directory; or the call fails, and the same server continues.
//! Each time, all packages ever published there are checked.

use super::ledger::Ledger;
use super::strace::{Call, ONE_WORKER, REQUEST_THREADS, calls_of};
use super::{Start, kills, over_without_proc, try_upload, try_write};
use crate::support::{Response, TestServer, noise};
use std::path::PathBuf;

/// A short run tries one call out of this many, and every sync.
const ONE_CALL_OF: usize = 6;

/// The limit of the server whose retention is tested.
const PACKAGES_MAX: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Form,
    Put,
    Overwrite,
    Delete,
    Sweep,
}

/// One operation, repeated over one directory.
struct Trial {
    operation: Operation,
    start: Start,
    storage: PathBuf,
    ledger: Ledger,
    turn: u64,
}

impl Trial {
    fn start(&self) -> TestServer {
        let max = match self.operation {
            Operation::Sweep => PACKAGES_MAX.to_string(),
            _ => "0".to_owned(),
        };
        (self.start)(&self.storage, &[ONE_WORKER, ("MAX_PACKAGES", &max)])
    }

    /// The package of this repetition. A few names suffice, and the directory stays small.
    fn name(&self) -> String {
        match self.operation {
            Operation::Overwrite => "kept.zip".to_owned(),
            _ => format!("{}.zip", self.turn % 7),
        }
    }

    /// Content longer than the server's buffer, so that it takes several writes; their number
    /// varies.
    fn content(&self) -> Vec<u8> {
        let long = self.operation == Operation::Put;
        noise(self.turn, if long { 300_000 } else { 3_000 })
    }

    fn put(&mut self, server: &TestServer, name: &str, content: &[u8]) {
        let answer = server.put(name, content);
        assert_eq!(answer.status, 201, "{answer:?}");
        self.ledger.became(name, Some(content.to_vec()));
        self.ledger.swept(&answer);
    }

    fn delete(&mut self, server: &TestServer, name: &str) {
        let answer = server.write("DELETE", &format!("/assets/{name}"), "", b"");
        assert_eq!(answer.status, 204, "{answer:?}");
        self.ledger.became(name, None);
    }

    /// Brings the directory into the operation's initial state.
    fn prepare(&mut self, server: &TestServer) {
        self.turn += 1;
        let name = self.name();
        let is_there = server.listed().contains(&name);
        let wants_it = matches!(self.operation, Operation::Overwrite | Operation::Delete);
        if wants_it && !is_there {
            self.put(server, &name, b"to be replaced or deleted");
        } else if !wants_it && is_there {
            self.delete(server, &name);
        }
        if self.operation == Operation::Sweep {
            for filler in server.listed().len()..PACKAGES_MAX {
                let name = format!("filler-{}-{filler}.zip", self.turn);
                self.put(server, &name, b"to be swept");
            }
            for swept in server.listed().iter().skip(PACKAGES_MAX - 1) {
                self.ledger.may_become(swept, None);
            }
        }
    }

    /// The operation, during which the server may be killed or meet an error.
    fn run(&mut self, server: &TestServer) -> Option<Response> {
        let (name, content) = (self.name(), self.content());
        let path = format!("/assets/{name}");
        let after = (self.operation != Operation::Delete).then(|| content.clone());
        self.ledger.may_become(&name, after);
        match self.operation {
            Operation::Form => try_upload(server, &name, &content),
            Operation::Put | Operation::Sweep => try_write(server, "PUT", &path, &content),
            Operation::Overwrite => {
                try_write(server, "PUT", &format!("{path}?overwrite=1"), &content)
            }
            Operation::Delete => try_write(server, "DELETE", &path, b""),
        }
    }

    /// Records an answer that reports success.
    fn done(&mut self, answer: &Response) {
        let done = matches!(answer.status, 200 | 201 | 204);
        assert!(done, "{:?}: {}", self.operation, answer.text());
        self.ledger.happened(&self.name());
        if self.operation != Operation::Delete {
            self.ledger.swept(answer);
        }
    }

    fn check(&mut self, server: &TestServer, when: &str) {
        self.ledger.check(server, when);
        self.put(server, "probe.zip", b"publishing works");
        self.delete(server, "probe.zip");
    }

    /// Kills the server at one call, restarts it, checks all packages; returns whether the kill
    /// preceded the answer.
    fn kill_at(&mut self, call: &Call) -> bool {
        let server = self.start();
        self.prepare(&server);
        let strace = call.kill(&server);
        let answer = self.run(&server);
        drop(server);
        drop(strace);
        if let Some(answer) = &answer {
            self.done(answer);
        }
        let when = format!("{:?}, killed at {call:?}", self.operation);
        self.check(&self.start(), &when);
        answer.is_none()
    }

    /// Makes one call fail, checks all packages; returns whether the client got an error.
    fn fail_at(&mut self, server: &TestServer, call: &Call, error: &str) -> bool {
        self.prepare(server);
        let strace = call.fail(server, error);
        let answer = self.run(server);
        drop(strace);
        let when = format!("{:?}, {error} from {call:?}", self.operation);
        let is_error = answer.as_ref().is_some_and(|answer| answer.status >= 500);
        match &answer {
            Some(answer) if is_error => {
                let is_told = match error {
                    "ENOSPC" => answer.status == 507,
                    _ => matches!(answer.status, 500 | 503),
                };
                assert!(is_told, "{when}: {}", answer.text());
                // A failure after a replacement or a deletion leaves the old or the new state; a
                // new package is removed again.
                let replaces = matches!(self.operation, Operation::Overwrite | Operation::Delete);
                if !replaces || !matches!(&*call.name, "fsync" | "statx") {
                    self.ledger.stayed(&self.name());
                }
            }
            Some(answer) => self.done(answer),
            None => assert_eq!(call.name, "sendto", "{when}: no answer"),
        }
        self.check(server, &when);
        is_error
    }
}

/// The calls to try: all of them in a long run. Else `FAULT_SAMPLE` chooses some, so that
/// successive short runs try them all.
pub fn sampled(calls: &[Call]) -> Vec<&Call> {
    let one_of = kills().map_or(ONE_CALL_OF, |_| 1);
    let number = std::env::var("FAULT_SAMPLE").unwrap_or_default();
    let first = number.parse().unwrap_or(0) % one_of;
    let is_tried = |(at, call): &(usize, &Call)| at % one_of == first || call.name == "fsync";
    let tried = calls.iter().enumerate().filter(is_tried);
    tried.map(|(_, call)| call).collect()
}

/// Acts at each call of an operation, or at a sample of the calls in a short run, and reports the
/// results.
fn at_every_call(
    operation: Operation,
    start: Start,
    done: &str,
    mut strike: impl FnMut(&mut Trial, &Call) -> bool,
) {
    let directory = tempfile::tempdir().unwrap();
    let mut trial = Trial {
        operation,
        start,
        storage: directory.path().join("data"),
        ledger: Ledger::default(),
        turn: 0,
    };
    let server = trial.start();
    let mut calls = Vec::new();
    for thread in REQUEST_THREADS {
        trial.prepare(&server);
        let mut answer = None;
        calls.extend(calls_of(&server, thread, || answer = trial.run(&server)));
        trial.done(&answer.unwrap());
    }
    drop(server);
    let tried = sampled(&calls);
    let told = tried.iter().filter(|call| strike(&mut trial, call)).count();
    println!(
        "{operation:?}: {} calls, {} tried, {done} {told}; packages checked {}, lost 0",
        calls.len(),
        tried.len(),
        trial.ledger.packages_checked,
    );
    assert!(told > 0);
}

fn kill_at_every_call(operation: Operation, start: Start) {
    at_every_call(operation, start, "killed before the answer", Trial::kill_at);
}

fn fail_at_every_call(operation: Operation) {
    for error in ["EIO", "ENOSPC"] {
        let mut server = None;
        let done = format!("{error} told as an error");
        at_every_call(operation, TestServer::over, &done, |trial, call| {
            let server = server.get_or_insert_with(|| trial.start());
            // A close that fails has closed the descriptor all the same, which an injection cannot
            // simulate. The change thread writes only to the eventfd that wakes the server, which
            // cannot fail.
            let is_real =
                call.name != "close" && (call.thread, &*call.name) != ("changes", "write");
            is_real && trial.fail_at(server, call, error)
        });
    }
}

macro_rules! at_every_call {
    ($($module:ident: $operation:ident;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            #[ignore = "needs strace: scripts/faults.sh"]
            fn killed_at_every_call() {
                kill_at_every_call(Operation::$operation, TestServer::over);
            }

            #[test]
            #[ignore = "needs strace and a mount: scripts/faults.sh"]
            fn killed_at_every_call_with_named_files() {
                kill_at_every_call(Operation::$operation, over_without_proc);
            }

            #[test]
            #[ignore = "needs strace: scripts/faults.sh"]
            fn an_error_from_every_call() {
                fail_at_every_call(Operation::$operation);
            }
        }
    )*};
}

at_every_call! {
    form: Form;
    put: Put;
    overwrite: Overwrite;
    delete: Delete;
    sweep: Sweep;
}
