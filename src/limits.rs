//! Every limit on clients, disks and clocks, each with its reason.
//!
//! Invariants: no limit is defined elsewhere; relations between limits are asserted below, at
//! compile time. Names end in the unit; times are `Duration`.
//!
//! Source: docs/contract.md, section 7.

pub mod bucket;
pub mod spec_kit;

use std::time::Duration;

pub const KIB: usize = 1024;
pub const MIB: usize = 1024 * KIB;

// --- Request heads -------------------------------------------------------------------------------

/// Request line and fields together. Cookies of another site on the same host fit; a flood does
/// not.
pub const HEAD_BYTES_MAX: usize = 16 * KIB;
/// Bytes received at a time in the head phase: a whole head, and one byte that shows that it is too
/// long. Pipelined requests are held while the answer before them is sent, so it is not more.
pub const HEAD_RECEIVE_BYTES: usize = HEAD_BYTES_MAX + 1;
/// A token, so that the head of a request has room for it (docs/contract.md, section 5). Secrets
/// are some 20 to 200 bytes long, signed tokens 1 to 2 KiB.
pub const TOKEN_BYTES_MAX: usize = 4 * KIB;
/// The file of a token: the token, and blanks around it.
pub const TOKEN_FILE_BYTES_MAX: usize = 2 * TOKEN_BYTES_MAX;
/// A file of named tokens: some 1,000 entries.
pub const TOKENS_FILE_BYTES_MAX: usize = 256 * KIB;
/// How often files of tokens and certificates are read again: a revoked token ends within a second.
pub const FILES_REREAD_INTERVAL: Duration = Duration::from_millis(500);
/// The name of a token, which log lines and refusals repeat.
pub const TOKEN_NAME_BYTES_MAX: usize = 64;
/// An identity token: those of GitHub and GitLab have some 2 KiB, and the head has room for it.
pub const IDENTITY_TOKEN_BYTES_MAX: usize = 8 * KIB;
/// How much the clocks of an issuer and of this server may differ.
pub const IDENTITY_TIME_SLACK: Duration = Duration::from_mins(1);
/// Each of the two answers that an issuer's keys come from; the longest known ones have 30 KiB.
pub const ISSUER_ANSWER_BYTES_MAX: usize = 256 * KIB;
/// How long an issuer may take for each of the two.
pub const ISSUER_TIME_MAX: Duration = Duration::from_secs(5);
/// How often a token that names an unknown key makes the server fetch the keys again.
pub const ISSUER_REFRESH_INTERVAL: Duration = Duration::from_mins(1);
/// Keys older than this are fetched again when they are used, so that a withdrawn key ends.
pub const ISSUER_KEYS_AGE_MAX: Duration = Duration::from_hours(1);
/// A configuration file, or `.env`: far more than all settings take.
pub const CONFIG_FILE_BYTES_MAX: usize = MIB;
/// Fields of one head; browsers and proxies send about 20.
pub const HEAD_FIELDS_MAX: usize = 64;
/// From the first byte of a head to its last: a phone with bad reception needs a second or two.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// The host and port that a client names; a DNS name has at most 253 bytes.
pub const AUTHORITY_BYTES_MAX: usize = 255;
/// A path prefix that a trusted proxy names.
pub const PREFIX_BYTES_MAX: usize = 255;
/// The owner or the repository in a path; GitHub's own have at most 39 and 100.
pub const REPOSITORY_NAME_BYTES_MAX: usize = 100;
/// A request id taken over from the client; longer ones are replaced, to keep log lines short.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

// --- Bodies and responses ------------------------------------------------------------------------

/// A body or an answer without a byte of progress for this long is ended. `curl --limit-rate` reads
/// some megabytes at once and then rests for most of a minute.
pub const STALL_TIME_MAX: Duration = Duration::from_mins(1);
/// The same while three quarters of `max_connections` or more are open.
pub const CROWDED_STALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How often the progress of a transfer is checked: acknowledgements cause no event. Small enough
/// that "10 s without progress" is at most 13 s.
pub const STALL_CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// The span of the average pace.
pub const PACE_WINDOW: Duration = Duration::from_mins(1);
/// A transfer under this average over [`PACE_WINDOW`] is ended: it is an attack, or not worth its
/// connection.
pub const PACE_BYTES_PER_SECOND_MIN: u64 = 1024;
/// The rest of an unread body that is skipped to keep a connection; skipping more costs more than a
/// new connection.
pub const SKIP_BYTES_MAX: u64 = 64 * KIB as u64;
/// How long a closing connection waits for the client to have read its answer.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(5);
/// Extensions of all chunks of one body; nothing known uses any (RFC 9112, section 7.1.1).
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 4 * KIB;
/// Trailer section of a chunked body; read strictly, then thrown away.
pub const TRAILER_BYTES_MAX: usize = 4 * KIB;

