//! `Range`: single ranges of bytes, against the table and against a model that counts positions.
//!
//! Sources: RFC 9110, sections 14.1.1 (syntax), 14.1.2 (byte ranges), 14.2 (what is not understood
//! is ignored) and 15.5.17 (416); docs/contract.md, section 3 (single ranges only).

use release_server::http::range::{RangeRequest, parse};

const fn part(first: u64, last: u64) -> RangeRequest {
    RangeRequest::Part { first, last }
}

/// Values for a file of 10 bytes.
pub const OF_TEN: &[(&[u8], RangeRequest)] = &[
    (b"bytes=0-0", part(0, 0)),
    (b"bytes=0-9", part(0, 9)),
    (b"bytes=3-5", part(3, 5)),
    (b"bytes=9-9", part(9, 9)),
    (b"BYTES=3-5", part(3, 5)),
    (b"bytes=003-005", part(3, 5)),
    // The end of the file ends a range.
    (b"bytes=3-10", part(3, 9)),
    (b"bytes=3-18446744073709551615", part(3, 9)),
    (b"bytes=3-99999999999999999999999999", part(3, 9)),
    (b"bytes=0-", part(0, 9)),
    (b"bytes=9-", part(9, 9)),
    // The last bytes, by count.
    (b"bytes=-1", part(9, 9)),
    (b"bytes=-10", part(0, 9)),
    (b"bytes=-11", part(0, 9)),
    (b"bytes=-99999999999999999999999999", part(0, 9)),
    // No byte of the file.
    (b"bytes=10-", RangeRequest::Unsatisfiable),
    (b"bytes=10-10", RangeRequest::Unsatisfiable),
    (b"bytes=18446744073709551615-", RangeRequest::Unsatisfiable),
    (b"bytes=18446744073709551616-", RangeRequest::Unsatisfiable),
    (
        b"bytes=99999999999999999999999999-",
        RangeRequest::Unsatisfiable,
    ),
    (b"bytes=-0", RangeRequest::Unsatisfiable),
    (b"bytes=-000", RangeRequest::Unsatisfiable),
    // Not understood: the whole file.
    (b"", RangeRequest::Whole),
    (b"bytes", RangeRequest::Whole),
    (b"bytes=", RangeRequest::Whole),
    (b"bytes=-", RangeRequest::Whole),
    (b"bytes=3", RangeRequest::Whole),
    (b"bytes=5-3", RangeRequest::Whole),
    (b"bytes=20-15", RangeRequest::Whole),
    (b"bytes=a-b", RangeRequest::Whole),
    (b"bytes=3-b", RangeRequest::Whole),
    (b"bytes=0x3-5", RangeRequest::Whole),
    (b"bytes=+3-5", RangeRequest::Whole),
    (b"bytes=3-+5", RangeRequest::Whole),
    (b"bytes=3--5", RangeRequest::Whole),
    (b"bytes=--5", RangeRequest::Whole),
    (b"bytes=-+5", RangeRequest::Whole),
    (b"bytes=3-5-", RangeRequest::Whole),
    (b"bytes=3.0-5", RangeRequest::Whole),
    (b"bytes=3 -5", RangeRequest::Whole),
    (b"bytes=3- 5", RangeRequest::Whole),
    (b"bytes=3-5;q=1", RangeRequest::Whole),
    (b"bytes=\xd9\xa3-5", RangeRequest::Whole),
    (b"bytes=3-5\xff", RangeRequest::Whole),
    (b"bytes==3-5", RangeRequest::Whole),
    (b"bytes 3-5", RangeRequest::Whole),
    (b"bytes 3-5/10", RangeRequest::Whole),
    (b"=3-5", RangeRequest::Whole),
    (b"3-5", RangeRequest::Whole),
    (b"byte=3-5", RangeRequest::Whole),
    (b"items=3-5", RangeRequest::Whole),
    (b"none=3-5", RangeRequest::Whole),
    // Several ranges are not supported.
    (b"bytes=0-1,3-4", RangeRequest::Whole),
    (b"bytes=0-1, 3-4", RangeRequest::Whole),
    (b"bytes=0-,0-,0-", RangeRequest::Whole),
    (b"bytes=20-,0-1", RangeRequest::Whole),
];

#[test]
fn ranges_are_cut_from_ten_bytes() {
    for (value, expected) in OF_TEN {
        assert_eq!(parse(value, 10), *expected, "{}", value.escape_ascii());
    }
}

/// RFC 9110, section 14: a range unit is a token, and nothing stands between it and the `=`.
#[test]
fn a_blank_before_the_equals_sign_is_refused() {
    for value in [
        "bytes =3-5",
        "bytes\t=3-5",
        "bytes\u{2003}=3-5",
        "\u{a0}bytes=3-5",
    ] {
        assert_eq!(
            parse(value.as_bytes(), 10),
            RangeRequest::Whole,
            "{value:?}"
        );
    }
}

/// The answer for the positions that a range names, counted one by one.
fn model(positions: impl Iterator<Item = u64>, size: u64) -> RangeRequest {
    let inside: Vec<u64> = positions.filter(|position| *position < size).collect();
    match (inside.first(), inside.last()) {
        (Some(first), Some(last)) => part(*first, *last),
        _ => RangeRequest::Unsatisfiable,
    }
}

#[test]
fn small_ranges_agree_with_counting() {
    for size in 1..=7 {
        for first in 0..=9 {
            let open = format!("bytes={first}-");
            assert_eq!(
                parse(open.as_bytes(), size),
                model(first..20, size),
                "{open} of {size}"
            );
            let suffix = format!("bytes=-{first}");
            let positions = size.saturating_sub(first)..size;
            assert_eq!(
                parse(suffix.as_bytes(), size),
                model(positions, size),
                "{suffix} of {size}"
            );
            for last in 0..=9 {
                let value = format!("bytes={first}-{last}");
                let expected = if last < first {
                    RangeRequest::Whole
                } else {
                    model(first..=last, size)
                };
                assert_eq!(parse(value.as_bytes(), size), expected, "{value} of {size}");
            }
        }
    }
}

/// A 206 for an empty content cannot be written.
#[test]
fn an_empty_file_has_no_part() {
    for (value, of_ten) in OF_TEN {
        let expected = match of_ten {
            RangeRequest::Whole => RangeRequest::Whole,
            _ => RangeRequest::Unsatisfiable,
        };
        assert_eq!(parse(value, 0), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn the_largest_files_have_parts() {
    let size = u64::MAX;
    assert_eq!(parse(b"bytes=-1", size), part(size - 1, size - 1));
    assert_eq!(parse(b"bytes=1-", size), part(1, size - 1));
    assert_eq!(
        parse(b"bytes=18446744073709551614-", size),
        part(size - 1, size - 1)
    );
    let beyond = parse(b"bytes=18446744073709551615-", size);
    assert_eq!(beyond, RangeRequest::Unsatisfiable);
}
