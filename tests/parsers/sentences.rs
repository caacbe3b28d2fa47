//! The sentence of each error of the parsers, word by word: clients and operators read them.
//!
//! Source: docs/contract.md, section 1, "Errors".

use release_server::http::chunked::ChunkError;
use release_server::http::digest::DigestError;
use release_server::http::framing::FramingError;
use release_server::http::head::HeadError;
use release_server::http::multipart::MultipartError;
use release_server::http::target::TargetError;
use release_server::storage::name::NameError;

fn assert_sentences(sentences: &[(&dyn std::fmt::Display, &str)]) {
    for (error, sentence) in sentences {
        assert_eq!(error.to_string(), *sentence);
    }
}

#[test]
fn heads_are_refused_with_these_sentences() {
    assert_sentences(&[
        (
            &HeadError::TooLong,
            "The request's head is over the limit of 16384 bytes",
        ),
        (
            &HeadError::TooManyFields,
            "The request has over 64 header fields, which is the limit",
        ),
        (
            &HeadError::Version,
            "The HTTP version is not supported; send HTTP/1.1 or HTTP/1.0",
        ),
        (
            &HeadError::BareLineFeed,
            "The request's head has a line that ends in LF alone; lines end in CRLF",
        ),
        (
            &HeadError::Syntax(httparse::Error::HeaderName),
            "The request's head is malformed: invalid header name",
        ),
        (
            &HeadError::Target(TargetError::Form),
            "The request target is malformed: it must be a path that begins with '/', or an \
             absolute http URL",
        ),
        (
            &HeadError::Target(TargetError::Fragment),
            "The request target is malformed: '#' and what follows it is not sent to a server",
        ),
        (
            &HeadError::Host,
            "The Host header is missing, repeated, or not a host of at most 255 bytes with an optional \
             port",
        ),
        (
            &HeadError::Framing(FramingError::TwoLengths),
            "The body's length is ambiguous: more than one Content-Length; send exactly one",
        ),
    ]);
}

#[test]
fn bodies_are_refused_with_these_sentences() {
    assert_sentences(&[
        (
            &FramingError::LengthSyntax,
            "Content-Length is not a number; it takes decimal digits alone",
        ),
        (
            &FramingError::LengthWithCoding,
            "both Content-Length and Transfer-Encoding; send only one of them",
        ),
        (
            &FramingError::UnknownCoding,
            "unknown Transfer-Encoding; only 'chunked' is accepted, once",
        ),
        (
            &FramingError::CodingInOldVersion,
            "Transfer-Encoding in HTTP/1.0; send a Content-Length",
        ),
        (
            &ChunkError::Size,
            "a chunk's size is not 1 to 16 hexadecimal digits and CRLF",
        ),
        (
            &ChunkError::Extension,
            "a chunk's extension is malformed or too long",
        ),
        (&ChunkError::End, "a chunk's content does not end in CRLF"),
        (
            &ChunkError::Trailer,
            "the trailer after the last chunk is malformed or too long",
        ),
    ]);
}

#[test]
fn uploads_are_refused_with_these_sentences() {
    assert_sentences(&[
        (
            &DigestError::DigestField("Repr-Digest"),
            "Repr-Digest is malformed; it takes sha-256=:<base64 of 32 bytes>:",
        ),
        (
            &DigestError::Checksum,
            "X-Checksum-Sha256 is malformed; it takes 64 hexadecimal digits",
        ),
        (
            &DigestError::Contradiction,
            "the stated SHA-256 values differ from each other",
        ),
        (
            &MultipartError::Delimiter,
            "a boundary is followed by neither '--' nor the end of the line",
        ),
        (
            &MultipartError::HeadTooLong,
            "a part's head is over 8192 bytes",
        ),
        (
            &MultipartError::Head,
            "a part's head is not a list of header fields",
        ),
        (
            &MultipartError::Disposition,
            "a part has no valid 'Content-Disposition: form-data' with a name",
        ),
        (
            &MultipartError::TransferEncoding,
            "a part has a Content-Transfer-Encoding; send its bytes as they are",
        ),
        (&NameError::Empty, "it is empty"),
        (&NameError::TooLong, "it is over 240 bytes"),
        (&NameError::Hidden, "it begins with '.'"),
        (
            &NameError::Reserved,
            "names ending in '.sha256' are for checksums",
        ),
        (&NameError::NotUtf8, "it is not UTF-8"),
        (&NameError::Character('/'), "it holds '/'"),
        (&NameError::Character('\n'), "it holds '\\n'"),
    ]);
}
