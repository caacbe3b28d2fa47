//! Errors as clients see them: the only place that knows an error's status and sentence.
//!
//! Invariants: every error is JSON with `detail` and `message`, the same clear sentence in both
//! (the Python server's clients read the first, GitHub's the second), or, for a browser, a page
//! with that sentence; a 404's sentence begins with `Not Found`; a sentence names the thing and
//! what is accepted, and never a path on the server.
//!
//! Sources: docs/contract.md, section 1; RFC 9110, section 15; RFC 6750, section 3 (401).

mod not_found;
mod release;
mod token;
mod upload;

pub use not_found::NotFound;
pub use release::ReleaseError;
pub use token::TokenError;
pub use upload::UploadError;

use crate::app::views;
use crate::awaited::Awaited;
use crate::checksum::Sha256;
use crate::http::chunked::ChunkError;
use crate::http::head::HeadError;
use crate::http::response::Response;
use crate::http::service::Refusal;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::manifest::outcome::Unlisted;
use crate::storage::StorageError;
use crate::storage::error::Failure;
use crate::text::excerpt;
use serde_json::json;
use std::sync::Arc;

/// Why a request fails.
#[derive(Debug)]
pub enum ApiError {
    Head(HeadError),
    /// The rest of a head or body did not arrive in time.
    Timeout,
    /// The connection ended before the head did.
    HeadCutShort,
    /// The connection ended before the body did.
    BodyCutShort,
    /// The chunked coding of a body is malformed.
    Chunks(ChunkError),
    NotFound(NotFound),
    /// The methods that the path allows.
    MethodNotAllowed(&'static str),
    /// The sentence about a write without a token.
    Unauthorized(&'static str),
    Token(TokenError),
    /// An `Expect` that is not understood.
    Expectation,
    /// A query parameter with a value that it does not take.
    Parameter {
        name: &'static str,
        value: String,
        takes: &'static str,
    },
    /// The name of a malformed field of a trusted proxy.
    Forwarded(&'static str),
    Upload(UploadError),
    Release(ReleaseError),
    /// A package has this name; its checksum, if known.
    Exists(String, Option<Sha256>),
    /// A directory entry that is not a package has this name.
    Occupied(String),
    /// A range beyond the end of a file of this many bytes.
    Range(u64),
    /// A condition of the request does not hold.
    Precondition,
    /// The checksum of the package with this name is not computed yet.
    ChecksumPending(String),
    /// So many packages were not read yet, or have no checksum yet.
    CatalogPending(usize),
    NoSpace(Failure),
    /// The reply needs what another thread finds out.
    Pending(Arc<dyn Awaited>),
    /// The object store refuses a change of this package.
    StoreRefuses(String, Failure),
    /// Too many changes wait for the disk.
    QueueFull,
    /// Calls to the disk do not return.
    DiskHangs,
    /// Another process holds the storage directory's lock.
    Busy,
    /// The storage directory cannot be used at the moment.
    Unavailable(Failure),
    /// Slow clients hold all memory that is available for answers.
    Overloaded,
    /// The server is shutting down.
    Draining,
    /// An operation on the storage directory failed.
    Storage(Failure),
    /// A handler panicked.
    Panic,
    /// HTTP in clear on the port that speaks TLS.
    ClearOnTls,
    /// A write over HTTP in clear, to a server that speaks HTTPS.
    WriteInClear,
}

const EXPECTATION: &str = "The Expect header is not understood; only '100-continue' is";
const PRECONDITION: &str =
    "The package is not as If-Match, If-None-Match or If-Unmodified-Since requires";
const OVERLOADED: &str = "Slow clients hold all memory available for answers; try again";
const PANIC: &str = "The server failed to handle this request; its log has the details";
const CLEAR_ON_TLS: &str = "This port speaks HTTPS; ask with https:// in place of http://";
const WRITE_IN_CLEAR: &str = "Publish and delete over HTTPS; a token that was sent over plain HTTP \
                              can be read on the way, so replace it";

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Head(error) => Self::Head(error),
            Refusal::Timeout => Self::Timeout,
            Refusal::HeadCutShort => Self::HeadCutShort,
            Refusal::BodyCutShort => Self::BodyCutShort,
            Refusal::Chunks(error) => Self::Chunks(error),
            Refusal::Overloaded => Self::Overloaded,
            Refusal::Panic => Self::Panic,
            Refusal::ClearOnTls => Self::ClearOnTls,
        }
    }
}

