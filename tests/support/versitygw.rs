//! A real store: versitygw over a directory of the test's own, with toxiproxy before it where a
//! test breaks the connection.
//!
//! `scripts/bucket-stores.sh versitygw toxiproxy` installs both. Without them the tests print that
//! and pass, unless `RELEASE_SERVER_REQUIRE_ALL` is set.

use std::ffi::OsString;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "a-secret-of-the-tests";
pub const BUCKET: &str = "packages";

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Versitygw {
    running: Option<Running>,
    pub port: u16,
    directory: tempfile::TempDir,
    /// Further options of the program.
    options: Vec<OsString>,
}

/// An installed program; `None` where it may be missing.
fn installed(name: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_default();
    let path = cache.join("release-server-tools/stores").join(name);
    if path.is_file() {
        return Some(path);
    }
    let is_required = std::env::var_os("RELEASE_SERVER_REQUIRE_ALL").is_some();
    assert!(!is_required, "{} is missing", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn await_port(port: u16) {
    let begin = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            begin.elapsed() < Duration::from_mins(1),
            "nothing listens at {port}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Versitygw {
    /// Starts a store with an empty bucket; `None` where versitygw may be missing.
    pub fn start() -> Option<Self> {
        Self::start_with(Vec::new())
    }

    /// Starts a store that speaks TLS with this certificate and key.
    pub fn start_tls(certificate: &Path, key: &Path) -> Option<Self> {
        let options = [
            "--cert".as_ref(),
            certificate.as_os_str(),
            "--key".as_ref(),
            key.as_os_str(),
        ];
        Self::start_with(options.map(OsString::from).into())
    }

    fn start_with(options: Vec<OsString>) -> Option<Self> {
        installed("versitygw")?;
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("root").join(BUCKET)).unwrap();
        let mut store = Self {
            running: None,
            port: free_port(),
            directory,
            options,
        };
        store.resume();
        Some(store)
    }

    /// Starts the stopped store again, at its port.
    pub fn resume(&mut self) {
        let child = Command::new(installed("versitygw").unwrap())
            .args(["--access", ACCESS_KEY, "--secret", SECRET_KEY, "--quiet"])
            .args(["--port", &format!("127.0.0.1:{}", self.port)])
            .args(&self.options)
            .arg("posix")
            .arg(self.directory.path().join("root"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(Running(child));
        await_port(self.port);
    }

    pub fn stop(&mut self) {
        self.running = None;
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the objects of the bucket are files.
    pub fn objects(&self) -> PathBuf {
        self.directory.path().join("root").join(BUCKET)
    }
}

/// A proxy that breaks connections to a store.
pub struct Toxiproxy {
    _running: Running,
    api_port: u16,
    pub port: u16,
}

impl Toxiproxy {
    pub fn before(store: &Versitygw) -> Option<Self> {
        let program = installed("toxiproxy")?;
        let api_port = free_port();
        let child = Command::new(program)
            .args(["-host", "127.0.0.1", "-port", &api_port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let proxy = Self {
            _running: Running(child),
            api_port,
            port: free_port(),
        };
        await_port(api_port);
        let settings = serde_json::json!({
            "name": "store", "enabled": true,
            "listen": format!("127.0.0.1:{}", proxy.port),
            "upstream": format!("127.0.0.1:{}", store.port),
        });
        proxy.post("/proxies", &settings);
        await_port(proxy.port);
        Some(proxy)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds a toxic by its kind, such as `latency`, to `upstream` or `downstream`.
    pub fn add(&self, kind: &str, stream: &str, attributes: &serde_json::Value) {
        let toxic = serde_json::json!({
            "name": kind, "type": kind, "stream": stream, "attributes": attributes,
        });
        self.post("/proxies/store/toxics", &toxic);
    }

    /// Removes all toxics.
    pub fn heal(&self) {
        self.post("/reset", &serde_json::Value::Null);
    }

    fn post(&self, path: &str, body: &serde_json::Value) {
        use release_server::client::{Body, Client, Method, Options, Request};
        let client = Client::new(&Options::default()).unwrap();
        let response = client.send(&Request {
            method: Method::Post,
            url: &format!("http://127.0.0.1:{}{path}", self.api_port),
            headers: &[],
            body: Body::Bytes(body.to_string().as_bytes()),
        });
        let response = response.unwrap();
        assert!(response.status() < 300, "{path}: {}", response.status());
    }
}
