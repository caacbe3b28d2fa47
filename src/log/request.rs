//! The line about a finished request.
//!
//! Invariants: the line has the same form as a record's, and is filtered like one; a client's text
//! is written as a JSON string, or as a word without blanks and controls.

use crate::clock;
use crate::date;
use crate::log::output::{Format, OUTPUT};
use crate::log::records::{is_word, quoted};
use crate::text::{last_digit, push_number};
use log::Level;
use std::cell::RefCell;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

/// The target of these lines, by which a filter names them.
const TARGET: &str = "release_server::request";

#[derive(Debug)]
pub struct RequestLine<'l> {
    pub level: Level,
    pub message: &'l str,
    pub method: &'l str,
    pub path: &'l str,
    pub status: u16,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub duration: Duration,
    pub peer: &'l str,
    /// The client that a trusted proxy named.
    pub client: Option<&'l str>,
    /// The name of the token that a write was accepted with.
    pub token: Option<&'l str>,
    pub request_id: &'l str,
}

/// What a thread keeps for its next line.
#[derive(Default)]
struct Scratch {
    line: Vec<u8>,
    /// The second of `time`, since 1970.
    second: u64,
    /// The time without its fraction.
    time: String,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl RequestLine<'_> {
    /// Logs the line, if the filter lets it pass.
    pub fn log(&self) {
        if !log::log_enabled!(target: TARGET, self.level) {
            return;
        }
        let Some(output) = OUTPUT.get() else {
            return;
        };
        SCRATCH.with_borrow_mut(|scratch| {
            let now = clock::wall_now();
            let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            if scratch.second != since.as_secs() || scratch.time.is_empty() {
                scratch.second = since.as_secs();
                scratch.time = date::rfc3339(now);
                // The zone follows the fraction.
                scratch.time.pop();
            }
            let line = &mut scratch.line;
            line.clear();
            self.write(output.format, (&scratch.time, since.subsec_millis()), line);
            output.add(line, self.level <= Level::Warn);
        });
    }

    /// Appends the line, with this time without its fraction and these milliseconds.
    pub fn write(&self, format: Format, (time, milliseconds): (&str, u32), line: &mut Vec<u8>) {
        match format {
            Format::Json => {
                line.extend_from_slice(br#"{"timestamp":""#);
                write_time(line, time, milliseconds);
                line.extend_from_slice(br#"","level":""#);
                line.extend_from_slice(self.level.as_str().as_bytes());
                line.extend_from_slice(br#"","message":"#);
                write_json_string(line, self.message);
                line.extend_from_slice(br#","module":""#);
                line.extend_from_slice(TARGET.as_bytes());
                line.push(b'"');
            }
            Format::Text => {
                write_time(line, time, milliseconds);
                let message = self.message.replace(char::is_control, " ");
                // Writing to a vector does not fail.
                let _ = write!(line, " {:<5} {message}", self.level);
            }
        }
        let mut fields = Fields { format, line };
        fields.text("method", self.method);
        fields.text("path", self.path);
        fields.number("status", u64::from(self.status));
        fields.number("bytes", self.sent_bytes);
        fields.number("received_bytes", self.received_bytes);
        fields.milliseconds("duration_ms", self.duration);
        fields.text("peer", self.peer);
        if let Some(client) = self.client {
            fields.text("client", client);
        }
        if let Some(token) = self.token {
            fields.text("token", token);
        }
        fields.text("request_id", self.request_id);
        if format == Format::Json {
            line.push(b'}');
        }
        line.push(b'\n');
    }
}

struct Fields<'l> {
    format: Format,
    line: &'l mut Vec<u8>,
}

impl Fields<'_> {
    fn name(&mut self, name: &str) {
        let (before, after): (&[u8], &[u8]) = match self.format {
            Format::Json => (b",\"", b"\":"),
            Format::Text => (b" ", b"="),
        };
        self.line.extend_from_slice(before);
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(after);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        match self.format {
            Format::Json => write_json_string(self.line, text),
            Format::Text if is_word(text) => self.line.extend_from_slice(text.as_bytes()),
            // A text cannot fail to be quoted.
            Format::Text => self
                .line
                .extend_from_slice(quoted(text).unwrap_or_default().as_bytes()),
        }
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        push_number(self.line, number);
    }

    /// Microseconds are exact enough, and short.
    fn milliseconds(&mut self, name: &str, duration: Duration) {
        self.name(name);
        let nanoseconds = duration.as_nanos().saturating_add(500);
        let microseconds = u64::try_from(nanoseconds / 1000).unwrap_or(u64::MAX);
        push_number(self.line, microseconds / 1000);
        let mut fraction = microseconds % 1000;
        self.line.push(b'.');
        for unit in [100, 10, 1] {
            self.line.push(last_digit(fraction / unit));
            fraction %= unit;
            if fraction == 0 {
                break;
            }
        }
    }
}

fn write_time(line: &mut Vec<u8>, time: &str, milliseconds: u32) {
    line.extend_from_slice(time.as_bytes());
    let milliseconds = u64::from(milliseconds);
    let digits = [100, 10, 1].map(|unit| last_digit(milliseconds / unit));
    line.push(b'.');
    line.extend_from_slice(&digits);
    line.push(b'Z');
}

fn write_json_string(line: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    } else {
        // Writing to a vector does not fail.
        let _ = serde_json::to_writer(line, text);
    }
}
