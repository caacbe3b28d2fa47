//! Bodies: the same content however the network cuts them, exactly as long as their framing states.
//!
//! Sources: RFC 9112, sections 6.3 and 7.1; the invariants of `http::body` and `http::chunked`.

use super::cuts;
use super::second_reader::{field, take_line};
use release_server::http::body::BodyDecoder;
use release_server::http::chunked::{Chunk, ChunkError};
use release_server::http::framing::Framing;

/// The state of a body after its bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More bytes are needed.
    Open,
    /// It ended after this many bytes.
    Ended(usize),
    Refused(ChunkError),
}

/// Feeds a decoder piece by piece; returns the content and the state of the body.
pub fn drive<'a>(
    pieces: &[&'a [u8]],
    mut next: impl FnMut(&mut &'a [u8]) -> Result<Chunk<'a>, ChunkError>,
) -> (Vec<u8>, Outcome) {
    let (mut content, mut taken) = (Vec::new(), 0);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match next(&mut rest) {
                Ok(Chunk::Data(data)) => {
                    assert!(!data.is_empty(), "an empty piece of content says nothing");
                    content.extend_from_slice(data);
                }
                Ok(Chunk::NeedMore) => break,
                Ok(Chunk::End) => {
                    taken += piece.len() - rest.len();
                    // Asked again, it is still at the end and takes nothing.
                    let before = rest;
                    assert_eq!(next(&mut rest), Ok(Chunk::End));
                    assert_eq!(rest, before);
                    return (content, Outcome::Ended(taken));
                }
                Err(error) => return (content, Outcome::Refused(error)),
            }
        }
        assert!(
            rest.is_empty(),
            "asked for more and left {}",
            rest.escape_ascii()
        );
        taken += piece.len();
    }
    (content, Outcome::Open)
}

/// The body as one framing delimits it, in these pieces.
pub fn decode(framing: Framing, pieces: &[&[u8]]) -> (Vec<u8>, Outcome) {
    let mut decoder = BodyDecoder::new(framing);
    drive(pieces, |input| decoder.next(input))
}

/// Every property of bodies.
pub fn check(input: &[u8]) {
    let cuts = cuts(input);
    let half = input.len() / 2;
    let lengths = [0, half, input.len(), input.len() + 1].map(|length| length as u64);
    for length in lengths.into_iter().chain([u64::MAX]) {
        check_known(input, &cuts, length);
    }
    let whole = decode(Framing::Chunked, &[input]);
    let shown = input.escape_ascii();
    assert!(whole.0.len() <= input.len(), "{shown}");
    if let (content, Outcome::Ended(taken)) = &whole {
        let second = second_chunked(input);
        assert_eq!(second, Some((content.clone(), *taken)), "{shown}");
    }
    for pieces in &cuts {
        assert_eq!(decode(Framing::Chunked, pieces), whole, "{shown}");
    }
}

/// A body of a known length is exactly that many first bytes of the input.
fn check_known(input: &[u8], cuts: &[Vec<&[u8]>], length: u64) {
    let expected = match usize::try_from(length) {
        Ok(end) if end <= input.len() => (input[..end].to_vec(), Outcome::Ended(end)),
        _ => (input.to_vec(), Outcome::Open),
    };
    let shown = input.escape_ascii();
    for pieces in cuts {
        let decoded = decode(Framing::Known(length), pieces);
        assert_eq!(decoded, expected, "{length}: {shown}");
    }
    let none = decode(Framing::None, &[input]);
    assert_eq!(none, (Vec::new(), Outcome::Ended(0)), "{shown}");
}

/// A second reader of the coding, line by line: the content of a whole body, and its length.
fn second_chunked(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut content, mut rest) = (Vec::new(), input);
    loop {
        let line = take_line(&mut rest)?;
        let digits = line.split(|byte| *byte == b';').next()?;
        let hexadecimal = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| hexadecimal)?;
        let size = usize::from_str_radix(digits, 16).ok()?;
        if size == 0 {
            break;
        }
        content.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    loop {
        match take_line(&mut rest)? {
            [] => return Some((content, input.len() - rest.len())),
            line => drop(field(line)?),
        }
    }
}
