//! Why an upload is refused, with its status and sentence.
//!
//! Invariant: each sentence names the fault and how to send the file correctly.
//!
//! Sources: docs/contract.md, section 1, "Upload errors" and "Filenames"; RFC 9110, section 14.5 (a
//! partial PUT is 400).

use crate::checksum::Sha256;
use crate::http::digest::DigestError;
use crate::http::multipart::MultipartError;
use crate::limits::{FORM_OVERHEAD_BYTES_MAX, NAME_BYTES_MAX};
use crate::storage::name::NameError;
use crate::text::excerpt;

#[derive(Debug)]
pub enum UploadError {
    /// A name that no package may have.
    Name(String, NameError),
    /// The name of the server's own list of checksums.
    Reserved,
    NotMultipart,
    Multipart(MultipartError),
    /// The form ends before its closing boundary.
    CutShort,
    /// The form has no file in a part named `file`.
    NoFile,
    ManyFiles,
    /// The fields beside the file are too long.
    FormOverhead,
    /// The body is a range of a file.
    Part,
    /// A `PUT` with neither a length nor chunked coding.
    LengthRequired,
    /// The file exceeds the limit, in bytes.
    TooLarge(u64),
    EmptyFile,
    /// A stated digest cannot be parsed.
    Digest(DigestError),
    /// The file has another digest than the stated one.
    DigestMismatch {
        stated: Sha256,
        received: Sha256,
    },
}

impl UploadError {
    pub fn status(&self) -> u16 {
        match self {
            Self::Name(..) | Self::Multipart(_) | Self::CutShort | Self::EmptyFile => 400,
            Self::Digest(_) | Self::DigestMismatch { .. } | Self::Part => 400,
            Self::LengthRequired => 411,
            Self::TooLarge(_) | Self::FormOverhead => 413,
            Self::NotMultipart => 415,
            Self::NoFile | Self::ManyFiles | Self::Reserved => 422,
        }
    }
}

impl std::fmt::Display for UploadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name, why) => write!(
                f,
                "The file name '{}' is not accepted: {why}; a name is 1 to {NAME_BYTES_MAX} \
                 bytes of UTF-8 without '/', '\\' or control characters, does not begin with '.' \
                 and does not end in '.sha256'",
                excerpt(name)
            ),
            Self::Reserved => f.write_str(
                "The name 'SHA256SUMS' is reserved for the server's list of all checksums; \
                 publish the file under another name",
            ),
            Self::NotMultipart => f.write_str(
                "The body is not multipart/form-data with a boundary; send the file as \
                 'curl -F file=@NAME', or with PUT to /assets/NAME",
            ),
            Self::Multipart(error) => write!(f, "The multipart body is malformed: {error}"),
            Self::CutShort => {
                f.write_str("The multipart body is malformed: it ends before its closing boundary")
            }
            Self::NoFile => f.write_str(
                "The form has no file in a part named 'file'; send it as 'curl -F file=@NAME'",
            ),
            Self::ManyFiles => {
                f.write_str("The form has more than one file; send one file per request")
            }
            Self::FormOverhead => write!(
                f,
                "The form's fields other than the file are over {FORM_OVERHEAD_BYTES_MAX} bytes"
            ),
            Self::Part => f.write_str(
                "A package is published whole; send all of the file, without Content-Range",
            ),
            Self::LengthRequired => {
                f.write_str("PUT needs a Content-Length, or Transfer-Encoding: chunked")
            }
            Self::TooLarge(limit) => write!(
                f,
                "The file is over {limit} bytes, the largest size that this server accepts"
            ),
            Self::EmptyFile => f.write_str("The file is empty"),
            Self::Digest(error) => write!(f, "The stated digest cannot be checked: {error}"),
            Self::DigestMismatch { stated, received } => write!(
                f,
                "The file's SHA-256 is {}, not {} as stated; it was not stored",
                received.hex(),
                stated.hex()
            ),
        }
    }
}
