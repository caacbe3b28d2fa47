//! Starts the real binary on a free port over a directory of its own, and speaks to it over raw sockets.
//!
//! Invariants: nothing sleeps where a condition can be awaited; every wait has an end, so that a test fails instead of
//! hanging; the server ends with its test.

use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The token that every test server takes.
pub const TOKEN: &str = "a-test-token";

/// The longest that any wait of a test takes before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct TestServer {
    child: Child,
    pub port: u16,
    storage: PathBuf,
    log: Arc<Log>,
    _directory: Option<tempfile::TempDir>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Value>>,
    grown: Condvar,
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
        server._directory = Some(directory);
        server
    }

    /// A server over a given directory.
    pub fn over(storage: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = command();
        command
            .env("AUTH_TOKEN", TOKEN)
            .env("STORAGE_PATH", storage)
            .env("PORT", "0")
            .env("HOST", "127.0.0.1")
            .envs(settings.iter().copied());
        Self::spawn(command, storage)
    }

    /// A server started by a command of the test's own, such as one that limits it first.
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
                filled.lines.lock().unwrap().push(line);
                filled.grown.notify_all();
            }
        });
        let mut server = Self {
            child,
            port: 0,
            storage: storage.to_owned(),
            log,
            _directory: None,
        };
        let listening = server.wait_for_line(|line| line["message"] == "listening");
        let address: SocketAddr = listening["address"].as_str().unwrap().parse().unwrap();
        server.port = address.port();
        server
    }

    /// The directory that it keeps packages in.
    pub fn storage(&self) -> &Path {
        &self.storage
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of the log, from its beginning on.
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

    /// The log so far.
    pub fn log(&self) -> Vec<Value> {
        self.log.lines.lock().unwrap().clone()
    }

    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        Connection::new(stream)
    }

    /// One request on a connection of its own.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Response {
        let mut connection = self.connect();
        let length = match body {
            [] if !matches!(method, "PUT" | "POST") => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\n{length}{headers}Connection: close\r\n\r\n"
        );
        connection.send(head.as_bytes());
        connection.send(body);
        connection.response(method)
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

    /// The names that `/latest` lists, in its order.
    pub fn listed(&self) -> Vec<String> {
        let release = self.get("/latest").json();
        let assets = release["assets"].as_array().unwrap();
        let name = |asset: &Value| asset["name"].as_str().unwrap().to_owned();
        assets.iter().map(name).collect()
    }

    /// Asserts that the process still runs and answers.
    pub fn assert_alive(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the process ended");
        assert_eq!(self.get("/healthz").body, b"OK");
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.unwrap().split_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    /// Open descriptors.
    pub fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        std::fs::read_dir(path).unwrap().count()
    }

    /// Threads.
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

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, with none of the test's own environment that it would read.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_release-server"));
    command.env_clear().env("CONFIG_PATH", "/dev/null");
    command
}

/// Asks again and again until there is an answer. For conditions that nothing announces.
pub fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let pause = Condvar::new();
    let unused = Mutex::new(());
    for _ in 0..PATIENCE.as_millis() / 5 {
        if let Some(answer) = ask() {
            return answer;
        }
        let guard = unused.lock().unwrap();
        let _ = pause.wait_timeout(guard, Duration::from_millis(5)).unwrap();
    }
    panic!("the condition did not come true in {PATIENCE:?}");
}

/// The header of bodies that [`form`] makes.
pub const FORM_TYPE: &str = "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n";

/// A form with one file.
pub fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n--BOUNDARY--\r\n"].concat()
}

/// Bytes that compress badly and differ by seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// A connection that speaks HTTP by hand.
pub struct Connection {
    pub stream: TcpStream,
    /// Received and not read yet.
    buffered: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffered: Vec::new(),
        }
    }

    /// Sends; a server that closed already is none of the sender's business.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Closes the sending side.
    pub fn finish_sending(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Receives more; whether there was any.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.buffered.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("reading from the server: {error}"),
        }
    }

    /// Reads one answer to a request of this method.
    pub fn response(&mut self, method: &str) -> Response {
        self.try_response(method).expect("an answer")
    }

    /// Reads one answer; `None` where the connection ends before it.
    pub fn try_response(&mut self, method: &str) -> Option<Response> {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&self.buffered, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill() {
                return None;
            }
        };
        let head: Vec<u8> = self.buffered.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest[..3].parse().ok())
            .unwrap_or_else(|| panic!("no status line: {status_line}"));
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").expect("a header line"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        if status == 100 || status == 204 || status == 304 || method == "HEAD" {
            return Some(response);
        }
        let length: usize = response.header("content-length").parse().unwrap();
        while self.buffered.len() < length {
            assert!(
                self.fill(),
                "the body ends after {} bytes of {length}",
                self.buffered.len()
            );
        }
        response.body = self.buffered.drain(..length).collect();
        Some(response)
    }

    /// Asserts that nothing more comes and the connection ends.
    pub fn assert_closed(&mut self) {
        while self.fill() {}
        let rest = String::from_utf8_lossy(&self.buffered);
        assert!(rest.is_empty(), "unexpected before the close: {rest}");
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; fails where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.try_header(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn try_header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Asserts an error: its status, and that its two sentences are one and hold these words.
    pub fn assert_error(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["detail"], body["message"]);
        let sentence = body["detail"].as_str().unwrap();
        assert!(sentence.contains(words), "'{words}' is not in '{sentence}'");
    }
}
