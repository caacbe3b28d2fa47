//! `Content-Disposition` and other values with parameters: no value grows, and an understood value
//! can be written again.
//!
//! Sources: RFC 7578, section 4.2; RFC 8187, section 3.2; RFC 2046, section 5.1.1 (boundaries); the
//! invariants of `http::disposition`, `http::parameters` and `http::multipart`.

use super::name;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use release_server::http::disposition::{FormData, parse_form_data};
use release_server::http::multipart::boundary;
use release_server::http::parameters::Parameterised;

/// Every property of values with parameters; the input, and the file's name in it, are names of
/// packages as well.
pub fn check(input: &[u8]) {
    name::check(input);
    let shown = input.escape_ascii();
    let parsed = Parameterised::parse(input);
    if let Ok(parsed) = &parsed {
        let harmless = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
        assert!(parsed.value.bytes().all(harmless), "{shown}");
        let name = parsed.get("name").unwrap_or_default();
        assert!(name.len() < input.len(), "{shown}");
    }
    if let Some(found) = boundary(input) {
        assert!((1..=70).contains(&found.len()), "{shown}");
        let printable = found.iter().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(printable && !found.ends_with(b" "), "{shown}");
        let quoted = found.escape_ascii().to_string().replace("\\'", "'");
        let again = boundary(format!("multipart/form-data; boundary=\"{quoted}\"").as_bytes());
        assert_eq!(again, Some(found), "{shown}");
    }
    if let Ok(part) = parse_form_data(input) {
        let value = parsed.expect("a value with parameters").value;
        assert_eq!(value, "form-data", "{shown}");
        // Decoding makes a name shorter, never longer.
        let filename_bytes = part.filename.as_ref().map_or(0, String::len);
        assert!(part.name.len() + filename_bytes < input.len(), "{shown}");
        assert_written_again(&part);
        if let Some(filename) = part.filename {
            name::check(filename.as_bytes());
            // The text of the extended form may equal what the plain one decodes to.
            if !filename.contains('%') {
                assert_written_again(&FormData {
                    name: filename,
                    filename: None,
                });
            }
        }
    }
}

fn assert_written_again(part: &FormData) {
    let text = written(part);
    let read = parse_form_data(text.as_bytes());
    assert_eq!(read.as_ref(), Ok(part), "{text:?}");
}

/// As a careful client writes it: quotes and line ends as browsers do, the file's name in its
/// extended form.
pub fn written(part: &FormData) -> String {
    let name = part
        .name
        .replace('\\', "\\\\")
        .replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    let filename = part.filename.as_ref().map_or(String::new(), |filename| {
        let encoded = utf8_percent_encode(filename, NON_ALPHANUMERIC);
        format!("; filename*=UTF-8''{encoded}")
    });
    format!("form-data; name=\"{name}\"{filename}")
}
