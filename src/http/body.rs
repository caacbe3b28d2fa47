//! The body of a request, decoded as its bytes arrive, whichever framing it has.
//!
//! Invariant: the decoder never takes a byte that belongs to the next request.
//!
//! Source: RFC 9112, section 6.

use crate::http::chunked::{Chunk, ChunkError, ChunkedDecoder};
use crate::http::framing::Framing;

#[derive(Debug)]
pub enum BodyDecoder {
    /// Delimited by its length: the number of bytes still to arrive.
    Known(u64),
    Chunked(ChunkedDecoder),
}

impl BodyDecoder {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::None => Self::Known(0),
            Framing::Known(length) => Self::Known(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::default()),
        }
    }

    /// Takes from the front of `input` up to the next piece of content, the end of the body, or the
    /// end of the input.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Chunk<'a>, ChunkError> {
        match self {
            Self::Chunked(decoder) => decoder.next(input),
            Self::Known(0) => Ok(Chunk::End),
            Self::Known(_) if input.is_empty() => Ok(Chunk::NeedMore),
            Self::Known(left) => {
                let length =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                let (data, rest) = input.split_at(length);
                *input = rest;
                *left -= length as u64;
                Ok(Chunk::Data(data))
            }
        }
    }

    /// Bytes still to arrive; unknown for a chunked body.
    pub fn bytes_left(&self) -> Option<u64> {
        match self {
            Self::Known(left) => Some(*left),
            Self::Chunked(_) => None,
        }
    }
}
