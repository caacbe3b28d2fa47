//! Every bound that a client, a disk or a clock meets, in one place, each with its reason.
//!
//! Invariants: no bound is written down anywhere else; what two bounds must have to do with each other is asserted
//! below, at compile time. Units stand last in the names; times are `Duration`.
//!
//! Source: the project's contract, section 7 (README.md, "Limits").

use std::time::Duration;

/// One kibibyte, in bytes.
pub const KIB: usize = 1024;
/// One mebibyte, in bytes.
pub const MIB: usize = 1024 * KIB;

// --- Request heads ---------------------------------------------------------------------------------------------

/// Request line and fields together. Cookies of a foreign site on the same host fit; a flood does not.
pub const HEAD_BYTES_MAX: usize = 16 * KIB;
/// What is received at a time while a head is awaited: a whole one, and one byte that shows that it is too long. Requests
/// sent ahead are held for as long as an answer before them takes, so it is no more.
pub const HEAD_RECEIVE_BYTES: usize = HEAD_BYTES_MAX + 1;
/// Fields of one head; browsers and proxies send about 20.
pub const HEAD_FIELDS_MAX: usize = 64;
/// From the first byte of a head to its last: a phone on a bad line needs a second or two.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// A kept-alive connection between requests, or one that never sent a byte.
pub const IDLE_TIME_MAX: Duration = Duration::from_mins(1);
/// A request id taken over from the client; longer ones are replaced, so that a log line stays short.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

// --- Bodies and responses --------------------------------------------------------------------------------------

/// A body or a response without a byte of progress for so long is given up.
pub const STALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How often a response that waits for its client is asked for its progress: what the kernel sends on by itself is
/// not seen otherwise. Small enough that "10 s without progress" is at most 13 s.
pub const STALL_CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// The span over which the average pace is taken.
pub const PACE_WINDOW: Duration = Duration::from_mins(1);
/// Under this average over [`PACE_WINDOW`] a transfer is an attack or a lost cause.
pub const PACE_BYTES_PER_SECOND_MIN: u64 = 1024;
/// What is read and thrown away of an unread body to keep a connection; a longer rest costs more than a new connection.
pub const DRAIN_BYTES_MAX: u64 = 64 * KIB as u64;
/// How long a closing connection waits for the client to have read its answer.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(5);
/// Extensions of all chunks of one body; nothing known uses any (RFC 9112, section 7.1.1).
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 4 * KIB;
/// Trailer section of a chunked body; read strictly, then thrown away.
pub const TRAILER_BYTES_MAX: usize = 4 * KIB;

// --- Uploads ---------------------------------------------------------------------------------------------------

/// The head of one multipart part: two or three short fields and a file name.
pub const PART_HEAD_BYTES_MAX: usize = 8 * KIB;
/// What a multipart body may hold beside the file: delimiters, part heads and other form fields.
pub const FORM_OVERHEAD_BYTES_MAX: u64 = 64 * KIB as u64;
/// A package's file name (the contract, section 1). With the sidecar's ending it stays within the 255 bytes that file
/// systems allow.
pub const NAME_BYTES_MAX: usize = 240;

// --- GitHub's API ----------------------------------------------------------------------------------------------

/// Items of a page where the client does not say how many.
pub const PAGE_ITEMS: usize = 30;
/// Items of a page at most.
pub const PAGE_ITEMS_MAX: usize = 100;
/// A release as a client describes it: GitHub's own bound for its notes is 125,000 characters.
pub const RELEASE_JSON_BYTES_MAX: usize = 256 * KIB;
/// How often the download counts in answers are brought up to date, so that downloads do not make every list anew.
pub const DOWNLOAD_COUNTS_INTERVAL: Duration = Duration::from_mins(1);

// --- Work per turn: no connection keeps a worker from the others ------------------------------------------------

/// The buffer that each worker receives into.
pub const RECEIVE_BUFFER_BYTES: usize = 256 * KIB;
/// Bytes of a body taken in one turn before other connections get theirs.
pub const RECEIVE_TURN_BYTES: usize = 4 * MIB;
/// Bytes of a file sent in one turn before other connections get theirs.
pub const SEND_TURN_BYTES: usize = 4 * MIB;
/// Pipelined requests answered in one turn before other connections get theirs.
pub const REQUESTS_PER_TURN_MAX: usize = 32;
/// Connections accepted in one turn before their requests are looked at.
pub const ACCEPTS_PER_TURN_MAX: usize = 64;
/// A body up to this size is copied behind its head and both leave in one write; a larger one is sent from where it is.
pub const COALESCE_BYTES_MAX: usize = 16 * KIB;

// --- TLS -------------------------------------------------------------------------------------------------------

/// A certificate with its chain, or a key: the longest chains in use have some 20 KiB.
pub const PEM_BYTES_MAX: u64 = 256 * KIB as u64;
/// The content of one record (RFC 8446, section 5.1).
pub const RECORD_PLAINTEXT_BYTES_MAX: usize = 16 * KIB;
/// What a record adds to its content: header, explicit nonce or content type, and tag (RFC 5246, section 6.2.3.3).
pub const RECORD_OVERHEAD_BYTES_MAX: usize = 64;
/// A record as it arrives, header included, at its longest (RFC 5246, section 6.2.3). Handshake messages are bounded by it
/// too: a ClientHello has up to 2 KiB.
pub const RECORD_BYTES_MAX: usize = RECORD_PLAINTEXT_BYTES_MAX + 2 * KIB + 5;

