//! The log: one JSON object a line on standard output, or one line of text for a terminal.
//!
//! `env_logger` filters records. This module formats them and passes them to one thread that owns
//! the output. Lines about requests are gathered for a moment, so that a fast server does not pay a
//! system call for each; every other line is written at once.
//!
//! Invariants:
//! - Only the log's own thread waits for the reader of the output. While nothing reads, lines are
//!   held up to a bound, then counted and dropped, and the count is logged.
//! - A client's text is written as a JSON string, or as a word without blanks and controls, so it
//!   cannot begin a line or a field.
//!
//! Sources: docs/contract.md, section 6; RFC 8259 (JSON).

use crate::clock;
use crate::date;
use crate::limits::{LOG_BACKLOG_BYTES_MAX, LOG_DELAY_MAX, LOG_FLUSH_TIME_MAX, LOG_WRITE_BYTES};
use log::kv::{Key, Value, VisitSource, VisitValue};
use log::{Level, Record};
use std::cell::Cell;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// The target of lines about finished requests, the only ones that are gathered.
pub const REQUEST_TARGET: &str = "release_server::request";

static OUTPUT: OnceLock<Arc<Output>> = OnceLock::new();

thread_local! {
    /// Whether the record that this thread formats must be written at once. `env_logger` passes the
    /// text to its pipe on the thread that formatted it, but without the record.
    static URGENT: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    /// Time, level, message and fields, for people.
    Text,
}

/// Starts logging the records that pass `filter`, which has been checked. Called once.
pub fn start(filter: &str, format: Format) -> std::io::Result<()> {
    let output = Arc::new(Output::default());
    let writer = Arc::clone(&output);
    std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || writer.run(&mut std::io::stdout()))?;
    std::panic::set_hook(Box::new(log_panic));
    let pipe = Pipe(Arc::clone(&output));
    if OUTPUT.set(output).is_ok() {
        env_logger::Builder::new()
            .parse_filters(filter)
            .format(move |line, record| {
                URGENT.set(record.level() <= Level::Warn || record.target() != REQUEST_TARGET);
                match format {
                    Format::Json => write_json(line, record),
                    Format::Text => write_text(line, record),
                }
            })
            .target(env_logger::Target::Pipe(Box::new(pipe)))
            .init();
    }
    Ok(())
}

/// Lines dropped so far because the output was not read.
pub fn dropped_lines() -> u64 {
    OUTPUT.get().map_or(0, |output| output.lock().dropped_total)
}

/// Logs a panic, in place of the default hook, which writes to standard error.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("without a text");
    let thread = std::thread::current();
    let location = panic.location().map(ToString::to_string);
    log::error!(
        thread = thread.name().unwrap_or_default(),
        location = location.as_deref().unwrap_or_default();
        "panic: {text}"
    );
}

/// Waits until everything logged so far is written, at most for `LOG_FLUSH_TIME_MAX`. Called at the
/// end of the process.
pub fn flush() {
    if let Some(output) = OUTPUT.get() {
        output.flush();
    }
}

/// Writes a record as one line of JSON, into memory first: each write to a formatter is slow.
pub fn write_json(out: &mut impl Write, record: &Record<'_>) -> std::io::Result<()> {
    let mut line = Vec::with_capacity(512);
    line.extend_from_slice(br#"{"timestamp":""#);
    write!(line, "{}", date::rfc3339_millis(clock::wall_now()))?;
    line.extend_from_slice(br#"","level":""#);
    line.extend_from_slice(record.level().as_str().as_bytes());
    line.extend_from_slice(br#"","message":"#);
    match record.args().as_str() {
        Some(text) => serde_json::to_writer(&mut line, text)?,
        None => serde_json::to_writer(&mut line, &record.args().to_string())?,
    }
    line.extend_from_slice(br#","module":""#);
    line.extend_from_slice(record.target().as_bytes());
    line.push(b'"');
    record
        .key_values()
        .visit(&mut FieldWriter(&mut line))
        .map_err(std::io::Error::other)?;
    line.extend_from_slice(b"}\n");
    out.write_all(&line)
}

/// Writes a record as one line for people, without the module.
pub fn write_text(out: &mut impl Write, record: &Record<'_>) -> std::io::Result<()> {
    let mut line = Vec::with_capacity(512);
    let time = date::rfc3339_millis(clock::wall_now());
    let message = record.args().to_string().replace(char::is_control, " ");
    write!(line, "{time} {:<5} {message}", record.level())?;
    record
        .key_values()
        .visit(&mut TextFieldWriter(&mut line))
        .map_err(std::io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// A text as a JSON string without any control character: a terminal obeys DEL and U+0080 to
/// U+009F, which JSON leaves as they are.
fn quoted(text: &str) -> serde_json::Result<String> {
    use std::fmt::Write as _;
    let json = serde_json::to_string(text)?;
    let mut quoted = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_control() {
            // Writing to a string does not fail.
            let _ = write!(quoted, "\\u{:04x}", u32::from(character));
        } else {
            quoted.push(character);
        }
    }
    Ok(quoted)
}

/// Whether a field has no value, so that it is not written.
fn is_absent(value: &Value<'_>) -> bool {
    struct Absent(bool);
    impl VisitValue<'_> for &mut Absent {
        fn visit_any(&mut self, _: Value<'_>) -> Result<(), log::kv::Error> {
            Ok(())
        }
        fn visit_null(&mut self) -> Result<(), log::kv::Error> {
            self.0 = true;
            Ok(())
        }
    }
    let mut absent = Absent(false);
    value.visit(&mut absent).is_ok() && absent.0
}

/// Writes ` name=value` for each field. A value that is not a plain word becomes a JSON string.
struct TextFieldWriter<'l>(&'l mut Vec<u8>);

impl<'kvs> VisitSource<'kvs> for TextFieldWriter<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        if is_absent(&value) {
            return Ok(());
        }
        let text = value.to_string();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let shown = if !text.is_empty() && text.bytes().all(is_plain) {
            text
        } else {
            quoted(&text).map_err(std::io::Error::from)?
        };
        write!(self.0, " {}={shown}", key.as_str()).map_err(Into::into)
    }
}

/// Writes the fields of a record after its message.
struct FieldWriter<'l>(&'l mut Vec<u8>);

