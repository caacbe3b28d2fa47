//! Log lines: one line a record, and JSON that reads back as what was logged.
//!
//! Sources: docs/contract.md, section 6; RFC 8259; the invariants of `log`.

use log::{Level, Record};
use release_server::log::{Format, RequestLine, write_json, write_text};
use serde_json::Value;
use std::fmt::Arguments;
use std::io::Result;
use std::time::Duration;

/// Every property of log lines. The first line is the message, the rest the value of a field.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let (message, value) = text.split_once('\n').unwrap_or((text, text));
    let number = input.len() as u64;
    let fields: [(&str, log::kv::Value<'_>); 3] = [
        ("path", value.into()),
        ("bytes", number.into()),
        ("open", true.into()),
    ];
    let written = |write: fn(&mut Vec<u8>, &Record<'_>) -> Result<()>, args: Arguments<'_>| {
        let mut record = Record::builder();
        record
            .level(Level::Warn)
            .target("module")
            .key_values(&fields);
        let mut line = Vec::new();
        write(&mut line, &record.args(args).build()).expect("a vector takes all");
        line
    };
    let json = written(write_json, format_args!("{message}"));
    let plain = written(write_text, format_args!("{message}"));
    let line = one_line(&json);
    let object: Value = serde_json::from_str(line).expect("a line is JSON");
    assert_eq!(object["message"], message, "{line}");
    assert_eq!(object["path"], value, "{line}");
    assert_eq!(object["bytes"], number, "{line}");
    assert_eq!(object["open"], true, "{line}");
    assert_eq!(object["level"], "WARN", "{line}");
    assert_eq!(object["module"], "module", "{line}");
    assert_eq!(
        object.as_object().map(serde_json::Map::len),
        Some(7),
        "{line}"
    );
    assert!(!one_line(&plain).contains(char::is_control), "{text:?}");
    check_request_line(message, value, number);
}

/// The same of a line about a request.
fn check_request_line(message: &str, value: &str, number: u64) {
    let request = RequestLine {
        level: Level::Warn,
        message,
        method: "GET",
        path: value,
        status: 200,
        sent_bytes: number,
        received_bytes: u64::MAX,
        duration: Duration::from_micros(number),
        peer: "127.0.0.1:80",
        client: None,
        token: Some(value),
        request_id: "1",
    };
    let written = |format| {
        let mut line = Vec::new();
        request.write(format, ("2026-01-06T12:00:00", 7), &mut line);
        line
    };
    let json = written(Format::Json);
    let line = one_line(&json);
    let object: Value = serde_json::from_str(line).expect("a line is JSON");
    assert_eq!(object["timestamp"], "2026-01-06T12:00:00.007Z", "{line}");
    assert_eq!(object["message"], message, "{line}");
    assert_eq!(object["path"], value, "{line}");
    assert_eq!(object["token"], value, "{line}");
    assert_eq!(object["bytes"], number, "{line}");
    assert_eq!(object["received_bytes"], u64::MAX, "{line}");
    let milliseconds = Duration::from_micros(number).as_secs_f64() * 1e3;
    let written_ms = object["duration_ms"].as_f64().expect("a number");
    assert!((written_ms - milliseconds).abs() < 1e-6, "{line}");
    let fields = object.as_object().map(serde_json::Map::len);
    assert_eq!(fields, Some(13), "{line}");
    let plain = written(Format::Text);
    assert!(!one_line(&plain).contains(char::is_control), "{value:?}");
}

/// The text without its line's end, which is the only one.
fn one_line(bytes: &[u8]) -> &str {
    let line = std::str::from_utf8(bytes).expect("UTF-8");
    let line = line.strip_suffix('\n').expect("a line's end");
    assert!(!line.contains(['\n', '\r']), "{line:?}");
    line
}
