//! Records of the macros of `log`: filtered by `env_logger`, formatted here.
//!
//! Invariant: a client's text is written as a JSON string, or as a word without blanks and
//! controls, so it cannot begin a line or a field.

use crate::clock;
use crate::date;
use crate::log::output::{Format, OUTPUT, Output};
use log::kv::{Key, Value, VisitSource, VisitValue};
use log::{Level, Record};
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::Arc;

/// Starts logging the records that pass `filter`, which has been checked. Called once.
pub fn start(filter: &str, format: Format) -> std::io::Result<()> {
    let output = Arc::new(Output::new(format));
    let writer = Arc::clone(&output);
    std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || writer.run(&mut std::io::stdout()))?;
    std::panic::set_hook(Box::new(log_panic));
    let pipe = Pipe(Arc::clone(&output));
    if OUTPUT.set(output).is_ok() {
        env_logger::Builder::new()
            .parse_filters(filter)
            .format(move |line, record| match format {
                // The client writes out what it sends and receives, with credentials in it.
                _ if record.level() == Level::Trace && record.target().starts_with("ureq") => {
                    Ok(())
                }
                Format::Json => write_json(line, record),
                Format::Text => write_text(line, record),
            })
            .target(env_logger::Target::Pipe(Box::new(pipe)))
            .init();
    }
    Ok(())
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
pub(super) fn quoted(text: &str) -> serde_json::Result<String> {
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

/// Whether a text needs no quotes in a line for people.
pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.bytes().all(is_plain)
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
        let shown = if is_word(&text) {
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
        if !line.is_empty() {
            self.0.add(line, true);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