// --- Uploads -------------------------------------------------------------------------------------

/// The head of one multipart part: two or three short fields and a file name.
pub const PART_HEAD_BYTES_MAX: usize = 8 * KIB;
/// Bytes of a multipart body besides the file: delimiters, part heads and other form fields.
pub const FORM_OVERHEAD_BYTES_MAX: u64 = 64 * KIB as u64;
/// A package's file name (docs/contract.md, section 1). With the sidecar's suffix it stays within
/// the 255 bytes that file systems allow.
pub const NAME_BYTES_MAX: usize = 240;
/// A pattern of names; a longer one matches no name but by its `*`.
pub const PATTERN_BYTES_MAX: usize = NAME_BYTES_MAX;

// --- GitHub's API --------------------------------------------------------------------------------

/// Items of a page where the request names no number.
pub const PAGE_ITEMS: usize = 30;
pub const PAGE_ITEMS_MAX: usize = 100;
/// Releases in the feed, as many as in GitHub's.
pub const FEED_RELEASES_MAX: usize = 10;
/// The JSON of a release in a request: GitHub's own limit for its notes is 125,000 characters.
pub const RELEASE_JSON_BYTES_MAX: usize = 256 * KIB;
/// How often the download counts in answers are updated. Updating them at each download would
/// render every list again.
pub const DOWNLOAD_COUNTS_INTERVAL: Duration = Duration::from_mins(1);

// --- Work per turn: other connections get theirs -------------------------------------------------

/// The stack of each worker: 1,024 of them, with their buffers, fit a 32-bit process.
pub const WORKER_STACK_BYTES: usize = 512 * KIB;
/// The buffer that each worker receives into.
pub const RECEIVE_BUFFER_BYTES: usize = 256 * KIB;
/// Bytes of a body received in one turn.
pub const RECEIVE_TURN_BYTES: usize = 4 * MIB;
/// Bytes of a file sent in one turn.
pub const SEND_TURN_BYTES: usize = MIB;
/// The same over TLS, where sealing costs several times what sendfile does: a handshake waits for
/// the turns of all connections before it.
pub const SEAL_TURN_BYTES: usize = 512 * KIB;
/// Events that a worker takes from the poller in one call.
pub const EVENTS_PER_WAIT_MAX: usize = 16;
/// Pipelined requests answered in one turn.
pub const REQUESTS_PER_TURN_MAX: usize = 32;
/// How often a connection that waits for another thread looks again by itself.
pub const WAITING_RECHECK_INTERVAL: Duration = Duration::from_millis(500);
/// A body up to this size is copied after its head, and both are sent in one write.
pub const COALESCE_BYTES_MAX: usize = 16 * KIB;

// --- TLS -----------------------------------------------------------------------------------------

/// A certificate with its chain, or a key: the longest chains in use have some 20 KiB.
pub const PEM_BYTES_MAX: u64 = 256 * KIB as u64;
/// The log warns of a certificate that expires within this time: half of what certbot leaves.
pub const CERTIFICATE_WARNING_TIME: Duration = Duration::from_hours(14 * 24);
/// How often it warns.
pub const CERTIFICATE_WARNING_INTERVAL: Duration = Duration::from_hours(24);
/// The content of one record (RFC 8446, section 5.1).
pub const RECORD_PLAINTEXT_BYTES_MAX: usize = 16 * KIB;
/// What a record adds to its content: header, explicit nonce or content type, and tag (RFC 5246,
/// section 6.2.3.3).
pub const RECORD_OVERHEAD_BYTES_MAX: usize = 64;
/// A received record with its header (RFC 5246, section 6.2.3). Handshake messages have the same
/// bound: a client's first has up to 2 KiB.
pub const RECORD_BYTES_MAX: usize = RECORD_PLAINTEXT_BYTES_MAX + 2 * KIB + 5;
/// What is read of a file at a time to be sent over TLS.
pub const FILE_READ_BYTES: usize = 64 * KIB;

// --- Requests that the server itself makes -------------------------------------------------------

