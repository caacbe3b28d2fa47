//! Forms: the tables at every split and truncated at every byte.
//!
//! A form is read right if each part's content is exact, and it is complete only after its closing
//! delimiter: a lost byte would be published as a shorter file.
//!
//! Sources: those of the tables.

use crate::multipart_tables::{
    BOUNDARY, CONTENT_TYPES, CONTENTS, EPILOGUES, FORMS, PART_HEADS, PREAMBLES, PartRead,
    REFUSED_LINE_ENDS, REFUSED_PART_HEADS,
};
use crate::properties::multipart::{Found, drive};
use crate::{at_every_split, single_bytes};
use release_server::http::multipart::{MultipartError, boundary};

fn found(parts: &[PartRead]) -> Vec<Found> {
    let whole = |(name, filename, content): &PartRead| Found::whole(name, *filename, content);
    parts.iter().map(whole).collect()
}

fn assert_reads(body: &[u8], parts: &[Found]) {
    let expected = (parts.to_vec(), Ok(true));
    let shown = body.escape_ascii();
    assert_eq!(drive(BOUNDARY, &[body]), expected, "{shown}");
    at_every_split(body, |pieces| {
        assert_eq!(drive(BOUNDARY, pieces), expected, "{shown}");
    });
    assert_eq!(drive(BOUNDARY, &single_bytes(body)), expected, "{shown}");
}

fn assert_refuses(body: &[u8], error: MultipartError) {
    let shown = body.escape_ascii();
    let expected = drive(BOUNDARY, &[body]);
    assert_eq!(expected.1, Err(error), "{shown}");
    at_every_split(body, |pieces| {
        assert_eq!(drive(BOUNDARY, pieces), expected, "{shown}");
    });
    assert_eq!(drive(BOUNDARY, &single_bytes(body)), expected, "{shown}");
}

/// A form of one part, up to its closing delimiter.
fn form(preamble: &[u8], head: &[u8], content: &[u8]) -> Vec<u8> {
    [
        preamble,
        b"--xYz\r\n",
        head,
        b"\r\n",
        content,
        b"\r\n--xYz--",
    ]
    .concat()
}

const HEAD: &[u8] = b"Content-Disposition: form-data; name=file; filename=a.zip\r\n";

#[test]
fn boundaries_are_taken_from_content_types() {
    for (content_type, expected) in CONTENT_TYPES {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        assert_eq!(
            boundary(content_type),
            expected,
            "{}",
            content_type.escape_ascii()
        );
    }
}

#[test]
fn forms_are_read_at_every_split() {
    for (body, parts) in FORMS {
        for epilogue in EPILOGUES {
            assert_reads(&[*body, epilogue].concat(), &found(parts));
        }
    }
}

#[test]
fn contents_are_kept_to_the_byte() {
    for content in CONTENTS {
        let part = Found::whole("file", Some("a.zip"), content);
        assert_reads(&form(b"", HEAD, content), &[part]);
    }
}

#[test]
fn preambles_are_ignored() {
    for preamble in PREAMBLES {
        let part = Found::whole("file", Some("a.zip"), b"PK");
        assert_reads(&form(preamble, HEAD, b"PK"), &[part]);
    }
}

#[test]
fn names_are_read_from_part_heads() {
    for (head, name, filename) in PART_HEADS {
        let part = Found::whole(name, *filename, b"PK");
        assert_reads(&form(b"", head, b"PK"), &[part]);
    }
}

#[test]
fn part_heads_are_refused_for_their_reason() {
    for (head, error) in REFUSED_PART_HEADS {
        assert_refuses(&form(b"", head, b"PK"), *error);
        assert_refuses(&form(b"preamble\r\n", head, b""), *error);
    }
}

#[test]
fn a_delimiter_is_followed_by_hyphens_or_the_end_of_its_line() {
    for end in REFUSED_LINE_ENDS {
        let first = [b"--xYz", *end].concat();
        assert_refuses(&first, MultipartError::Delimiter);
        let second = [b"--xYz\r\n", HEAD, b"\r\nPK\r\n--xYz", end].concat();
        assert_refuses(&second, MultipartError::Delimiter);
    }
}

#[test]
fn a_form_cut_short_is_never_complete() {
    let contents = CONTENTS.iter().map(|content| form(b"\r\n", HEAD, content));
    let forms = FORMS.iter().map(|(body, _)| body.to_vec());
    for body in contents.chain(forms) {
        let (whole, _) = drive(BOUNDARY, &[&body]);
        for length in 0..body.len() {
            let cut = &body[..length];
            let (parts, outcome) = drive(BOUNDARY, &[cut]);
            assert_eq!(outcome, Ok(false), "{}", cut.escape_ascii());
            for (part, whole) in parts.iter().zip(&whole) {
                assert!(
                    whole.content.starts_with(&part.content),
                    "{}",
                    cut.escape_ascii()
                );
            }
        }
    }
}

/// docs/contract.md, section 1: after an error nothing is stored, so an error may not turn into a
/// complete form.
#[test]
fn a_refused_form_is_never_complete_before() {
    for (head, _) in REFUSED_PART_HEADS {
        let body = form(b"", head, b"PK");
        for length in 0..body.len() {
            let (_, outcome) = drive(BOUNDARY, &[&body[..length]]);
            assert_ne!(outcome, Ok(true), "{}", body.escape_ascii());
        }
    }
}

/// A part's head of exactly this many bytes, its blank line included.
fn part_head(length: usize) -> Vec<u8> {
    let rest = length - HEAD.len() - b"X: \r\n\r\n".len();
    [HEAD, b"X: ", "y".repeat(rest).as_bytes(), b"\r\n"].concat()
}

#[test]
fn part_heads_are_bounded() {
    for length in [1000, 8000] {
        let body = form(b"", &part_head(length), b"PK");
        let expected = (vec![Found::whole("file", Some("a.zip"), b"PK")], Ok(true));
        assert_eq!(drive(BOUNDARY, &[&body]), expected);
        assert_eq!(drive(BOUNDARY, &single_bytes(&body)), expected);
    }
    let endless = [b"--xYz\r\n", &part_head(20_000)[..9_000]].concat();
    for body in [form(b"", &part_head(8193), b"PK"), endless] {
        let expected = (Vec::new(), Err(MultipartError::HeadTooLong));
        assert_eq!(drive(BOUNDARY, &[&body]), expected);
        assert_eq!(drive(BOUNDARY, &single_bytes(&body)), expected);
    }
}

/// `PART_HEAD_BYTES_MAX` is 8 KiB, and the error says "over 8192 bytes".
#[test]
fn a_part_head_of_exactly_8_kib_is_read() {
    let body = form(b"", &part_head(8192), b"PK");
    assert_eq!(drive(BOUNDARY, &[&body]).1, Ok(true));
}

/// A file may begin with bytes that a line end of their own would make a delimiter: the line end
/// before them ends the head. Every known client sends an empty part with both.
#[test]
fn a_content_may_begin_like_a_delimiter() {
    let content = b"--xYz\r\nContent-Disposition: form-data; name=b\r\n\r\n1";
    let body = [b"--xYz\r\n", HEAD, b"\r\n", content, b"\r\n--xYz--"].concat();
    assert_reads(&body, &[Found::whole("file", Some("a.zip"), content)]);
}
