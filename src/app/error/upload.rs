//! Why an upload is refused, and the sentence about it.
//!
//! Invariant: each sentence names what was wrong and how to send it right; [`super::ApiError`] gives it its status.
//!
//! Sources: the project's contract, section 1, "Upload errors" and "Filenames"; RFC 9110, section 14.5 (a part is 400).

use crate::checksum::Sha256;
use crate::http::digest::DigestError;
use crate::http::multipart::MultipartError;
use crate::limits::{FORM_OVERHEAD_BYTES_MAX, NAME_BYTES_MAX};
use crate::storage::name::NameError;
use crate::text::excerpt;

/// Why an upload is refused.
#[derive(Debug)]
pub enum UploadError {
    /// A name that no package may have.
    Name(String, NameError),
    /// The body is no form.
    NotMultipart,
    /// The form cannot be read.
    Multipart(MultipartError),
    /// The form ends before its closing boundary.
    CutShort,
    /// The form has no file in a part named `file`.
    NoFile,
    /// The form has more than one file.
    ManyFiles,
    /// Fields beside the file are too long.
    FormOverhead,
    /// The body is a part of a file.
    Part,
    /// A `PUT` without a length.
    LengthRequired,
    /// The file is over the limit, in bytes.
    TooLarge(u64),
    /// The file has no content.
    EmptyFile,
    /// A stated digest cannot be read.
    Digest(DigestError),
    /// A stated digest is not the file's.
    DigestMismatch {
        /// What the client stated.
        stated: Sha256,
        /// What arrived.
        received: Sha256,
    },
}

impl UploadError {
    /// The status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Name(..) | Self::Multipart(_) | Self::CutShort | Self::EmptyFile => 400,
            Self::Digest(_) | Self::DigestMismatch { .. } | Self::Part => 400,
            Self::LengthRequired => 411,
            Self::TooLarge(_) | Self::FormOverhead => 413,
            Self::NotMultipart => 415,
            Self::NoFile | Self::ManyFiles => 422,
        }
    }
}

impl std::fmt::Display for UploadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name, why) => write!(
                f,
                "The file name '{}' is not accepted: {why}; a name is 1 to {NAME_BYTES_MAX} bytes of UTF-8 without \
                 '/', '\\' or control characters, does not begin with '.' and does not end in '.sha256'",
                excerpt(name)
            ),
            Self::NotMultipart => f.write_str(
                "The body is not multipart/form-data with a boundary; send the file as 'curl -F file=@NAME', or with \
                 PUT to /assets/NAME",
            ),
            Self::Multipart(error) => write!(f, "The multipart body is malformed: {error}"),
            Self::CutShort => f.write_str(
                "The multipart body is malformed: it ends before its closing boundary",
            ),
            Self::NoFile => f.write_str(
                "The form has no file in a part named 'file'; send it as 'curl -F file=@NAME'",
            ),
            Self::ManyFiles => {
                f.write_str("The form has more than one file; send one file per request")
            }
            Self::FormOverhead => write!(
                f,
                "The form's fields beside the file are over {FORM_OVERHEAD_BYTES_MAX} bytes"
            ),
            Self::Part => f.write_str(
                "A package is published whole; send all of the file, without Content-Range",
            ),
            Self::LengthRequired => {
                f.write_str("PUT needs a Content-Length, or Transfer-Encoding: chunked")
            }
            Self::TooLarge(limit) => write!(
                f,
                "The file is over {limit} bytes, the most that this server takes"
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