impl From<NotFound> for ApiError {
    fn from(error: NotFound) -> Self {
        Self::NotFound(error)
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
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
            StorageError::NotFound => Self::NotFound(NotFound::Package(String::new())),
            StorageError::Exists(sha256) => Self::Exists(String::new(), sha256),
            StorageError::Occupied => Self::Occupied(String::new()),
            StorageError::PreconditionFailed => Self::Precondition,
            StorageError::Duplicate => UploadError::Unlisted(Unlisted::duplicate()).into(),
            StorageError::Unread(packages) => Self::CatalogPending(packages),
            // Whoever asked to replace it knows the token, and has a better sentence.
            StorageError::OverwriteForbidden => Self::Exists(String::new(), None),
            StorageError::QueueFull => Self::QueueFull,
            StorageError::DiskHangs => Self::DiskHangs,
            StorageError::NoSpace(failure) => Self::NoSpace(failure),
            StorageError::Busy => Self::Busy,
            StorageError::Pending(awaited) => Self::Pending(awaited),
            StorageError::Refused(failure) => Self::StoreRefuses(String::new(), failure),
            StorageError::Unavailable(failure) => Self::Unavailable(failure),
            StorageError::Failed(failure) => Self::Storage(failure),
        }
    }
}

fn refused_by_store(name: &str, failure: &Failure) -> String {
    let name = excerpt(name);
    format!("The object store refuses to {} '{name}'", failure.action)
}

