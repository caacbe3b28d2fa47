//! Whatever bytes come from the network: no parser panics, and none says what cannot be.
//!
//! Each parser gets random bytes and mutated entries of its tables, 20,000 inputs, the same in every run. What is said
//! here holds for all input; what a parser must say to a given one is in its own module. A parser that is fed piece by
//! piece must say the same however the input is cut.
//!
//! Sources: the invariants at the head of each module of `http`.

use crate::chunked::{self, Outcome, drive as drive_body};
use crate::differential::{self, PIECES};
use crate::{
    Random, conditional, digest, disposition, multipart, multipart_tables, parameters, range,
};
use release_server::http::body::BodyDecoder;
use release_server::http::conditional::{Validators, evaluate, range_applies};
use release_server::http::digest::stated;
use release_server::http::disposition::parse_form_data;
use release_server::http::framing::Framing;
use release_server::http::head::{Fields, Parsed, field_slots, parse};
use release_server::http::parameters::Parameterised;
use release_server::http::range::RangeRequest;
use std::time::{Duration, UNIX_EPOCH};

/// Inputs for each parser.
pub const ROUNDS: usize = 20_000;

/// Calls `check` with random bytes and mutations of `entries`.
pub fn smoke(seed: u64, entries: &[Vec<u8>], mut check: impl FnMut(&[u8], &mut Random)) {
    let mut random = Random::new(seed);
    for round in 0..ROUNDS {
        let input = if round % 5 == 0 {
            let length = random.below(80);
            random.bytes(length)
        } else {
            let entry = &entries[random.below(entries.len())];
            random.mutate(entry, PIECES)
        };
        check(&input, &mut random);
    }
}

