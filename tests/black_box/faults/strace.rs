//! strace on a running server: it records system calls, and makes them fail or kill.
//!
//! Invariants: an injection counts the calls of each thread separately and from the moment of
//! attaching, so with one worker "the third fsync" is the same call in every run; after a
//! [`Strace`] is dropped, the server continues without it.
//!
//! Source: strace(1), "Tampering".

use crate::support::{TestServer, until};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A setting for servers whose calls are counted: one worker, and one thread that syncs uploads.
pub const ONE_WORKER: (&str, &str) = ("WORKERS", "1");

/// Threads that change the directory for a request, by their names.
pub const REQUEST_THREADS: [&str; 4] = ["worker-0", "sync-0", "changes", "lock"];

/// Calls that do not change the directory and whose number varies.
const WAITING: &str = "!futex,epoll_pwait,epoll_wait,epoll_ctl,accept4,recvfrom,fcntl";

/// An attached strace.
pub struct Strace {
    child: Child,
    stderr: BufReader<ChildStderr>,
    output: tempfile::NamedTempFile,
}

impl Strace {
    /// Attaches to one thread of a server, by its name.
    pub fn on_thread(server: &TestServer, thread: &str, options: &[&str]) -> Self {
        let tid = thread_id(server, thread);
        Self::attach(&[&["-p", &tid], options].concat())
    }

    /// Attaches to all threads that work for a request.
    pub fn on_request_threads(server: &TestServer, options: &[&str]) -> Self {
        let tids = REQUEST_THREADS.map(|thread| thread_id(server, thread));
        let threads = tids.iter().flat_map(|tid| ["-p", tid]);
        Self::attach(&threads.chain(options.iter().copied()).collect::<Vec<_>>())
    }

    fn attach(options: &[&str]) -> Self {
        let output = tempfile::NamedTempFile::new().unwrap();
        let mut child = Command::new("strace")
            .args(options)
            .arg("-o")
            .arg(output.path())
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("strace starts");
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        stderr.read_line(&mut said).unwrap();
        if !said.contains("attached") {
            stderr.read_to_string(&mut said).unwrap();
            panic!("strace may not attach to a server of this user's: {said}");
        }
        Self {
            child,
            stderr,
            output,
        }
    }

    /// Detaches and returns the lines written.
    pub fn finish(mut self) -> Vec<String> {
        self.detach();
        let text = std::fs::read_to_string(self.output.path()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn detach(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill")
            .args(["-s", "TERM", &pid])
            .stderr(Stdio::null())
            .status();
        let _ = self.stderr.read_to_string(&mut String::new());
        let _ = self.child.wait();
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        self.detach();
    }
}

/// The id of a thread by its name, which the thread sets shortly after its start.
fn thread_id(server: &TestServer, thread: &str) -> String {
    let is_it = |path: &Path| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == thread)
    };
    let task = until(|| {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
        tasks
            .map(|task| task.unwrap().path())
            .find(|path| is_it(path))
    });
    task.file_name().unwrap().to_str().unwrap().to_owned()
}

/// One system call of one thread: the `number`th of that name after attaching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub thread: &'static str,
    pub name: String,
    pub number: usize,
}

impl Call {
    /// Kills the server just before this call.
    pub fn kill(&self, server: &TestServer) -> Strace {
        self.inject(server, "signal=KILL")
    }

    /// Makes this call fail once, without executing it.
    pub fn fail(&self, server: &TestServer, error: &str) -> Strace {
        self.inject(server, &format!("error={error}"))
    }

    fn inject(&self, server: &TestServer, what: &str) -> Strace {
        let inject = format!("inject={}:{what}:when={}", self.name, self.number);
        Strace::on_thread(server, self.thread, &["-e", &inject])
    }
}

/// Every call that a thread makes for a request, except calls that only wait.
pub fn calls_of(server: &TestServer, thread: &'static str, request: impl FnOnce()) -> Vec<Call> {
    let strace = Strace::on_thread(server, thread, &["-e", &format!("trace={WAITING}")]);
    request();
    let mut calls: Vec<Call> = Vec::new();
    for line in strace.finish() {
        let Some((name, _)) = line.split_once('(') else {
            continue;
        };
        let number = calls.iter().filter(|call| call.name == name).count() + 1;
        calls.push(Call {
            thread,
            name: name.to_owned(),
            number,
        });
    }
    calls
}