impl ApiError {
    /// The error of an operation on the package called `name`.
    pub fn about(name: &str, error: StorageError) -> Self {
        match error.into() {
            Self::NotFound(_) => Self::NotFound(NotFound::Package(name.to_owned())),
            Self::Exists(_, sha256) => Self::Exists(name.to_owned(), sha256),
            Self::Occupied(_) => Self::Occupied(name.to_owned()),
            Self::StoreRefuses(_, failure) => Self::StoreRefuses(name.to_owned(), failure),
            other => other,
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Head(HeadError::TooLong | HeadError::TooManyFields) => 431,
            Self::Head(HeadError::Version) => 505,
            Self::Head(_) => 400,
            Self::HeadCutShort | Self::BodyCutShort | Self::Chunks(_) | Self::Forwarded(_) => 400,
            Self::Upload(error) => error.status(),
            Self::Release(error) => error.status(),
            Self::ClearOnTls => 400,
            Self::Unauthorized(_) => 401,
            Self::Token(error) => error.status(),
            Self::WriteInClear | Self::StoreRefuses(..) => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::Timeout => 408,
            Self::Exists(..) | Self::Occupied(_) => 409,
            Self::Precondition => 412,
            Self::Range(_) => 416,
            Self::Expectation => 417,
            Self::Parameter { .. } => 422,
            Self::Storage(_) | Self::Panic => 500,
            Self::ChecksumPending(_) | Self::CatalogPending(_) => 503,
            Self::Busy | Self::Unavailable(_) | Self::Pending(_) => 503,
            Self::Overloaded | Self::QueueFull | Self::DiskHangs | Self::Draining => 503,
            Self::NoSpace(_) => 507,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Head(error) => error.to_string(),
            Self::ClearOnTls => CLEAR_ON_TLS.into(),
            Self::WriteInClear => WRITE_IN_CLEAR.into(),
            Self::Timeout => "The request did not arrive in time".into(),
            Self::HeadCutShort => "The connection ended before the head was complete".into(),
            Self::BodyCutShort => "The connection ended before the body was complete".into(),
            Self::Chunks(error) => format!("The chunked body is malformed: {error}"),
            Self::MethodNotAllowed(allow) => {
                format!("The method is not allowed here; the allowed methods are {allow}")
            }
            Self::Unauthorized(why) => (*why).into(),
            Self::Token(error) => error.to_string(),
            Self::Expectation => EXPECTATION.into(),
            Self::Parameter { name, value, takes } => format!(
                "The query parameter '{name}' does not take '{}'; it takes {takes}",
                excerpt(value)
            ),
            Self::Forwarded(name) => {
                format!("The {name} header, which this server trusts, is malformed")
            }
            Self::NotFound(error) => error.to_string(),
            Self::Upload(error) => error.to_string(),
            Self::Release(error) => error.to_string(),
            Self::Exists(name, _) => format!(
                "'{}' exists already; publish with overwrite=true to replace a package",
                excerpt(name)
            ),
            Self::Range(size) => {
                format!("The range begins beyond the end of the file, which has {size} bytes")
            }
            Self::Precondition => PRECONDITION.into(),
            Self::Occupied(name) => format!(
                "'{}' is the name of an entry in the storage directory that is not a package; \
                 such entries are never replaced",
                excerpt(name)
            ),
            Self::ChecksumPending(name) => format!(
                "The checksum of '{}' is still being computed; ask again in a moment",
                excerpt(name)
            ),
            Self::CatalogPending(packages) => format!(
                "The catalog is not complete yet: {packages} packages are still being read; ask \
                 again in a moment"
            ),
            Self::NoSpace(_) => "There is not enough space left in the storage".into(),
            Self::Busy => "Another server holds the storage directory's lock; try again".into(),
            Self::Unavailable(failure) => format!(
                "The storage cannot be used at the moment: cannot {}: {}",
                failure.action,
                failure.error.public()
            ),
            Self::Storage(failure) => format!(
                "The storage failed: cannot {}: {}",
                failure.action,
                failure.error.public()
            ),
            Self::DiskHangs => "The disk does not answer; try again".into(),
            Self::Pending(_) => "The storage does not answer yet; try again".into(),
            Self::StoreRefuses(name, failure) => refused_by_store(name, failure),
            Self::QueueFull => "Too many changes are waiting for the disk; try again".into(),
            Self::Overloaded => OVERLOADED.into(),
            Self::Draining => "The server is shutting down".into(),
            Self::Panic => PANIC.into(),
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
        self.head().body("application/json", format!("{body}\n"))
    }

    /// The answer for people: the same sentence on a page. `way_back` is the path of the package
    /// page, if it is known.
    pub fn into_page(self, way_back: Option<&str>) -> Response {
        let head = self.head();
        let reason = head.status.default_reason_phrase();
        let page = views::error(head.status.0, reason, &self.sentence(), way_back);
        let with = |head: Response, (name, value)| head.header(name, value);
        let head = views::headers().into_iter().fold(head, with);
        head.body(views::CONTENT_TYPE, page)
    }

    /// Status and headers. Failures that an operator must examine are logged here, once.
    fn head(&self) -> Response {
        if let Self::Storage(failure)
        | Self::Unavailable(failure)
        | Self::NoSpace(failure)
        | Self::StoreRefuses(_, failure) = self
        {
            let error = failure.error.to_string();
            log::error!(
                path = failure.path.as_str(), error = error.as_str();
                "cannot {}", failure.action
            );
        }
        let response = Response::new(self.status()).header("Cache-Control", "no-store");
        match self {
            Self::MethodNotAllowed(allow) => response.header("Allow", allow),
            Self::Unauthorized(_) => response.header("WWW-Authenticate", "Bearer"),
            Self::Token(error) => match error.status() {
                401 => response.header("WWW-Authenticate", "Bearer"),
                503 => response.header("Retry-After", &RETRY_AFTER_SECONDS.to_string()),
                _ => response,
            },
            Self::Range(size) => response.header("Content-Range", &format!("bytes */{size}")),
            Self::ChecksumPending(_)
            | Self::CatalogPending(_)
            | Self::Busy
            | Self::Pending(_)
            | Self::Unavailable(_)
            | Self::Overloaded
            | Self::QueueFull
            | Self::DiskHangs
            | Self::Draining => response.header("Retry-After", &RETRY_AFTER_SECONDS.to_string()),
            _ => response,
        }
    }
}
