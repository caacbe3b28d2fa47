//! `Content-Disposition`: parsing it in a form's part, and writing it for a download.
//!
//! Sources: RFC 7578, section 4.2, and the WHATWG HTML standard, "multipart form data" (`%22`,
//! `%0D`, `%0A`); RFC 6266, sections 4.1 to 4.3; RFC 8187, section 3.2.

use crate::Random;
use crate::properties::name::{self, read_attachment};
use release_server::http::disposition::{FormData, attachment, parse_form_data};
use release_server::http::parameters::Malformed;

/// Values to read: name and file name.
pub const VALID: &[(&[u8], &str, Option<&str>)] = &[
    (b"form-data; name=a", "a", None),
    (b"FORM-DATA; NAME=a; X=y", "a", None),
    (b"form-data; name=\"\"", "", None),
    (
        b"form-data; name=\"file\"; filename=\"a b.zip\"",
        "file",
        Some("a b.zip"),
    ),
    (
        b"form-data; name=\"file\"; filename=\"a;b.zip\"; x=y",
        "file",
        Some("a;b.zip"),
    ),
    (b"form-data; name=file; filename=\"\"", "file", Some("")),
    (
        b"form-data; name=file; filename=\"../a.zip\"",
        "file",
        Some("../a.zip"),
    ),
    (
        b"form-data; name=file; filename=\"\xe6\x97\xa5.zip\"",
        "file",
        Some("日.zip"),
    ),
    // The three bytes that browsers write in percent; no other percent sign is decoded, and each is
    // decoded once.
    (
        b"form-data; name=\"a%22b\"; filename=\"%22%22\"",
        "a\"b",
        Some("\"\""),
    ),
    (b"form-data; name=\"a%0D%0Ab\"", "a\r\nb", None),
    (b"form-data; name=a; filename=\"%2522\"", "a", Some("%2522")),
    (b"form-data; name=a; filename=\"%%22\"", "a", Some("%\"")),
    (
        b"form-data; name=a; filename=\"%2F%00%41%zz%\"",
        "a",
        Some("%2F%00%41%zz%"),
    ),
    // The extended form, after the examples of RFC 8187.
    (
        b"form-data; name=a; filename*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates",
        "a",
        Some("£ and € rates"),
    ),
    (
        b"form-data; name=a; filename*=utf-8'en'a.zip",
        "a",
        Some("a.zip"),
    ),
    (
        b"form-data; name=a; filename*=UTF-8''%2522",
        "a",
        Some("%22"),
    ),
    (
        b"form-data; name=a; filename*=UTF-8''a%2Fb%22%3B",
        "a",
        Some("a/b\";"),
    ),
    (b"form-data; name=a; filename*=UTF-8''", "a", Some("")),
    // The extended form overrides the plain one, in either order.
    (
        b"form-data; name=a; filename=\"EURO\"; filename*=UTF-8''%e2%82%ac",
        "a",
        Some("€"),
    ),
    (
        b"form-data; name=a; filename*=UTF-8''%e2%82%ac; filename=\"EURO\"",
        "a",
        Some("€"),
    ),
];

/// Values to refuse.
pub const REFUSED: &[&[u8]] = &[
    b"",
    b"form-data",
    b"form-data; filename=a",
    b"form-data; name*=UTF-8''a",
    b"name=a",
    b"attachment; name=a",
    b"inline; name=a; filename=b",
    b"form-data-x; name=a",
    b"form-data, name=a",
    b"form-data; name=a; name=a",
    b"form-data; name=a; filename=b; FILENAME=b",
    b"form-data; name=a; filename*=UTF-8''b; filename*=UTF-8''b",
    b"form-data; name=\"a",
    b"form-data; name=a; filename=a b",
    b"form-data; name=\"\xff\"",
    b"form-data; name=a; filename=\"\xc3\"",
    b"form-data; name=a; filename*=b",
    b"form-data; name=a; filename*=UTF-8'b",
    b"form-data; name=a; filename*=''b",
    b"form-data; name=a; filename*=UTF-8''%ff",
    b"form-data; name=a; filename*=UTF-8''%c3",
    b"form-data; name=a; filename*=iso-8859-1'en'%A3%20rates",
    b"form-data; name=a; filename*=UTF-16''%00a",
    b"form-data; name=a; filename=b; filename*=c",
];

/// Names that are hard to write in a header.
pub const NAMES: &[&str] = &[
    "a.zip",
    "spec-kit-template-claude-sh-v1.0.0+build.zip",
    "a b.zip",
    "a;b=c.zip",
    "a,b.zip",
    "a'b.zip",
    "a\"b.zip",
    "a\\b.zip",
    "\"",
    "\\\"\\",
    "100%.zip",
    "a%20b.zip",
    "a%22b.zip",
    "ä.zip",
    "日本語.zip",
    "e\u{301}.zip",
    "🦀.zip",
    "\u{202e}piz.a",
    "a\u{a0}b",
    "filename=b",
    "*",
];

#[test]
fn values_are_read() {
    for (value, name, filename) in VALID {
        let expected = FormData {
            name: (*name).to_owned(),
            filename: filename.map(str::to_owned),
        };
        assert_eq!(
            parse_form_data(value),
            Ok(expected),
            "{}",
            value.escape_ascii()
        );
    }
}

#[test]
fn malformed_values_are_refused() {
    for value in REFUSED {
        assert_eq!(
            parse_form_data(value),
            Err(Malformed),
            "{}",
            value.escape_ascii()
        );
    }
}

#[test]
fn attachments_name_the_file_exactly() {
    for name in NAMES {
        let value = attachment(name);
        let (plain, extended) = read_attachment(&value);
        assert_eq!(extended.as_deref().unwrap_or(&plain), *name, "{value}");
        // Clients that do not know the extended form get a name as well.
        assert!(plain.is_ascii() && !plain.is_empty(), "{value}");
    }
}

/// RFC 6266, appendix D: a name that every client reads is sent in the plain form, others in both
/// forms.
#[test]
fn attachments_are_written_as_clients_read_them_best() {
    let plain = "attachment; filename=\"a b.zip\"";
    assert_eq!(attachment("a b.zip"), plain);
    let both = "attachment; filename=\"_.zip\"; filename*=UTF-8''%C3%A4.zip";
    assert_eq!(attachment("ä.zip"), both);
    let percent = "attachment; filename=\"%41.zip\"; filename*=UTF-8''%2541.zip";
    assert_eq!(attachment("%41.zip"), percent);
}

#[test]
fn no_name_splits_a_header() {
    let mut random = Random::new(6);
    let pieces = [
        "\r", "\n", "\r\n", "\0", "\t", "\x7f", "\u{85}", "\u{2028}", "\"", "\\", "%", "%0d%0a",
        "a", "ä", ";", "X: y",
    ];
    for _ in 0..20_000 {
        let name = random.text(&pieces, 8);
        name::check(name.as_bytes());
    }
}
