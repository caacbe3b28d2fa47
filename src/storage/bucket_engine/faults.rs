//! What the store's errors mean for a request.
//!
//! | Error of the store | Meaning |
//! |---|---|
//! | no such object | not found |
//! | throttled, unavailable, conflict, clocks, no such bucket, wrong region | unavailable for now |
//! | refused | the credentials or a lock on the object do not allow it |
//! | another digest than was sent | failed |
//! | full | no space |

use super::object::Object;
use crate::checksum::Sha256;
use crate::s3::{S3Error, S3ErrorKind};
use crate::storage::error::{Failure, FailureReason, StorageError};

fn failure(action: &'static str, name: &str, why: &str) -> Failure {
    Failure {
        action,
        path: name.to_owned(),
        error: FailureReason::Store(why.into()),
    }
}

/// The error of an operation on the object with this name; `action` completes "cannot …".
pub fn of(action: &'static str, name: &str, error: &S3Error) -> StorageError {
    let failure = failure(action, name, &error.why);
    match error.kind {
        S3ErrorKind::NotFound => StorageError::NotFound,
        // Only where the object changed: the caller asked for one state of it.
        S3ErrorKind::PreconditionFailed | S3ErrorKind::NotModified => StorageError::NotFound,
        S3ErrorKind::Full => StorageError::NoSpace(failure),
        S3ErrorKind::DigestMismatch | S3ErrorKind::Invalid => StorageError::Failed(failure),
        S3ErrorKind::Refused
        | S3ErrorKind::Conflict
        | S3ErrorKind::Throttled
        | S3ErrorKind::Unavailable
        | S3ErrorKind::ClockSkew
        | S3ErrorKind::NoSuchBucket
        | S3ErrorKind::WrongRegion => StorageError::Unavailable(failure),
    }
}

/// The same for a delete, which a lock on the object may forbid.
pub fn of_delete(name: &str, error: &S3Error) -> StorageError {
    match error.kind {
        S3ErrorKind::Refused => StorageError::Refused(failure("delete", name, &error.why)),
        _ => of("delete", name, error),
    }
}

/// Other servers change the name again and again.
pub fn contended(name: &str) -> StorageError {
    let why = "other servers change it at the same moment";
    StorageError::Unavailable(failure("change the package", name, why))
}

/// The store has not answered in time.
pub fn silent(action: &'static str, name: &str) -> StorageError {
    StorageError::Unavailable(failure(action, name, "the store does not answer"))
}

/// The store refuses a write under the condition of the object's own entity tag.
pub fn no_conditions(name: &str) -> StorageError {
    let why = "the store refuses the ETag that it states itself; send no If-Match";
    StorageError::Unavailable(failure("store the package", name, why))
}

/// Whether the store may have done what was asked although it did not say so.
pub fn may_have_arrived(error: &S3Error) -> bool {
    matches!(
        error.kind,
        S3ErrorKind::Unavailable | S3ErrorKind::Conflict | S3ErrorKind::Throttled
    )
}

/// Whether another try may succeed.
pub fn is_passing(error: &StorageError) -> bool {
    matches!(error, StorageError::Unavailable(_))
}

/// The store does not answer as it should at the moment.
pub fn unavailable(action: &'static str, object: &Object, why: &str) -> StorageError {
    StorageError::Unavailable(failure(action, object.package.name.as_str(), why))
}

/// The bytes are not those whose digest is stored with them.
pub fn damaged(
    action: &'static str,
    object: &Object,
    stated: &Sha256,
    actual: &Sha256,
) -> StorageError {
    let (stated, actual) = (stated.hex(), actual.hex());
    let why = format!("its bytes have the SHA-256 {actual}, its metadata says {stated}");
    StorageError::Failed(failure(action, object.package.name.as_str(), &why))
}
