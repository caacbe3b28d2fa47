//! The chunked transfer coding, as a push decoder.
//!
//! Invariants: lines end in CRLF and nothing else; a chunk size is 1 to 16 hexadecimal digits
//! without sign, prefix or blanks; extensions and trailers hold no control characters, are bounded
//! and discarded; no input byte is examined twice. Content is returned as slices of the input,
//! never copied.
//!
//! Source: RFC 9112, sections 7.1 (coding), 7.1.1 (extensions) and 7.1.2 (trailers).

use crate::http::fields::is_token_byte;
use crate::limits::{CHUNK_EXTENSION_BYTES_MAX, TRAILER_BYTES_MAX};

/// Why decoding a chunked body cannot continue. The answer is 400, and the connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkError {
    /// The size line is not hexadecimal digits, an optional extension and CRLF.
    Size,
    /// An extension holds a control character, or the extensions together exceed their bound.
    Extension,
    /// A chunk's content is not followed by CRLF.
    End,
    /// The trailer section is not a list of fields, or exceeds its bound.
    Trailer,
}

impl std::fmt::Display for ChunkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Size => "a chunk's size is not 1 to 16 hexadecimal digits and CRLF",
            Self::Extension => "a chunk's extension is malformed or too long",
            Self::End => "a chunk's content does not end in CRLF",
            Self::Trailer => "the trailer after the last chunk is malformed or too long",
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum ChunkState {
    /// The digits of the size so far.
    Size {
        digits: u8,
        size: u64,
    },
    /// Between `;` and CR.
    Extension {
        size: u64,
    },
    /// After the CR of a size line.
    SizeLf {
        size: u64,
    },
    Content {
        left: u64,
    },
    ContentCr,
    ContentLf,
    /// At the start of a trailer line; a CR here ends the body.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    /// After the CR of the empty line that ends the body.
    LastLf,
    Done,
}

/// What one call of the decoder returns.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    Data(&'a [u8]),
    /// The input is used up.
    NeedMore,
    /// The body is complete; the rest of the input belongs to the next request.
    End,
}

#[derive(Debug)]
pub struct ChunkedDecoder {
    state: ChunkState,
    extension_bytes: usize,
    trailer_bytes: usize,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self {
            state: ChunkState::Size { digits: 0, size: 0 },
            extension_bytes: 0,
            trailer_bytes: 0,
        }
    }
}

impl ChunkedDecoder {
    /// Takes from the front of `input` up to the next piece of content, the end of the body, or the
    /// end of the input.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Chunk<'a>, ChunkError> {
        loop {
            if let ChunkState::Done = self.state {
                return Ok(Chunk::End);
            }
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(Chunk::NeedMore);
            };
            if let ChunkState::Content { left } = self.state {
                let length =
                    usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
                let (data, rest) = input.split_at(length);
                *input = rest;
                self.state = match left - length as u64 {
                    0 => ChunkState::ContentCr,
                    left => ChunkState::Content { left },
                };
                return Ok(Chunk::Data(data));
            }
            *input = rest;
            self.state = self.after(byte)?;
        }
    }

    /// The state after one byte outside of content.
    fn after(&mut self, byte: u8) -> Result<ChunkState, ChunkError> {
        Ok(match (self.state, byte) {
            (ChunkState::Size { digits, size }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < 16 =>
            {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                ChunkState::Size {
                    digits: digits + 1,
                    size: size << 4 | digit,
                }
            }
            (ChunkState::Size { digits: 1.., size }, b'\r') => ChunkState::SizeLf { size },
            (ChunkState::Size { digits: 1.., size }, b';') => ChunkState::Extension { size },
            (ChunkState::Size { .. }, _) => return Err(ChunkError::Size),
            (ChunkState::Extension { size }, b'\r') => ChunkState::SizeLf { size },
            (ChunkState::Extension { .. }, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extension_bytes += 1;
                if self.extension_bytes > CHUNK_EXTENSION_BYTES_MAX {
                    return Err(ChunkError::Extension);
                }
                self.state
            }
            (ChunkState::Extension { .. }, _) => return Err(ChunkError::Extension),
            (ChunkState::SizeLf { size: 0 }, b'\n') => ChunkState::TrailerStart,
            (ChunkState::SizeLf { size }, b'\n') => ChunkState::Content { left: size },
            (ChunkState::SizeLf { .. }, _) => return Err(ChunkError::Size),
            (ChunkState::ContentCr, b'\r') => ChunkState::ContentLf,
            (ChunkState::ContentLf, b'\n') => ChunkState::Size { digits: 0, size: 0 },
            (ChunkState::ContentCr | ChunkState::ContentLf, _) => return Err(ChunkError::End),
            (state, byte) => return self.after_in_trailer(state, byte),
        })
    }

    fn after_in_trailer(&mut self, state: ChunkState, byte: u8) -> Result<ChunkState, ChunkError> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(ChunkError::Trailer);
        }
        match (state, byte) {
            (ChunkState::TrailerStart, b'\r') => Ok(ChunkState::LastLf),
            (ChunkState::TrailerStart | ChunkState::TrailerName, byte) if is_token_byte(byte) => {
                Ok(ChunkState::TrailerName)
            }
            (ChunkState::TrailerName, b':') => Ok(ChunkState::TrailerValue),
            (ChunkState::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                Ok(ChunkState::TrailerValue)
            }
            (ChunkState::TrailerValue, b'\r') => Ok(ChunkState::TrailerLf),
            (ChunkState::TrailerLf, b'\n') => Ok(ChunkState::TrailerStart),
            (ChunkState::LastLf, b'\n') => Ok(ChunkState::Done),
            _ => Err(ChunkError::Trailer),
        }
    }
}
