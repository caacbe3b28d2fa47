//! A place to run the scripts in: files, an environment, tools that record their command lines, and
//! a proxy that loses answers.
//!
//! Invariants: a run leaves no temporary file; a retrying run does not sleep, because its `sleep`
//! only records the duration.

use crate::support::{PATIENCE, TOKEN, TestServer, tls, until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tools that the scripts may use besides the shell.
pub const TOOLS: [&str; 14] = [
    "cat",
    "curl",
    "grep",
    "mkdir",
    "mktemp",
    "od",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "tail",
    "tee",
    "tr",
    "wc",
];

/// A directory with files to publish, the scripts' working directory.
pub struct Workshop {
    directory: tempfile::TempDir,
    url: String,
    /// The command line of the shell.
    pub shell: Vec<String>,
}

/// The result of a run.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name)
}

/// The path of a program; `None` where it is not installed.
pub fn find(program: &str) -> Option<String> {
    output_of("command -v \"$0\"", program)
}

/// What a line of shell prints; `None` where it fails.
fn output_of(line: &str, argument: &str) -> Option<String> {
    let mut command = Command::new("sh");
    let output = command.args(["-c", line, argument]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim_end().to_owned())
}

fn needed(program: &str) -> String {
    find(program).unwrap_or_else(|| panic!("these tests need {program}, which is not in PATH"))
}

fn create(path: &Path, mode: u32, content: &[u8]) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    options.open(path).unwrap().write_all(content).unwrap();
}

impl Workshop {
    /// A workshop whose scripts use a server at this URL.
    pub fn at(url: &str) -> Self {
        needed("curl");
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("tmp")).unwrap();
        Self {
            directory,
            url: url.to_owned(),
            shell: vec![needed("sh")],
        }
    }

    pub fn of(server: &TestServer) -> Self {
        Self::at(&server.url())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn file(&self, name: &str, content: &[u8]) {
        create(&self.path(name), 0o644, content);
    }

    /// A command that runs a script.
    pub fn command(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.shell[0]);
        command.args(&self.shell[1..]).arg(script);
        self.prepare(command)
    }

    fn prepare(&self, mut command: Command) -> Command {
        command
            .current_dir(self.directory.path())
            .env("TMPDIR", self.path("tmp"))
            .env("no_proxy", "*")
            .env("RELEASE_SERVER_URL", &self.url)
            .env("RELEASE_SERVER_TOKEN", TOKEN)
            .envs(tls::authority_file().map(|path| ("CURL_CA_BUNDLE", path)));
        command
    }

    /// Runs a line of shell on a terminal made by script(1), which belongs to util-linux, and types
    /// this input. Returns the exit code and the text on the terminal.
    pub fn on_terminal(&self, line: &str, input: &str) -> (Option<i32>, String) {
        let line = format!("printf '{input}' | script -qec '{line}' /dev/null");
        let mut command = Command::new("sh");
        command.args(["-c", &line]);
        let output = self.prepare(command).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    }

    pub fn finish(&self, command: &mut Command) -> Run {
        let output = command.output().unwrap();
        let left = std::fs::read_dir(self.path("tmp")).unwrap().count();
        assert_eq!(left, 0, "temporary files are left");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn run(&self, name: &str, arguments: &[&str]) -> Run {
        self.finish(self.command(&script(name)).args(arguments))
    }

    /// A command that runs a script with only these tools in its PATH. Each tool records its
    /// command line in the file `log`, curl its input in `input`.
    pub fn command_with(&self, tools: &[&str], name: &str) -> Command {
        let (bin, draft, stand_in) = (self.path("bin"), self.path("draft"), self.path("stand-in"));
        let here = self.directory.path().display();
        let text = format!(
            "#!{sh}\n\
             tool=${{0##*/}}\n\
             printf '%s\\n' \"$tool $*\" >>'{here}/log'\n\
             PATH='{path}'\n\
             case $tool in\n\
             sleep) exit ;;\n\
             curl) cat >'{here}/input' && exec curl \"$@\" <'{here}/input' ;;\n\
             esac\n\
             exec \"$tool\" \"$@\"\n",
            sh = needed("sh"),
            path = output_of("printf %s \"$PATH\"", "").unwrap(),
        );
        create(&draft, 0o755, text.as_bytes());
        // Another process makes the copy: a child that some other test's thread starts meanwhile
        // may hold the draft open for writing, and a file open for writing cannot be run.
        let copied = Command::new("cp").args([&draft, &stand_in]).status();
        assert!(copied.unwrap().success());
        let _ = std::fs::remove_dir_all(&bin);
        std::fs::create_dir(&bin).unwrap();
        for tool in tools {
            symlink(&stand_in, bin.join(tool)).unwrap();
        }
        let mut command = self.command(&script(name));
        command.env("PATH", &bin);
        command
    }

    /// The text of a file, such as the recorded command lines.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Run {
    /// Asserts the exit code and words in both outputs; an empty text means an empty output.
    #[track_caller]
    pub fn assert(&self, code: i32, stdout: &str, stderr: &str) {
        let all = format!("stdout: {}\nstderr: {}", self.stdout, self.stderr);
        assert_eq!(self.code, Some(code), "{all}");
        for (output, words) in [(&self.stdout, stdout), (&self.stderr, stderr)] {
            assert!(output.contains(words), "'{words}' is missing; {all}");
            assert_eq!(words.is_empty(), output.is_empty(), "{all}");
        }
    }
}

/// How the proxy treats a request.
#[derive(Clone, Copy)]
pub enum Fate {
    /// Answers in the server's place.
    Answer(&'static str),
    /// Forwards the request and the answer.
    Pass,
    /// Forwards the request, and closes instead of answering.
    Lose,
}

/// Runs a script on the file or package `a.zip` with a proxy before the server: one fate for each
/// request. Returns the run and the durations it wanted to sleep.
pub fn through(server: &TestServer, name: &str, fates: &[Fate]) -> (Run, Vec<String>) {
    through_with(server, name, fates, |_| {})
}

/// The same, with more in the command.
pub fn through_with(
    server: &TestServer,
    name: &str,
    fates: &[Fate],
    prepare: impl FnOnce(&mut Command),
) -> (Run, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let workshop = Workshop::at(&format!("http://{}", listener.local_addr().unwrap()));
    workshop.file("a.zip", b"content");
    let mut command = workshop.command_with(&TOOLS, name);
    prepare(&mut command);
    let run = std::thread::scope(|scope| {
        scope.spawn(|| {
            for fate in fates {
                let (stream, _) = until(|| listener.accept().ok());
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                decide(server, stream, *fate);
            }
        });
        workshop.finish(command.arg("a.zip"))
    });
    let log = workshop.text("log");
    let sleeps = log.lines().filter_map(|line| line.strip_prefix("sleep "));
    (run, sleeps.map(str::to_owned).collect())
}

/// Reads a request that deletes, or one that publishes "content".
fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    while !request.ends_with(b"content") {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the request ends early");
        request.extend_from_slice(&buffer[..length]);
        if request.ends_with(b"\r\n\r\n") {
            if request.starts_with(b"DELETE") {
                break;
            }
            // curl waits for this, a second at most, before it sends a body.
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        }
    }
    request
}

fn decide(server: &TestServer, mut stream: TcpStream, fate: Fate) {
    let request = receive(&mut stream);
    if let Fate::Answer(answer) = fate {
        return stream.write_all(answer.as_bytes()).unwrap();
    }
    let mut connection = server.connect();
    connection.send(&request);
    let response = connection.response("");
    if let Fate::Pass = fate {
        let (status, body) = (response.status, response.text());
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
    }
}