impl<'kvs> VisitSource<'kvs> for FieldWriter<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let line = &mut *self.0;
        let end = line.len();
        line.extend_from_slice(b",\"");
        line.extend_from_slice(key.as_str().as_bytes());
        line.extend_from_slice(b"\":");
        let written = if let Some(text) = value.to_borrowed_str() {
            serde_json::to_writer(line, text)
        } else if let Some(number) = value.to_u64() {
            serde_json::to_writer(line, &number)
        } else if let Some(number) = value.to_f64() {
            serde_json::to_writer(line, &number)
        } else if let Some(switch) = value.to_bool() {
            serde_json::to_writer(line, &switch)
        } else if is_absent(&value) {
            line.truncate(end);
            Ok(())
        } else {
            serde_json::to_writer(line, &value.to_string())
        };
        written.map_err(|error| std::io::Error::from(error).into())
    }
}

/// The target of `env_logger`, which passes each line in one call of `write_all`.
struct Pipe(Arc<Output>);

impl Write for Pipe {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.add(line, URGENT.get());
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Output {
    held: Mutex<Held>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Held {
    lines: Vec<u8>,
    /// Lines dropped since the last report.
    dropped: u64,
    dropped_total: u64,
    /// A line in `lines` must be written at once.
    urgent: bool,
    /// Lines taken out of `lines` are being written.
    writing: bool,
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8], urgent: bool) {
        let mut held = self.lock();
        if held.lines.len() + line.len() > LOG_BACKLOG_BYTES_MAX {
            held.dropped += 1;
            held.dropped_total += 1;
            return;
        }
        let was_empty = held.lines.is_empty();
        held.lines.extend_from_slice(line);
        held.urgent |= urgent;
        if was_empty || held.urgent || held.lines.len() >= LOG_WRITE_BYTES {
            self.filled.notify_one();
        }
    }

    /// The loop of the log's own thread.
    fn run(&self, out: &mut dyn Write) {
        let mut lines = Vec::new();
        loop {
            let held = self.lock();
            let held = self
                .filled
                .wait_while(held, |held| held.lines.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let may_wait = |held: &mut Held| !held.urgent && held.lines.len() < LOG_WRITE_BYTES;
            let (mut held, _) = self
                .filled
                .wait_timeout_while(held, LOG_DELAY_MAX, may_wait)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut held.lines);
            let dropped = std::mem::take(&mut held.dropped);
            held.urgent = false;
            held.writing = true;
            drop(held);
            // There is nowhere to report that the log cannot be written.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            self.lock().writing = false;
            self.written.notify_all();
            if dropped > 0 {
                log::warn!(count = dropped; "log lines dropped: nothing read the output");
            }
        }
    }

    fn flush(&self) {
        let mut held = self.lock();
        held.urgent = true;
        self.filled.notify_one();
        let unwritten = |held: &mut Held| held.writing || !held.lines.is_empty();
        let _ = self
            .written
            .wait_timeout_while(held, LOG_FLUSH_TIME_MAX, unwritten);
    }
}
