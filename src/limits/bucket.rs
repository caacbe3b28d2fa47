//! Limits of packages in a bucket.

use super::{KIB, MIB};
use std::time::Duration;

/// The prefix of a bucket's keys: a key has at most 1,024 bytes, of which a name takes 240.
pub const BUCKET_PREFIX_BYTES_MAX: usize = 512;

/// A list of 1,000 objects with long names and every field that stores add.
pub const LIST_PAGE_BYTES_MAX: usize = 8 * MIB;
/// The description of an error.
pub const S3_ERROR_BYTES_MAX: usize = 64 * KIB;
/// How often a request is sent until it is answered.
pub const S3_TRIES_MAX: u32 = 4;
/// No request is sent again after this time: a store that hangs costs a client one silence.
pub const S3_TRIES_TIME_MAX: Duration = Duration::from_secs(20);
/// The pause before the second try; each further one is four times as long. Half of it is random,
/// so that servers that failed together do not return together.
pub const S3_FIRST_PAUSE: Duration = Duration::from_millis(100);
pub const S3_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Clocks that differ by more make a store refuse signatures (it allows 15 minutes).
pub const CLOCK_SKEW_MAX: Duration = Duration::from_mins(5);
/// Simultaneous creates of the probe at the start.
pub const PROBE_CREATES: usize = 8;
/// An answer with credentials.
pub const CREDENTIALS_BYTES_MAX: usize = 64 * KIB;
/// A file with a key or a token; tokens of Kubernetes have 1 to 2 KiB.
pub const CREDENTIAL_FILE_BYTES_MAX: usize = 16 * KIB;
/// A request for credentials, from its beginning to its end.
pub const CREDENTIALS_TIME_MAX: Duration = Duration::from_secs(5);
/// Credentials are fetched again so long before they expire.
pub const CREDENTIALS_MARGIN: Duration = Duration::from_mins(5);
/// Those without a date are fetched again after this time.
pub const CREDENTIALS_UNDATED_TIME: Duration = Duration::from_mins(5);
/// How long a source that failed is left alone.
pub const CREDENTIALS_PAUSE: Duration = Duration::from_secs(1);
/// A presigned URL ends so long before the credentials that signed it.
pub const PRESIGNED_MARGIN: Duration = Duration::from_mins(1);

/// How often the listing is compared with the bucket while requests ask for it. Another server's
/// change is listed after at most one and a half of it, and what its notice is delayed by.
pub const LISTING_CHECK_INTERVAL: Duration = Duration::from_millis(600);
/// How long a request waits for that before it gets the last listing.
pub const LISTING_CHECK_WAIT_MAX: Duration = Duration::from_millis(500);
/// How often the bucket is listed in any case: objects put there by hand come without a notice.
pub const LISTING_OLD_AGE: Duration = Duration::from_mins(1);
/// A server whose listing is older than this is not ready.
pub const STORE_LISTING_AGE_MAX: Duration = Duration::from_mins(5);
/// How far apart the notices to other servers are: stores bound the writes to one key.
pub const BEACON_INTERVAL: Duration = Duration::from_millis(500);
/// How long a store that did not answer is left alone.
pub const STORE_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Names that are looked up at the store before the answer is 404, and the threads that do.
pub const LOOKUPS_MAX: usize = 256;
pub const LOOKUP_THREADS: usize = 2;
/// How long a request waits for such a lookup: while a store hangs, the others wait behind it.
pub const LOOKUP_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the outcome of such a lookup counts.
pub const LOOKUP_KEPT_TIME: Duration = Duration::from_secs(1);
/// Packages that are fetched or wait for it.
pub const FETCHES_MAX: usize = 1024;
/// How often the rest of a package is asked for where its connection is cut.
pub const FETCH_ATTEMPTS_MAX: usize = 4;
/// How long the error of a failed fetch is given to those who ask for the same package.
pub const FETCH_FAILED_TIME: Duration = Duration::from_secs(1);
/// What is read of the object that says what is known of the others: some 200 bytes each.
pub const KNOWN_BYTES_MAX: u64 = 64 * MIB as u64;
/// How often it is written.
pub const KNOWN_INTERVAL: Duration = Duration::from_mins(1);
/// How often a change is tried while other servers change the same name.
pub const PUT_ATTEMPTS_MAX: usize = 8;
