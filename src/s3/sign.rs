//! Signature Version 4: of a request's fields, and of a URL that anyone may use for a while.
//!
//! Invariant: what is signed is what is sent: the same encoded path and query make the URL.
//!
//! Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header" and
//! "Authenticating Requests: Using Query Parameters".

use super::credentials::Credentials;
use crate::checksum;
use crate::date;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};

/// Everything but unreserved characters (RFC 3986, section 2.3) is encoded.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Stands for the hash of a body that is not hashed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a request is sent to.
#[derive(Clone, Debug)]
pub struct Target {
    /// `https` or `http`.
    pub scheme: String,
    /// As the field `Host` has it.
    pub host: String,
    /// Encoded, beginning with a slash.
    pub path: String,
    /// Encoded and in order.
    pub query: String,
}

impl Target {
    /// Encodes a path and parameters.
    pub fn new(scheme: &str, host: &str, path: &str, parameters: &[(&str, &str)]) -> Self {
        Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: utf8_percent_encode(path, IN_PATH).to_string(),
            query: encoded(parameters),
        }
    }

    pub fn url(&self) -> String {
        let Self {
            scheme,
            host,
            path,
            query,
        } = self;
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}{path}{mark}{query}")
    }
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, IN_QUERY);
    let mut pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// Signs with these credentials, for this region and time.
#[derive(Debug)]
pub struct Signer<'s> {
    pub credentials: &'s Credentials,
    pub region: &'s str,
    pub time: SystemTime,
}

impl Signer<'_> {
    /// Adds the fields that authenticate a request: `headers` are the request's own, in lower case,
    /// and all of them are signed. `payload_sha256` is hexadecimal.
    pub fn sign(
        &self,
        method: &str,
        target: &Target,
        payload_sha256: &str,
        headers: &mut Vec<(&str, String)>,
    ) {
        headers.push(("host", target.host.clone()));
        headers.push(("x-amz-content-sha256", payload_sha256.to_owned()));
        headers.push(("x-amz-date", self.timestamp()));
        if let Some(token) = &self.credentials.token {
            headers.push(("x-amz-security-token", token.clone()));
        }
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let request = [
            method,
            &target.path,
            &target.query,
            &lines.concat(),
            &names,
            payload_sha256,
        ]
        .join("\n");
        let signature = self.signature(&request);
        let (key, scope) = (&self.credentials.access_key, self.scope());
        headers.push((
            "authorization",
            format!(
                "{ALGORITHM} Credential={key}/{scope},SignedHeaders={names},Signature={signature}"
            ),
        ));
    }

    /// The URL of a GET that needs no further authentication until `time` has passed.
    pub fn presign(&self, target: &Target, parameters: &[(&str, &str)], time: Duration) -> String {
        let credential = format!("{}/{}", self.credentials.access_key, self.scope());
        let (timestamp, seconds) = (self.timestamp(), time.as_secs().to_string());
        let mut all = parameters.to_vec();
        all.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &timestamp),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ]);
        if let Some(token) = &self.credentials.token {
            all.push(("X-Amz-Security-Token", token));
        }
        let mut target = target.clone();
        target.query = encoded(&all);
        let (path, query, host) = (&target.path, &target.query, &target.host);
        let request = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\n{UNSIGNED}");
        let signature = self.signature(&request);
        format!("{}&X-Amz-Signature={signature}", target.url())
    }

    fn signature(&self, canonical_request: &str) -> String {
        let (time, scope) = (self.timestamp(), self.scope());
        let hash = checksum::hex(&Sha256::digest(canonical_request));
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{hash}");
        let secret = format!("AWS4{}", self.credentials.secret_key);
        let mut key = hmac(secret.as_bytes(), &self.day());
        for part in [self.region, "s3", "aws4_request", &text] {
            key = hmac(&key, part);
        }
        checksum::hex(&key)
    }

    fn scope(&self) -> String {
        format!("{}/{}/s3/aws4_request", self.day(), self.region)
    }

    /// `20260106T120000Z`.
    fn timestamp(&self) -> String {
        date::rfc3339(self.time).replace(['-', ':'], "")
    }

    fn day(&self) -> String {
        self.timestamp().chars().take(8).collect()
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is accepted.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |hmac| {
        hmac.chain_update(text).finalize().into_bytes().into()
    })
}