/// Resolving the name of another server; then, again, connecting with the TLS handshake.
pub const CLIENT_CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long another server may be silent while it is sent a request or is to answer: a store hashes
/// a package of some GiB before its answer.
pub const CLIENT_SILENCE_TIME_MAX: Duration = Duration::from_secs(30);
/// Each of the two buffers of a connection; over TLS there are two pairs.
pub const CLIENT_BUFFER_BYTES: usize = 64 * KIB;
/// Connections that are kept for the next request, of each client.
pub const CLIENT_IDLE_CONNECTIONS: usize = 16;
/// How long they are kept: stores close idle connections after 20 s and more.
pub const CLIENT_IDLE_TIME_MAX: Duration = Duration::from_secs(15);
/// What is read of `hosts` or `resolv.conf`.
pub const NAMES_FILE_BYTES_MAX: usize = MIB;

// --- Memory that clients can make the server hold ------------------------------------------------

/// Memory that each parked connection may hold uncounted; `max_connections` bounds it. The usual
/// head, an answer's head and an open file fit, so they are never refused for what others hold.
pub const PARKED_RESERVE_BYTES: usize = KIB;
/// The memory that all parked connections together may hold above the reserve: long parts of heads,
/// pipelined requests, answers made for one client. Over it, the largest holder is closed.
pub const PARKED_BYTES_MAX: usize = 6 * MIB;
/// The part of a container's memory limit that it is at most, as one of so many.
pub const PARKED_MEMORY_SHARE: usize = 16;
/// Texts rendered from the listing, whether kept or still read by slow clients.
pub const RENDERED_BYTES_MAX: usize = 2 * MIB;
/// The same for each package: what an operator stores may be kept rendered, in every form.
pub const RENDERED_BYTES_PER_PACKAGE: usize = 3 * KIB;
/// Views of the listing that are kept; a client that needs many invents pages.
pub const RENDERED_VIEWS_MAX: usize = 256;
/// So many more requests with the same host and repository than with others keep their answer
/// composed; at most so many count, so that a new majority shows soon.
pub const USUAL_VOTES_MIN: u32 = 4;
pub const USUAL_VOTES_MAX: u32 = 64;
/// After so many answers from kept texts, earlier uses of each count half.
pub const RENDERED_USES_MAX: u32 = 1024;

// --- Connections and descriptors -----------------------------------------------------------------

/// The kernel's queue of connections that are not accepted yet.
pub const BACKLOG_CONNECTIONS: i32 = 1024;
/// Files of packages that are kept open for the next download.
pub const OPEN_FILES_MAX: usize = 12;
/// Packages whose header fields are kept for the next download, some 500 bytes each.
pub const FILE_HEADS_MAX: usize = 32;
/// Descriptors kept for everything but connections and workers: standard streams, epoll, listener,
/// log, directory, lock, maintenance, open files of packages.
pub const DESCRIPTORS_RESERVED: u64 = 32;
/// Files and sockets that a worker opens for a moment: a package, its sidecar, the kernel's
/// diagnostics.
pub const DESCRIPTORS_PER_WORKER: u64 = 3;
/// A connection's socket and one file.
pub const DESCRIPTORS_PER_CONNECTION: u64 = 2;
/// The send buffer of a socket whose acknowledged bytes the kernel does not report; the kernel
/// doubles the value. A third of the buffer is free again within `STALL_TIME_MAX` at 3 KiB/s.
pub const SEND_BUFFER_BYTES: usize = 256 * KIB;
/// The part of a container's memory limit that unsent answers may take, as one of so many: with the
/// other bounds, 1,000 clients that do not read fit half of 32 MiB.
pub const UNSENT_MEMORY_SHARE: usize = 64;
/// Under a memory limit, a socket takes no more of an answer while so much is unsent.
pub const UNSENT_BYTES_MAX: u32 = 64 * 1024;
/// What a connection may write at a time, however many are open: with the kernel's own 1,280 bytes
/// for it, one page.
pub const UNSENT_BYTES_MIN: usize = 2_560;
/// How long accepting pauses after the system ran out of descriptors or memory, unless a connection
/// is closed before.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

// --- Storage -------------------------------------------------------------------------------------