// --- Memory that clients can make the server hold ---------------------------------------------------------------

/// What all connections together may hold while they wait: parts of heads, requests sent ahead, heads of answers. Mostly
/// that is nothing, and with an honest client of a slow line some hundred bytes.
pub const PARKED_BYTES_MAX: usize = 8 * MIB;
/// Answers rendered from the listing that slow clients still hold and nobody else will be given.
pub const LEFT_BODIES_BYTES_MAX: usize = 8 * MIB;
/// Bodies rendered from the listing and kept: one for each base URL that clients use. More than a few is a client
/// that invents hosts.
pub const RENDERED_BODIES_MAX: usize = 8;
/// After so many answers from kept bodies, earlier uses of each count half.
pub const RENDERED_USES_MAX: u32 = 1024;

// --- Connections and descriptors -------------------------------------------------------------------------------

/// The kernel's queue of connections that are not accepted yet.
pub const BACKLOG_CONNECTIONS: i32 = 1024;
/// Descriptors kept for everything that is no connection: standard streams, epoll, listener, log, directory, lock, and
/// the files that workers open for a moment.
pub const DESCRIPTORS_RESERVED: u64 = 32;
/// A connection may hold its socket and one file.
pub const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// How long accepting rests after the system ran out of descriptors or memory, unless a connection closes before.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

// --- Storage ---------------------------------------------------------------------------------------------------

/// How long a publish or delete waits for the directory's lock before it answers 503.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);
/// What a 503 tells the client to wait.
pub const RETRY_AFTER_SECONDS: u32 = 2;
/// How long a listing is served without asking the directory whether it changed. Changes of this process show at once.
pub const LISTING_FRESH_TIME: Duration = Duration::from_millis(20);
/// A directory whose modification time is younger than this may change again without the time changing: the clock
/// that file systems stamp with ticks up to every 10 ms.
pub const TIMESTAMP_DOUBT_TIME: Duration = Duration::from_millis(100);
/// Files edited in place do not change the directory; a listing older than this is checked file by file, in the
/// background, when it is next asked for.
pub const LISTING_RECHECK_INTERVAL: Duration = Duration::from_secs(2);
/// How often leftovers of crashed processes are looked for. The contract promises 10 s.
pub const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(8);
/// Healed checksums reach the listing in batches, at most this far apart, so that readers do not render it for each.
pub const HEAL_PUBLISH_INTERVAL: Duration = Duration::from_secs(1);
/// Hashing a stored file reads so much at a time.
pub const HASH_BUFFER_BYTES: usize = 256 * KIB;

// --- Log -------------------------------------------------------------------------------------------------------

/// How long a line about a request may wait for others; anything else is written at once.
pub const LOG_DELAY_MAX: Duration = Duration::from_millis(100);
/// Lines held when nobody takes the output; beyond it lines are counted and dropped, the server goes on.
pub const LOG_BACKLOG_BYTES_MAX: usize = MIB;
/// Held lines are written at the latest when they reach this size.
pub const LOG_WRITE_BYTES: usize = 32 * KIB;
/// How long the end of the process waits for the last lines to be taken.
pub const LOG_FLUSH_TIME_MAX: Duration = Duration::from_secs(1);

// --- What they have to do with each other ----------------------------------------------------------------------

const _: () = {
    assert!(
        RECEIVE_BUFFER_BYTES >= HEAD_RECEIVE_BYTES,
        "what is received of a head fits the receive buffer"
    );
    assert!(
        RECEIVE_TURN_BYTES >= RECEIVE_BUFFER_BYTES,
        "a turn takes at least one buffer"
    );
    assert!(
        PART_HEAD_BYTES_MAX as u64 <= FORM_OVERHEAD_BYTES_MAX,
        "a part's head is part of the overhead"
    );
    assert!(
        NAME_BYTES_MAX + ".sha256".len() <= 255,
        "a sidecar's name fits a file system"
    );
    assert!(
        STALL_CHECK_INTERVAL.as_nanos() < STALL_TIME_MAX.as_nanos(),
        "a stall is seen before it is over"
    );
    assert!(
        STALL_TIME_MAX.as_nanos() < PACE_WINDOW.as_nanos(),
        "the average is taken over more than a stall"
    );
    assert!(
        HEAD_TIME_MAX.as_nanos() < IDLE_TIME_MAX.as_nanos(),
        "a head that began is due before an idle connection"
    );
    assert!(
        LEFTOVERS_INTERVAL.as_secs() < 10,
        "the contract's 10 s, with room for the work itself"
    );
    assert!(
        LOG_WRITE_BYTES < LOG_BACKLOG_BYTES_MAX,
        "lines are written before they are dropped"
    );
    assert!(
        LISTING_FRESH_TIME.as_nanos() < TIMESTAMP_DOUBT_TIME.as_nanos(),
        "a doubtful listing is asked again"
    );
};
