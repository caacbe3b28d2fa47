//! The one table of settings: name, variables, default and what each takes.
//!
//! Invariant: a setting exists because it stands here; the README's table, `check-config` and every error message are
//! made from this table.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in the YAML file.
    pub name: &'static str,
    /// Its environment variables; the first one that is set counts.
    pub variables: &'static [&'static str],
    /// Its value where nothing sets it; empty for none.
    pub default: &'static str,
    /// What holds where there is neither value nor default.
    pub unset: &'static str,
    /// What it takes, to end the sentence "it takes …".
    pub takes: &'static str,
    /// Its value must not be shown.
    pub secret: bool,
}

const fn key(
    name: &'static str,
    variables: &'static [&'static str],
    default: &'static str,
    takes: &'static str,
) -> Key {
    Key {
        name,
        variables,
        default,
        unset: "not set",
        takes,
        secret: false,
    }
}

/// The port to listen on.
pub const PORT: Key = key(
    "port",
    &["PORT"],
    "8000",
    "a number from 0 to 65535 (0: any free port)",
);
/// The address to listen on.
pub const HOST: Key = Key {
    unset: "every address, IPv6 included where there is any",
    ..key(
        "host",
        &["HOST"],
        "",
        "an IPv4 or IPv6 address, such as 127.0.0.1 or ::1",
    )
};
/// Where packages are kept.
pub const STORAGE_PATH: Key = key(
    "storage_path",
    &["STORAGE_PATH"],
    "/data",
    "the path of a directory",
);
/// How many packages are kept.
pub const MAX_PACKAGES: Key = key(
    "max_packages",
    &["MAX_PACKAGES"],
    "100",
    "a whole number; 0 keeps everything",
);
/// How many versions are kept whole.
pub const MAX_RELEASES: Key = key(
    "max_releases",
    &["MAX_RELEASES"],
    "0",
    "a whole number; 0 keeps what max_packages keeps",
);
/// What is never removed to make room.
pub const PINNED: Key = key(
    "pinned",
    &["PINNED"],
    "",
    "patterns of names with * and ?, as a YAML list or with commas between them",
);
/// The largest package.
pub const MAX_UPLOAD_SIZE: Key = key(
    "max_upload_size",
    &["MAX_UPLOAD_SIZE"],
    "1GiB",
    "a number of bytes, or of KiB, MiB or GiB with that unit behind it; 0 for no limit",
);
/// The token that publishing and deleting need.
pub const AUTH_TOKEN: Key = Key {
    secret: true,
    ..key(
        "auth_token",
        &["AUTH_TOKEN"],
        "",
        "a text without control characters, quoted in YAML",
    )
};
/// A file that holds the token.
pub const AUTH_TOKEN_FILE: Key = key(
    "auth_token_file",
    &["AUTH_TOKEN_FILE"],
    "",
    "the path of a file that holds the token",
);
/// The base of the URLs in answers.
pub const PUBLIC_URL: Key = Key {
    unset: "as each request's Host says",
    ..key(
        "public_url",
        &["PUBLIC_URL"],
        "",
        "an http or https URL without query, such as https://releases.example.org/specs",
    )
};
/// Whether a proxy's word is taken for where clients reached it.
pub const TRUST_FORWARDED: Key = key(
    "trust_forwarded",
    &["TRUST_FORWARDED"],
    "false",
    "true or false",
);
/// The size of the pool.
pub const WORKERS: Key = Key {
    unset: "two for each core, at least four",
    ..key("workers", &["WORKERS"], "", "a number from 1 to 1024")
};
/// The most connections at a time.
pub const MAX_CONNECTIONS: Key = key(
    "max_connections",
    &["MAX_CONNECTIONS"],
    "8192",
    "a number from 1 to 1000000",
);
/// How long a connection between requests is kept.
pub const IDLE_TIMEOUT: Key = key(
    "idle_timeout",
    &["IDLE_TIMEOUT"],
    "75s",
    "a number of seconds from 1, or a number with s or m after it",
);
/// How long connections are still accepted after SIGTERM.
pub const SHUTDOWN_DELAY: Key = key(
    "shutdown_delay",
    &["SHUTDOWN_DELAY"],
    "0s",
    "a number of seconds, or a number with s or m behind it",
);
/// How long running requests may take after that.
pub const SHUTDOWN_GRACE: Key = key(
    "shutdown_grace",
    &["SHUTDOWN_GRACE"],
    "25s",
    "a number of seconds, or a number with s or m behind it",
);
/// Which lines are logged.
pub const LOG_LEVEL: Key = key(
    "log_level",
    &["LOG_LEVEL", "RUST_LOG"],
    "info",
    "off, error, warn, info, debug or trace, or a list such as info,release_server::storage=debug",
);

/// How lines are written.
pub const LOG_FORMAT: Key = key("log_format", &["LOG_FORMAT"], "json", "json or text");

/// All settings, in the order in which they are shown.
pub const ALL: &[&Key] = &[
    &PORT,
    &HOST,
    &STORAGE_PATH,
    &MAX_PACKAGES,
    &MAX_RELEASES,
    &PINNED,
    &MAX_UPLOAD_SIZE,
    &AUTH_TOKEN,
    &AUTH_TOKEN_FILE,
    &PUBLIC_URL,
    &TRUST_FORWARDED,
    &WORKERS,
    &MAX_CONNECTIONS,
    &IDLE_TIMEOUT,
    &SHUTDOWN_DELAY,
    &SHUTDOWN_GRACE,
    &LOG_LEVEL,
    &LOG_FORMAT,
];
