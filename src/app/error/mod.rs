//! What a client is told when something is not done: the only place that knows a status and its sentence.
//!
//! Invariants: every error is JSON with `detail` and `message`, the same clear sentence in both (the Python server's
//! clients read the first, GitHub's the second), or, for a browser, a page with that sentence; a 404's sentence begins
//! with `Not Found`; a sentence names the thing and what is accepted, and never a path of the server.
//!
//! Sources: the project's contract, section 1; RFC 9110, section 15; RFC 6750, section 3 (401).

mod release;
mod upload;

pub use release::ReleaseError;
pub use upload::UploadError;

use crate::app::views;
use crate::http::chunked::ChunkError;
use crate::http::digest::Sha256;
use crate::http::head::HeadError;
use crate::http::response::Response;
use crate::http::service::Refusal;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::storage::StorageError;
use crate::storage::error::Failure;
use serde_json::json;

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub enum ApiError {
    /// The head was refused.
    Head(HeadError),
    /// The rest of a head or of a body did not come in time.
    Timeout,
    /// The connection ended in the middle of the body.
    BodyCutShort,
    /// A chunked body is malformed.
    Chunks(ChunkError),
    /// Nothing is served at this path.
    NoSuchPath(String),
    /// There is no package of this name.
    NoSuchPackage(String),
    /// There is no release of this tag or id.
    NoSuchRelease(String),
    /// No package has a name that this pattern stands for.
    NoMatch(String),
    /// The path is known, the method is not.
    MethodNotAllowed(&'static str),
    /// A write without the token.
    Unauthorized(&'static str),
    /// An `Expect` that is not understood.
    Expectation,
    /// A query parameter with a value it does not take.
    Parameter {
        /// Its name.
        name: &'static str,
        /// What came.
        value: String,
        /// What it takes.
        takes: &'static str,
    },
    /// A header of a trusted proxy that cannot be used.
    Forwarded(&'static str),
    /// An upload is refused.
    Upload(UploadError),
    /// Something that GitHub's clients ask for is refused.
    Release(ReleaseError),
    /// A name that is taken by a package.
    Exists(String, Option<Sha256>),
    /// A name that is taken by something that is no package.
    Occupied(String),
    /// A range beyond the end of a file of so many bytes.
    Range(u64),
    /// An `If-Match` or `If-Unmodified-Since` that does not hold.
    Precondition,
    /// A checksum that is still to be computed.
    ChecksumPending(String),
    /// No space for the upload.
    NoSpace(Failure),
    /// The storage directory's lock could not be had.
    Busy,
    /// The storage directory cannot be used now.
    Unavailable(Failure),
    /// Slow clients hold as much memory as they may.
    Overloaded,
    /// The server is about to stop.
    Draining,
    /// An operation on the storage directory failed.
    Storage(Failure),
    /// A handler panicked.
    Panic,
    /// HTTP in clear on the port that speaks TLS.
    ClearOnTls,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Head(error) => Self::Head(error),
            Refusal::Timeout => Self::Timeout,
            Refusal::BodyCutShort => Self::BodyCutShort,
            Refusal::Chunks(error) => Self::Chunks(error),
            Refusal::Overloaded => Self::Overloaded,
            Refusal::Panic => Self::Panic,
            Refusal::ClearOnTls => Self::ClearOnTls,
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

impl From<ReleaseError> for ApiError {
    fn from(error: ReleaseError) -> Self {
        Self::Release(error)
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NotFound => Self::NoSuchPackage(String::new()),
            StorageError::Exists(sha256) => Self::Exists(String::new(), sha256),
            StorageError::Occupied => Self::Occupied(String::new()),
            StorageError::NoSpace(failure) => Self::NoSpace(failure),
            StorageError::Busy => Self::Busy,
            StorageError::Unavailable(failure) => Self::Unavailable(failure),
            StorageError::Failed(failure) => Self::Storage(failure),
        }
    }
}

impl ApiError {
    /// The error of an operation on the package called `name`.
    pub fn about(name: &str, error: StorageError) -> Self {
        match error.into() {
            Self::NoSuchPackage(_) => Self::NoSuchPackage(name.to_owned()),
            Self::Exists(_, sha256) => Self::Exists(name.to_owned(), sha256),
            Self::Occupied(_) => Self::Occupied(name.to_owned()),
            other => other,
        }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Head(HeadError::TooLong | HeadError::TooManyFields) => 431,
            Self::Head(HeadError::Version) => 505,
            Self::Head(_) => 400,
            Self::BodyCutShort | Self::Chunks(_) | Self::Forwarded(_) => 400,
            Self::Upload(error) => error.status(),
            Self::Release(error) => error.status(),
            Self::ClearOnTls => 400,
            Self::Unauthorized(_) => 401,
            Self::NoSuchPath(_) | Self::NoSuchPackage(_) => 404,
            Self::NoSuchRelease(_) | Self::NoMatch(_) => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::Timeout => 408,
            Self::Exists(..) | Self::Occupied(_) => 409,
            Self::Precondition => 412,
            Self::Range(_) => 416,
            Self::Expectation => 417,
            Self::Parameter { .. } => 422,
            Self::Storage(_) | Self::Panic => 500,
            Self::ChecksumPending(_) | Self::Busy | Self::Unavailable(_) => 503,
            Self::Overloaded | Self::Draining => 503,
            Self::NoSpace(_) => 507,
        }
    }

    /// The sentence.
    fn sentence(&self) -> String {
        match self {
            Self::Head(error) => error.to_string(),
            Self::ClearOnTls => {
                "This port speaks HTTPS; ask with https:// in place of http://".to_owned()
            }
            Self::Timeout => "The request did not arrive in time".to_owned(),
            Self::BodyCutShort => "The connection ended before the body was complete".to_owned(),
            Self::Chunks(error) => format!("The chunked body is malformed: {error}"),
            Self::NoSuchPath(path) => format!("Not Found: nothing is served at '{}'", short(path)),
            Self::NoSuchPackage(name) => {
                format!("Not Found: there is no package '{}'", short(name))
            }
            Self::NoSuchRelease(tag) => {
                format!("Not Found: there is no release '{}'", short(tag))
            }
            Self::NoMatch(pattern) => format!(
                "Not Found: no package has a name that '{}' stands for",
                short(pattern)
            ),
            Self::MethodNotAllowed(allow) => {
                format!("The method is not allowed here; allowed are {allow}")
            }
            Self::Unauthorized(why) => (*why).to_owned(),
            Self::Expectation => {
                "The Expect header is not understood; only '100-continue' is".to_owned()
            }
            Self::Parameter { name, value, takes } => format!(
                "The query parameter '{name}' does not take '{}'; it takes {takes}",
                short(value)
            ),
            Self::Forwarded(name) => {
                format!("The {name} header, which this server trusts, is malformed")
            }
            Self::Upload(error) => error.to_string(),
            Self::Release(error) => error.to_string(),
            Self::Exists(name, _) => format!(
                "'{}' exists already; publish with overwrite=true to replace a package",
                short(name)
            ),
            Self::Occupied(name) => format!(
                "'{}' is taken by something in the storage directory that is no package, and is never replaced",
                short(name)
            ),
            Self::Range(size) => {
                format!("The range begins beyond the end of the file, which has {size} bytes")
            }
            Self::Precondition => {
                "What is there is not the version that If-Match or If-Unmodified-Since names"
                    .to_owned()
            }
            Self::ChecksumPending(name) => format!(
                "The checksum of '{}' is still being computed; ask again in a moment",
                short(name)
            ),
            Self::NoSpace(_) => "There is not enough space left in the storage".to_owned(),
            Self::Busy => "Another server holds the storage directory's lock; try again".to_owned(),
            Self::Unavailable(failure) => format!(
                "The storage cannot be used at the moment: cannot {}: {}",
                failure.action, failure.error
            ),
            Self::Overloaded => "Slow clients hold all memory that they may; try again".to_owned(),
            Self::Draining => "The server is shutting down".to_owned(),
            Self::Storage(failure) => format!(
                "The storage failed: cannot {}: {}",
                failure.action, failure.error
            ),
            Self::Panic => {
                "The server made a mistake with this request; its log says more".to_owned()
            }
        }
    }

    /// The answer for programs.
    pub fn into_response(self) -> Response {
        let sentence = self.sentence();
        let mut body = json!({ "detail": sentence, "message": sentence });
        match &self {
            Self::Exists(_, sha256) => body["sha256"] = json!(sha256.map(|sha256| sha256.hex())),
            Self::Occupied(_) => body["sha256"] = json!(null),
            _ => {}
        }
        self.head().body("application/json", body.to_string())
    }

    /// The answer for people: the same sentence on a page. `way_back` is the path of the package page, where it is known.
    pub fn into_page(self, way_back: Option<&str>) -> Response {
        let head = self.head();
        let reason = head.status.default_reason_phrase();
        let page = views::error(head.status.0, reason, &self.sentence(), way_back);
        let with = |head: Response, (name, value)| head.header(name, value);
        let head = views::headers().into_iter().fold(head, with);
        head.body(views::CONTENT_TYPE, page)
    }

    /// Status and headers. What someone has to look into is logged here, once.
    fn head(&self) -> Response {
        if let Self::Storage(failure) | Self::Unavailable(failure) | Self::NoSpace(failure) = self {
            let error = failure.error.to_string();
            log::error!(path = failure.path.as_str(), error = error.as_str(); "cannot {}", failure.action);
        }
        let response = Response::new(self.status()).header("Cache-Control", "no-store");
        match self {
            Self::MethodNotAllowed(allow) => response.header("Allow", allow),
            Self::Unauthorized(_) => response.header("WWW-Authenticate", "Bearer"),
            Self::Range(size) => response.header("Content-Range", &format!("bytes */{size}")),
            Self::ChecksumPending(_)
            | Self::Busy
            | Self::Unavailable(_)
            | Self::Overloaded
            | Self::Draining => response.header("Retry-After", &RETRY_AFTER_SECONDS.to_string()),
            _ => response,
        }
    }
}

/// As much of a client's text as a sentence needs.
fn short(text: &str) -> String {
    const CHARACTERS_MAX: usize = 256;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