/// How long a publish or delete waits for another process to release the directory's lock.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);
/// Changes that wait to be made. Each holds a connection and two open files.
pub const QUEUED_CHANGES_MAX: usize = 1024;
/// Bytes of uploads that wait to be made durable. They take space on the disk already; more of them
/// only make each wait longer.
pub const QUEUED_BYTES_MAX: u64 = 16 * 1024 * MIB as u64;
/// Uploads that are synced at a time, each by a thread that is started when it is first needed. A
/// journaling file system makes all syncs that wait durable at once.
pub const SYNC_THREADS_MAX: usize = 32;
/// The `Retry-After` of a 503.
pub const RETRY_AFTER_SECONDS: u32 = 2;
/// How long a listing is served without checking the directory for changes by other processes.
/// Changes of this process show at once.
pub const LISTING_FRESH_TIME: Duration = Duration::from_millis(20);
/// A directory whose modification time is younger than this may change again without the time
/// changing: the clock of file systems ticks as slowly as every 10 ms.
pub const TIMESTAMP_DOUBT_TIME: Duration = Duration::from_millis(100);
/// Editing a file in place does not change the directory; a listing older than this is checked file
/// by file, in the background, at the next request for it.
pub const LISTING_RECHECK_INTERVAL: Duration = Duration::from_secs(2);
/// How often leftovers of crashed processes are looked for. docs/contract.md promises 10 s.
pub const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(8);
/// Computed checksums enter the listing in batches, at most this far apart, so that answers are not
/// rendered again for each.
pub const CHECKSUMS_ENTRY_INTERVAL: Duration = Duration::from_secs(1);
/// A worker that is in the same turn at two looks this far apart is relieved by a resting one: much
/// longer than a turn that does not wait for the disk.
pub const RELIEF_INTERVAL: Duration = Duration::from_millis(4);
/// How long a worker waits while half of the workers are in calls to the disk.
pub const DISK_GATE_WAIT_MAX: Duration = Duration::from_millis(5);
/// After that, how long the connection is parked until what needs the disk is tried again.
pub const DISK_RETRY_INTERVAL: Duration = Duration::from_millis(2);
/// The same while the disk hangs, when nothing is gained by trying often.
pub const HANGING_DISK_RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// A disk hangs where half of the workers are in calls to it and none has returned for this long. A
/// disk that works is faster, a loaded network file system included.
pub const DISK_HANG_TIME_MIN: Duration = Duration::from_secs(1);
/// A file that was changed more recently may still be copied in: its checksum is computed later.
pub const QUIET_TIME: Duration = Duration::from_secs(3);
/// How often hashing yields to the other work of the maintenance thread.
pub const HASH_YIELD_INTERVAL: Duration = Duration::from_millis(50);
/// Bytes of a stored file that are read at a time to hash it.
pub const HASH_BUFFER_BYTES: usize = 256 * KIB;

// --- Log -----------------------------------------------------------------------------------------

/// How long a line about a request may wait for others; other lines are written at once.
pub const LOG_DELAY_MAX: Duration = Duration::from_millis(100);
/// Lines held while nothing reads the output; beyond it lines are counted and dropped.
pub const LOG_BACKLOG_BYTES_MAX: usize = MIB;
/// Held lines are written at the latest when they reach this size.
pub const LOG_WRITE_BYTES: usize = 64 * KIB;
/// How long the end of the process waits for the last lines to be written.
pub const LOG_FLUSH_TIME_MAX: Duration = Duration::from_secs(1);

// --- Relations between limits --------------------------------------------------------------------

const _: () = {
    assert!(
        RECEIVE_BUFFER_BYTES >= HEAD_RECEIVE_BYTES,
        "a receive in the head phase fits the receive buffer"
    );
    assert!(
        RECEIVE_BUFFER_BYTES >= RECORD_BYTES_MAX + HEAD_RECEIVE_BYTES,
        "what is received of a head fits beside an incomplete record"
    );
    assert!(
        1024 * (WORKER_STACK_BYTES + RECEIVE_BUFFER_BYTES) <= 1024 * MIB,
        "the most workers fit a 32-bit process"
    );
    assert!(
        RECEIVE_TURN_BYTES >= RECEIVE_BUFFER_BYTES,
        "a turn receives at least one buffer"
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
        STALL_CHECK_INTERVAL.as_nanos() < CROWDED_STALL_TIME_MAX.as_nanos(),
        "progress is checked more often than a stall lasts"
    );
    assert!(
        CROWDED_STALL_TIME_MAX.as_nanos() < STALL_TIME_MAX.as_nanos()
            && STALL_TIME_MAX.as_nanos() <= PACE_WINDOW.as_nanos(),
        "the average spans at least a stall"
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
        "a listing in doubt is checked again"
    );
};
