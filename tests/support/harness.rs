//! Starts the real binary on a free port over a directory of its own, and speaks to it over raw
//! sockets.
//!
//! Invariants: no test sleeps while a condition can be awaited; every wait has an end, so a test
//! fails instead of hanging; the server ends with its test.

use super::content::{FORM_TYPE, form};
use super::http_client::{Connection, Response};
use super::{bucket, tls};
use release_server::storage::directory::GENERATION_FILE;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "a-test-token";

/// The longest time that a test waits for a condition.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The bound on kept lines of the log. Beyond it INFO lines are dropped, so that long runs fit in
/// memory.
const LOG_LINES_MAX: usize = 20_000;

pub struct TestServer {
    child: Child,
    pub port: u16,
    /// Whether it speaks TLS.
    is_tls: bool,
    storage: PathBuf,
    log: Arc<Log>,
    /// Removed after the process has ended.
    directory: Option<tempfile::TempDir>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Value>>,
    grown: Condvar,
}

impl Log {
    fn add(&self, line: Value) {
        let mut lines = self.lines.lock().unwrap();
        if lines.len() >= LOG_LINES_MAX {
            lines.retain(|line| line["level"] != "INFO");
        }
        lines.push(line);
        self.grown.notify_all();
    }
}

impl TestServer {
    /// A server over an empty directory.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server over an empty directory, with environment variables.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let storage = directory.path().join("data");
        let mut server = Self::over(&storage, settings);
        server.directory = Some(directory);
        server
    }

    /// A server over a given directory.
    pub fn over(storage: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(configured(command(), storage, settings), storage)
    }

    /// A server over a given directory, in namespaces of its own where it is root, after running
    /// `script`.
    pub fn in_namespace(script: &str, storage: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new("unshare");
        let script = format!("set -e; {script}; exec \"$0\"");
        let binary = env!("CARGO_BIN_EXE_release-server");
        command.args(["-rm", "sh", "-c", &script, binary]);
        Self::spawn(configured(command, storage, settings), storage)
    }

    /// A server over a given directory, started by a shell line that ends in `exec "$0"`.
    pub fn by_shell(line: &str, storage: &Path, settings: &[(&str, &str)]) -> Self {
        let mut shell = clean(Command::new("sh"));
        shell.args(["-c", line, BINARY]);
        Self::spawn(configured(shell, storage, settings), storage)
    }

    /// A server started by a command that the test prepared.
    pub fn spawn(mut command: Command, storage: &Path) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("a pipe");
        let log = Arc::new(Log::default());
        let filled = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("no JSON on stdout: {error}: {line}"));
                filled.add(line);
            }
        });
        let mut server = Self {
            child,
            port: 0,
            is_tls: false,
            storage: storage.to_owned(),
            log,
            directory: None,
        };
        let listening = server.wait_for_line(|line| line["message"] == "listening");
        let address: SocketAddr = listening["address"].as_str().unwrap().parse().unwrap();
        server.port = address.port();
        let has_certificate = |line: &Value| line["message"] == "the certificate is in force";
        server.is_tls = server.log().iter().any(has_certificate);
        server
    }

    /// The directory of its packages.
    pub fn storage(&self) -> &Path {
        &self.storage
    }

    /// Its URL, for other clients.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the log, searching from its start.
    pub fn wait_for_line(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let lines = self.log.lines.lock().unwrap();
        let (lines, timeout) = self
            .log
            .grown
            .wait_timeout_while(lines, PATIENCE, |lines| !lines.iter().any(&is_wanted))
            .unwrap();
        assert!(!timeout.timed_out(), "no such line in the log: {lines:#?}");
        lines.iter().find(|line| is_wanted(line)).unwrap().clone()
    }

    pub fn log(&self) -> Vec<Value> {
        self.log.lines.lock().unwrap().clone()
    }

    /// The request lines of the log so far.
    pub fn requests(&self) -> Vec<Value> {
        let is_request = |line: &Value| line["module"] == "release_server::request";
        self.log().into_iter().filter(is_request).collect()
    }

    pub fn connect(&self) -> Connection {
        self.try_connect().expect("a connection")
    }

    /// The same; `None` if the server has ended.
    pub fn try_connect(&self) -> Option<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        if self.is_tls {
            Connection::over_tls(stream)
        } else {
            Some(Connection::new(stream))
        }
    }

    /// One request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Response {
        let answer = self.try_request(method, path, headers, body);
        answer.expect("an answer")
    }

    /// As [`TestServer::request`]; `None` if the server ends before its answer.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Option<Response> {
        let mut connection = self.try_connect()?;
        let length = match body {
            [] if !matches!(method, "PUT" | "POST") => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\n{length}{headers}Connection: close\r\n\r\n"
        );
        connection.send(head.as_bytes());
        connection.send(body);
        connection.try_response(method)
    }

    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, "", b"")
    }

    /// A request with the token.
    pub fn write(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Response {
        let headers = format!("Authorization: Bearer {TOKEN}\r\n{headers}");
        self.request(method, path, &headers, body)
    }

    /// Publishes with `PUT`; the name must need no encoding.
    pub fn put(&self, name: &str, content: &[u8]) -> Response {
        self.write("PUT", &format!("/assets/{name}"), "", content)
    }

    /// Publishes by form.
    pub fn upload(&self, name: &str, content: &[u8]) -> Response {
        let form = form(name, content);
        self.write("POST", "/upload", FORM_TYPE, &form)
    }

    /// The names that `/latest` lists, in that order.
    pub fn listed(&self) -> Vec<String> {
        let release = self.get("/latest").json();
        let assets = release["assets"].as_array().unwrap();
        let name = |asset: &Value| asset["name"].as_str().unwrap().to_owned();
        assets.iter().map(name).collect()
    }

    /// The names in its directory, including hidden ones, sorted; without the file that servers
    /// count their changes with, and over a bucket without the cache.
    pub fn stored(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.storage).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != GENERATION_FILE && !bucket::is_local(name))
            .collect();
        names.sort();
        names
    }

    /// Asserts that the process is running and answers.
    pub fn assert_alive(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the process ended");
        assert_eq!(self.get("/healthz").body, b"OK\n");
    }

    /// A value of `/metrics`, by its name and labels.
    pub fn metric(&self, sample: &str) -> u64 {
        let text = self.get("/metrics").text();
        let mut samples = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = samples.find(|(name, _)| *name == sample).unwrap();
        value.parse().unwrap()
    }

    /// Resident memory without the pages of files: the program's own turn up in any order.
    pub fn own_kib(&self) -> u64 {
        self.memory_kib("RssAnon:")
    }

    /// By how many KiB resident memory grew at its highest while `act` ran.
    pub fn growth_kib(&self, act: impl FnOnce()) -> u64 {
        // 5 sets the highest to the present.
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").unwrap();
        let before = self.memory_kib("VmRSS:");
        act();
        self.memory_kib("VmHWM:").saturating_sub(before)
    }

    pub fn memory_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name));
        let number = line.unwrap().split_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        std::fs::read_dir(path).unwrap().count()
    }

    pub fn threads(&self) -> usize {
        let path = format!("/proc/{}/task", self.pid());
        std::fs::read_dir(path).unwrap().count()
    }

    /// Sends a signal by its name, such as TERM.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.directory.take());
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_release-server");

/// The binary, without the variables of the test's own environment.
pub fn command() -> Command {
    clean(Command::new(BINARY))
}

fn clean(mut command: Command) -> Command {
    command.env_clear().env("CONFIG_PATH", "/dev/null");
    command
}

fn configured(mut command: Command, storage: &Path, settings: &[(&str, &str)]) -> Command {
    command
        .env("CONFIG_PATH", "/dev/null")
        .env("AUTH_TOKEN", TOKEN)
        .env("STORAGE_PATH", storage)
        .env("PORT", "0")
        .env("HOST", "127.0.0.1")
        .envs(bucket::settings(storage))
        .envs(tls::settings().iter().map(|(name, path)| (name, path)))
        .envs(settings.iter().copied());
    command
}

/// Polls until there is an answer, for conditions that no event announces.
#[track_caller]
pub fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let pause = Condvar::new();
    let unused = Mutex::new(());
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(answer) = ask() {
            return answer;
        }
        let guard = unused.lock().unwrap();
        let _ = pause.wait_timeout(guard, Duration::from_millis(5)).unwrap();
    }
    panic!("the condition did not come true in {PATIENCE:?}");
}
