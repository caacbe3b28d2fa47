//! Heads of answers: a strict client reads back what was put in, and nothing that a header's value
//! holds ends a line.
//!
//! Sources: RFC 9112, section 4; RFC 9110, sections 5.5, 6.6.1 and 8.6; the invariants of
//! `http::response`.

use release_server::http::response::{HeadContext, Response, write_head};
use tiny_http::HTTPVersion;

const STATUSES: [u16; 8] = [200, 201, 204, 206, 304, 400, 416, 507];
const HEADERS: [&str; 4] = ["Content-Disposition", "ETag", "Location", "X-Anything"];

/// Every property of heads. The first byte chooses status and version, each line after it is a
/// header's value.
pub fn check(input: &[u8]) {
    let (choice, rest) = input.split_first().unwrap_or((&0, &[]));
    let status = STATUSES[usize::from(choice % 8)];
    let keep_alive = choice & 8 != 0;
    let version = HTTPVersion(1, (choice >> 4) & 1);
    let text = String::from_utf8_lossy(rest);
    let values: Vec<&str> = text.split('\n').take(HEADERS.len()).collect();
    let mut response = Response::new(status);
    for (name, value) in HEADERS.iter().zip(&values) {
        response = response.header(name, value);
    }
    let body = rest.to_vec();
    let length = body.len();
    response = response.body("text/plain", body);
    let context = HeadContext {
        version: &version,
        keep_alive,
        date: "Sun, 06 Nov 1994 08:49:37 GMT",
        request_id: "id",
    };
    let mut head = Vec::new();
    write_head(&mut head, &response, context);
    let head = String::from_utf8(head).expect("values are texts");
    let fields = read(&head, status);
    let all = |name: &str| -> Vec<&str> {
        let fields = fields.iter().filter(|(found, _)| *found == name);
        fields.map(|(_, value)| *value).collect()
    };
    for (name, value) in HEADERS.iter().zip(&values) {
        let written = value.replace(|c: char| c.is_ascii_control(), "_");
        assert_eq!(all(name), [written], "{head:?}");
    }
    let has_length = !matches!(status, 204 | 304);
    let lengths = [length.to_string()];
    assert_eq!(
        all("Content-Length"),
        lengths[..usize::from(has_length)],
        "{head:?}"
    );
    let connection = match (keep_alive, version.1) {
        (false, _) => &["close"][..],
        (true, 0) => &["keep-alive"],
        (true, _) => &[],
    };
    assert_eq!(all("Connection"), connection, "{head:?}");
    assert_eq!(all("X-Content-Type-Options"), ["nosniff"], "{head:?}");
    assert_eq!(all("Date"), [context.date], "{head:?}");
}

/// The fields of a whole head, which ends in the only empty line.
fn read(head: &str, status: u16) -> Vec<(&str, &str)> {
    let lines = head
        .strip_suffix("\r\n\r\n")
        .expect("an empty line at the end");
    let mut lines = lines.split("\r\n");
    let status_line = lines.next().expect("a status line");
    let expected = format!("HTTP/1.1 {status} ");
    assert!(status_line.starts_with(&expected), "{head:?}");
    lines
        .map(|line| {
            assert!(
                !line.is_empty() && !line.contains(|c: char| c.is_ascii_control()),
                "{head:?}"
            );
            line.split_once(": ").expect("a name and a value")
        })
        .collect()
}
