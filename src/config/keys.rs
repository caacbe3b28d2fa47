//! The one table of settings: name, variables, default and accepted values.
//!
//! Invariant: the documentation's tables, `check-config` and every error message are made from this
//! table.

#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The name in the YAML file.
    pub name: &'static str,
    /// Environment variables; the first one that is set counts.
    pub variables: &'static [&'static str],
    /// The value where nothing sets it; empty for none.
    pub default: &'static str,
    /// Shown where there is neither a value nor a default.
    pub unset: &'static str,
    /// The accepted values; completes the sentence "it takes …".
    pub takes: &'static str,
    /// The value is never shown.
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

pub const PORT: Key = key(
    "port",
    &["PORT"],
    "8000",
    "a number from 0 to 65535 (0: any free port)",
);
pub const HOST: Key = Key {
    unset: "every address, including IPv6 where the host has it",
    ..key(
        "host",
        &["HOST"],
        "",
        "an IPv4 or IPv6 address, such as 127.0.0.1 or ::1",
    )
};
pub const STORAGE_PATH: Key = key(
    "storage_path",
    &["STORAGE_PATH"],
    "/data",
    "the path of a directory",
);
pub const MAX_PACKAGES: Key = key(
    "max_packages",
    &["MAX_PACKAGES"],
    "100",
    "a whole number; 0 keeps everything",
);
pub const MAX_RELEASES: Key = key(
    "max_releases",
    &["MAX_RELEASES"],
    "0",
    "a whole number; 0 keeps what max_packages keeps",
);
pub const PINNED: Key = key(
    "pinned",
    &["PINNED"],
    "",
    "name patterns with * and ?, as a YAML list or separated by commas",
);
pub const MAX_UPLOAD_SIZE: Key = key(
    "max_upload_size",
    &["MAX_UPLOAD_SIZE"],
    "1GiB",
    "a number of bytes, or a number followed by KiB, MiB or GiB; 0 for no limit",
);
pub const AUTH_TOKEN: Key = Key {
    secret: true,
    ..key(
        "auth_token",
        &["AUTH_TOKEN"],
        "",
        "text of at most 4096 bytes without control characters, quoted in YAML",
    )
};
pub const AUTH_TOKEN_FILE: Key = key(
    "auth_token_file",
    &["AUTH_TOKEN_FILE"],
    "",
    "the path of a file that contains the token",
);
pub const TOKENS_FILE: Key = key(
    "tokens_file",
    &["TOKENS_FILE"],
    "",
    "the path of a YAML file of named tokens; several as a YAML list or separated by commas",
);
pub const ISSUERS_CA_FILE: Key = Key {
    unset: "built-in authorities",
    ..key(
        "issuers_ca_file",
        &["ISSUERS_CA_FILE"],
        "",
        "the path of a PEM file of the authorities that certify issuers of identity tokens",
    )
};
pub const PUBLIC_URL: Key = Key {
    unset: "taken from the Host header of each request",
    ..key(
        "public_url",
        &["PUBLIC_URL"],
        "",
        "an http or https URL without query, such as https://releases.example.org/specs",
    )
};
pub const TRUST_FORWARDED: Key = key(
    "trust_forwarded",
    &["TRUST_FORWARDED"],
    "false",
    "true or false",
);
pub const TLS_CERTIFICATE: Key = Key {
    unset: "none, so the server speaks HTTP in clear",
    ..key(
        "tls_certificate",
        &["TLS_CERTIFICATE"],
        "",
        "the path of a PEM file with the server's certificate, then those of its issuers",
    )
};
pub const TLS_KEY: Key = key(
    "tls_key",
    &["TLS_KEY"],
    "",
    "the path of a PEM file with the certificate's private key (PKCS#8, SEC1 or RSA)",
);
pub const HTTP_PORT: Key = Key {
    unset: "off",
    ..key(
        "http_port",
        &["HTTP_PORT"],
        "",
        "a number from 0 to 65535 (0: any free port)",
    )
};
pub const STRICT_TRANSPORT_SECURITY: Key = Key {
    unset: "not sent",
    ..key(
        "strict_transport_security",
        &["STRICT_TRANSPORT_SECURITY"],
        "",
        "the header's value, such as max-age=31536000; includeSubDomains",
    )
};
pub const WORKERS: Key = Key {
    unset: "two per core, at least four",
    ..key("workers", &["WORKERS"], "", "a number from 1 to 1024")
};
pub const MAX_CONNECTIONS: Key = key(
    "max_connections",
    &["MAX_CONNECTIONS"],
    "8192",
    "a number from 1 to 1000000",
);
pub const IDLE_TIMEOUT: Key = key(
    "idle_timeout",
    &["IDLE_TIMEOUT"],
    "75s",
    "a number of seconds from 1, or a number with s or m after it",
);
pub const SHUTDOWN_DELAY: Key = key(
    "shutdown_delay",
    &["SHUTDOWN_DELAY"],
    "0s",
    "a number of seconds, or a number followed by s or m",
);
pub const SHUTDOWN_GRACE: Key = key(
    "shutdown_grace",
    &["SHUTDOWN_GRACE"],
    "25s",
    "a number of seconds, or a number followed by s or m",
);
pub const LOG_LEVEL: Key = key(
    "log_level",
    &["LOG_LEVEL", "RUST_LOG"],
    "info",
    "off, error, warn, info, debug or trace, or a list such as \
     info,release_server::storage=debug",
);