/// The input in up to eight pieces.
fn cut<'a>(input: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), input);
    for _ in 0..random.below(8) {
        let (piece, after) = rest.split_at(random.below(rest.len() + 1));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

fn owned<T>(table: &[(&[u8], T)]) -> Vec<Vec<u8>> {
    table.iter().map(|(bytes, _)| bytes.to_vec()).collect()
}

#[test]
fn heads() {
    smoke(10, &differential::seeds(), |input, _| {
        let mut slots = field_slots();
        let Ok(Parsed::Complete(head, length)) = parse(input, &mut slots) else {
            return;
        };
        let shown = input.escape_ascii();
        assert!(length <= input.len(), "{shown}");
        assert!(input[..length].ends_with(b"\r\n\r\n"), "{shown}");
        assert!(
            head.target.path.starts_with('/') || head.target.path == "*",
            "{shown}"
        );
        assert!(
            !head.target.path.contains([' ', '?', '#', '\r', '\n', '\0']),
            "{shown}"
        );
        assert!(
            !head.target.query.contains([' ', '#', '\r', '\n', '\0']),
            "{shown}"
        );
        let authority = head.authority.unwrap_or("a");
        assert!(
            authority.bytes().all(|byte| byte.is_ascii_graphic()),
            "{shown}"
        );
        if head.framing == Framing::Chunked {
            assert_eq!(head.fields.all("content-length").count(), 0, "{shown}");
            assert_eq!(head.fields.all("transfer-encoding").count(), 1, "{shown}");
        }
        // The same bytes say the same when more follow.
        let followed = [&input[..length], b"\0"].concat();
        let mut slots = field_slots();
        let again = parse(&followed, &mut slots);
        assert!(
            matches!(again, Ok(Parsed::Complete(_, same)) if same == length),
            "{shown}"
        );
    });
}

#[test]
fn bodies() {
    let entries = [owned(chunked::VALID), owned(chunked::MALFORMED)].concat();
    smoke(11, &entries, |input, random| {
        let length = random.number() % 100;
        for framing in [Framing::Chunked, Framing::Known(length), Framing::None] {
            let run = |pieces: &[&[u8]]| {
                let mut decoder = BodyDecoder::new(framing);
                drive_body(pieces, |input| decoder.next(input))
            };
            let (content, outcome) = run(&[input]);
            let shown = input.escape_ascii();
            assert!(content.len() <= input.len(), "{shown}");
            match outcome {
                Outcome::Ended(taken) => assert!(taken <= input.len(), "{shown}"),
                Outcome::Refused(_) => assert_eq!(framing, Framing::Chunked, "{shown}"),
                Outcome::Open => assert_ne!(framing, Framing::None, "{shown}"),
            }
            assert_eq!(run(&cut(input, random)), (content, outcome), "{shown}");
        }
    });
}

/// Whole forms: each part head, content, preamble and epilogue of the tables.
fn forms() -> Vec<Vec<u8>> {
    let form = |preamble: &[u8], head: &[u8], content: &[u8], epilogue: &[u8]| {
        let parts = [
            preamble,
            b"--xYz\r\n",
            head,
            b"\r\n",
            content,
            b"\r\n--xYz--",
            epilogue,
        ];
        parts.concat()
    };
    let head = multipart_tables::PART_HEADS[4].0;
    let mut forms = owned(multipart_tables::FORMS);
    forms.extend(
        multipart_tables::PART_HEADS
            .iter()
            .map(|(head, ..)| form(b"", head, b"x", b"")),
    );
    forms.extend(
        multipart_tables::REFUSED_PART_HEADS
            .iter()
            .map(|(head, _)| form(b"", head, b"x", b"")),
    );
    forms.extend(
        multipart_tables::CONTENTS
            .iter()
            .map(|content| form(b"", head, content, b"\r\n")),
    );
    forms.extend(
        multipart_tables::PREAMBLES
            .iter()
            .map(|preamble| form(preamble, head, b"x", b"")),
    );
    forms.extend(
        multipart_tables::EPILOGUES
            .iter()
            .map(|epilogue| form(b"", head, b"x", epilogue)),
    );
    forms
}

#[test]
fn forms_of_several_parts() {
    smoke(12, &forms(), |input, random| {
        let (parts, outcome) = multipart::drive(multipart_tables::BOUNDARY, &[input]);
        let shown = input.escape_ascii();
        let content: usize = parts.iter().map(|part| part.content.len()).sum();
        assert!(content <= input.len(), "{shown}");
        for part in &parts {
            let delimiter = b"\r\n--xYz";
            let holds_delimiter = part
                .content
                .windows(delimiter.len())
                .any(|window| window == delimiter);
            assert!(!holds_delimiter, "{shown}");
        }
        if outcome == Ok(true) {
            assert!(
                input.windows(7).any(|window| window == b"--xYz--"),
                "{shown}"
            );
            assert!(parts.iter().all(|part| part.ended), "{shown}");
        }
        let pieces = cut(input, random);
        let in_pieces = multipart::drive(multipart_tables::BOUNDARY, &pieces);
        assert_eq!(in_pieces, (parts, outcome), "{shown}");
    });
}

#[test]
fn values_with_parameters() {
    let entries = [
        parameters::VALID
            .iter()
            .map(|(text, ..)| text.to_vec())
            .collect(),
        parameters::MALFORMED
            .iter()
            .map(|text| text.to_vec())
            .collect(),
        owned(multipart_tables::CONTENT_TYPES),
        disposition::VALID
            .iter()
            .map(|(text, ..)| text.to_vec())
            .collect(),
        disposition::REFUSED
            .iter()
            .map(|text| text.to_vec())
            .collect(),
    ]
    .concat();
    smoke(13, &entries, |input, _| {
        let shown = input.escape_ascii();
        let parsed = Parameterised::parse(input);
        if let Ok(parsed) = &parsed {
            assert!(
                parsed.value.bytes().all(|byte| byte.is_ascii_graphic()),
                "{shown}"
            );
            assert!(
                !parsed.value.bytes().any(|byte| byte.is_ascii_uppercase()),
                "{shown}"
            );
            let name = parsed.get("name").unwrap_or_default();
            assert!(name.len() < input.len(), "{shown}");
        }
        if let Some(boundary) = release_server::http::multipart::boundary(input) {
            assert!((1..=70).contains(&boundary.len()), "{shown}");
            assert!(
                boundary.iter().all(|byte| matches!(byte, b' '..=b'~')),
                "{shown}"
            );
            assert!(!boundary.ends_with(b" "), "{shown}");
        }
        if let Ok(part) = parse_form_data(input) {
            assert_eq!(
                parsed.expect("a value with parameters").value,
                "form-data",
                "{shown}"
            );
            // Decoding makes a name shorter, never longer.
            let filename = part.filename.unwrap_or_default();
            assert!(part.name.len() + filename.len() < input.len(), "{shown}");
        }
    });
}

#[test]
fn ranges() {
    smoke(14, &owned(range::OF_TEN), |input, random| {
        let sizes = [0, 1, 10, 1 << 31, 1 << 40, u64::MAX];
        let size = random.pick(&sizes);
        if let RangeRequest::Part { first, last } = release_server::http::range::parse(input, size)
        {
            assert!(
                first <= last && last < size,
                "{} of {size}",
                input.escape_ascii()
            );
        }
    });
}

fn read_fields(fields: &Fields<'_, '_>, shown: &str) {
    for modified in [
        None,
        Some(UNIX_EPOCH + Duration::from_millis(784_111_777_500)),
    ] {
        let validators = Validators {
            etag: "\"abc\"",
            modified,
        };
        evaluate(fields, validators);
        let now = UNIX_EPOCH + Duration::from_secs(784_111_780);
        let applies = range_applies(fields, validators, now);
        assert!(
            applies || fields.all("if-range").next().is_some(),
            "{shown}"
        );
    }
    for body_is_file in [true, false] {
        if let Ok(Some(digest)) = stated(fields, body_is_file) {
            assert_eq!(digest.hex().len(), 64, "{shown}");
        }
    }
    for member in fields.members("if-none-match") {
        assert!(!member.is_empty() && !member.contains(&b','), "{shown}");
    }
}

#[test]
fn conditions_and_digests() {
    let lines = |lines: &[&str]| lines.join("\r\n").into_bytes();
    let conditions = conditional::CONDITIONS
        .iter()
        .map(|(entry, _)| lines(entry));
    let digests = digest::STATED.iter().map(|(entry, _)| lines(entry));
    let if_ranges = conditional::IF_RANGE
        .iter()
        .map(|(value, _)| format!("If-Range: {value}").into_bytes());
    let entries: Vec<Vec<u8>> = conditions.chain(digests).chain(if_ranges).collect();
    smoke(15, &entries, |input, _| {
        let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", input, b"\r\n\r\n"].concat();
        let mut slots = field_slots();
        if let Ok(Parsed::Complete(head, _)) = parse(&head, &mut slots) {
            read_fields(&head.fields, &input.escape_ascii().to_string());
        }
    });
}
