//! Limits in the documents: each is the one of `limits`.

use super::{check_made_part, flowing, read, report};
use release_server::config::keys;
use release_server::limits;
use std::time::Duration;

/// A size as the documents write it.
fn bytes(bytes: impl TryInto<u64>) -> String {
    let bytes = bytes.try_into().ok().expect("a size");
    match bytes {
        bytes if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

/// A time as the documents write it.
fn time(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// The default of `idle_timeout`, as the documents write it.
fn default_idle_time() -> String {
    keys::IDLE_TIMEOUT.default.replace('s', " s")
}

/// Limits of requests and transfers.
fn of_transfers() -> Vec<(&'static str, String)> {
    vec![
        (
            "Request head",
            format!(
                "{}, {} fields, {} from first byte to last",
                bytes(limits::HEAD_BYTES_MAX),
                limits::HEAD_FIELDS_MAX,
                time(limits::HEAD_TIME_MAX)
            ),
        ),
        (
            "Idle connection",
            format!("`idle_timeout`; {} by default", default_idle_time()),
        ),
        ("Body or answer without progress", stall_time()),
        (
            "Least pace of a transfer",
            format!(
                "{}/s on average over {}",
                bytes(limits::PACE_BYTES_PER_SECOND_MIN),
                time(limits::PACE_WINDOW)
            ),
        ),
        (
            "File",
            format!(
                "`max_upload_size`; form fields beside it {}",
                bytes(limits::FORM_OVERHEAD_BYTES_MAX)
            ),
        ),
    ]
}

/// Limits of connections, of changes and of memory.
fn of_the_server() -> Vec<(&'static str, String)> {
    vec![
        ("File name", bytes(limits::NAME_BYTES_MAX)),
        (
            "Connections",
            "`max_connections`; beyond it the longest idle one is closed, else new ones wait"
                .to_owned(),
        ),
        (
            "Unread body",
            format!(
                "skipped up to {}; else the connection closes and lingers for up to {}",
                bytes(limits::SKIP_BYTES_MAX),
                time(limits::LINGER_TIME_MAX)
            ),
        ),
        (
            "Wait for another process's lock on the storage",
            format!("{}, then 503", time(limits::LOCK_WAIT_MAX)),
        ),
        (
            "Changes that wait",
            format!(
                "{} changes, {} GiB of uploads; then 503",
                limits::QUEUED_CHANGES_MAX,
                limits::QUEUED_BYTES_MAX >> 30
            ),
        ),
        ("Memory that waiting clients hold", parked_memory()),
        (
            "Unsent data of a socket, under a container's limit",
            unsent_memory(),
        ),
    ]
}

#[test]
fn the_table_of_limits_is_that_of_the_source() {
    let mut rows = of_transfers();
    rows.extend(of_the_server());
    let rows: Vec<String> = rows
        .iter()
        .map(|(what, limit)| format!("| {what} | {limit} |\n"))
        .collect();
    let rows = rows.concat();
    let table = format!("\n| What | Limit |\n|---|---|\n{rows}\n");
    let end = "<!-- end of limits -->";
    check_made_part("docs/operations.md", "<!-- limits:", end, &table);
}

/// Sentences that state a limit, each with the value of the source.
#[test]
fn stated_limits_are_those_of_the_source() {
    let name = bytes(limits::NAME_BYTES_MAX);
    let skipped = bytes(limits::SKIP_BYTES_MAX);
    let linger = time(limits::LINGER_TIME_MAX);
    let lock = time(limits::LOCK_WAIT_MAX);
    let stated = [
        ("docs/contract.md", format!("are 1 to {name} of UTF-8")),
        ("docs/api.md", format!("are 1 to {name} of UTF-8")),
        ("docs/contract.md", format!("is skipped up to {skipped}")),
        ("docs/contract.md", format!("for {linger} at most")),
        ("docs/contract.md", format!("lock for at most {lock}")),
        (
            "docs/operations.md",
            format!("for at most {linger} after that"),
        ),
        (
            "docs/operations.md",
            format!("up to {} late", time(limits::LOG_DELAY_MAX)),
        ),
        (
            "docs/storage.md",
            format!("within some {}", time(limits::LISTING_RECHECK_INTERVAL)),
        ),
        (
            "docs/deployment.md",
            format!("after `idle_timeout`, by default {}", default_idle_time()),
        ),
    ];
    let faults: Vec<String> = stated
        .into_iter()
        .filter(|(path, sentence)| !flowing(&read(path)).contains(sentence.as_str()))
        .map(|(path, sentence)| format!("{path} does not say '{sentence}'"))
        .collect();
    report(&faults);
    assert!(limits::LEFTOVERS_INTERVAL < Duration::from_secs(10));
}

fn stall_time() -> String {
    format!(
        "{}, or {} while three quarters of `max_connections` are open; progress of an answer is \
            what the client's side has acknowledged",
        time(limits::STALL_TIME_MAX),
        time(limits::CROWDED_STALL_TIME_MAX)
    )
}

fn parked_memory() -> String {
    format!(
        "{} for each connection, and {}, or 1/{} of a container's limit if that is less, over all \
            connections for long heads, requests sent ahead and answers made for one client; \
            beyond it the largest holder is closed",
        bytes(limits::PARKED_RESERVE_BYTES),
        bytes(limits::PARKED_BYTES_MAX),
        limits::PARKED_MEMORY_SHARE
    )
}

fn unsent_memory() -> String {
    format!(
        "1/{} of the limit, divided by the open connections, but at least {} bytes",
        limits::UNSENT_MEMORY_SHARE,
        limits::UNSENT_BYTES_MIN
    )
}