pub const LATEST_BY: Key = key("latest_by", &["LATEST_BY"], "time", "time or version");
pub const LOG_FORMAT: Key = key("log_format", &["LOG_FORMAT"], "json", "json or text");

pub const BUCKET: Key = Key {
    unset: "none, so packages live in storage_path alone",
    ..key(
        "bucket",
        &["BUCKET"],
        "",
        "s3://NAME or s3://NAME/PREFIX, with a bucket's name and a prefix of letters, digits and \
         /!-_.*'()",
    )
};
pub const BUCKET_ENDPOINT: Key = Key {
    unset: "Amazon S3 in bucket_region",
    ..key(
        "bucket_endpoint",
        &["BUCKET_ENDPOINT"],
        "",
        "an http or https URL without path and query, such as https://minio.example.org:9000",
    )
};
pub const BUCKET_REGION: Key = Key {
    unset: "AWS_REGION or AWS_DEFAULT_REGION; with bucket_endpoint us-east-1",
    ..key(
        "bucket_region",
        &["BUCKET_REGION"],
        "",
        "a region's name of lower-case letters, digits and hyphens, such as eu-central-1",
    )
};
pub const BUCKET_PATH_STYLE: Key = Key {
    unset: "true with bucket_endpoint or a dot in the bucket's name, else false",
    ..key(
        "bucket_path_style",
        &["BUCKET_PATH_STYLE"],
        "",
        "true or false",
    )
};
pub const BUCKET_DOWNLOADS: Key = key(
    "bucket_downloads",
    &["BUCKET_DOWNLOADS"],
    "serve",
    "serve or redirect",
);
pub const BUCKET_PUBLIC_ENDPOINT: Key = Key {
    unset: "bucket_endpoint",
    ..key(
        "bucket_public_endpoint",
        &["BUCKET_PUBLIC_ENDPOINT"],
        "",
        "an http or https URL without path and query, such as https://store.example.org",
    )
};
pub const BUCKET_URL_TIME: Key = key(
    "bucket_url_time",
    &["BUCKET_URL_TIME"],
    "10m",
    "a number of seconds from 1, or a number followed by s or m; at most a day",
);
pub const BUCKET_CACHE_SIZE: Key = key(
    "bucket_cache_size",
    &["BUCKET_CACHE_SIZE"],
    "1GiB",
    "a number of bytes, or a number followed by KiB, MiB or GiB",
);
pub const BUCKET_TRANSFERS: Key = key(
    "bucket_transfers",
    &["BUCKET_TRANSFERS"],
    "8",
    "a number from 1 to 64",
);
pub const BUCKET_CREATE: Key = key(
    "bucket_create",
    &["BUCKET_CREATE"],
    "atomic",
    "atomic or check",
);
pub const BUCKET_CA_FILE: Key = Key {
    unset: "the authorities that browsers trust, built in",
    ..key(
        "bucket_ca_file",
        &["BUCKET_CA_FILE"],
        "",
        "the path of a PEM file with the certificates of authorities",
    )
};
pub const BUCKET_ACCESS_KEY_FILE: Key = key(
    "bucket_access_key_file",
    &["BUCKET_ACCESS_KEY_FILE"],
    "",
    "the path of a file that contains the access key",
);
pub const BUCKET_SECRET_KEY_FILE: Key = key(
    "bucket_secret_key_file",
    &["BUCKET_SECRET_KEY_FILE"],
    "",
    "the path of a file that contains the secret key",
);

/// The variable of the setting that an option such as `--storage-path` names.
pub fn variable_of_option(option: &str) -> Option<&'static str> {
    let name = option.replace('-', "_");
    let key = ALL.iter().find(|key| key.name == name)?;
    key.variables.first().copied()
}

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
    &TOKENS_FILE,
    &ISSUERS_CA_FILE,
    &PUBLIC_URL,
    &TRUST_FORWARDED,
    &TLS_CERTIFICATE,
    &TLS_KEY,
    &HTTP_PORT,
    &STRICT_TRANSPORT_SECURITY,
    &WORKERS,
    &MAX_CONNECTIONS,
    &IDLE_TIMEOUT,
    &SHUTDOWN_DELAY,
    &SHUTDOWN_GRACE,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &LATEST_BY,
    &BUCKET,
    &BUCKET_ENDPOINT,
    &BUCKET_REGION,
    &BUCKET_PATH_STYLE,
    &BUCKET_DOWNLOADS,
    &BUCKET_PUBLIC_ENDPOINT,
    &BUCKET_URL_TIME,
    &BUCKET_CACHE_SIZE,
    &BUCKET_TRANSFERS,
    &BUCKET_CREATE,
    &BUCKET_CA_FILE,
    &BUCKET_ACCESS_KEY_FILE,
    &BUCKET_SECRET_KEY_FILE,
];
