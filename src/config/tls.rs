//! The settings of HTTPS, which belong together.
//!
//! Invariant: there is a certificate with a key and all that depends on them, or none of it.

use super::error::ConfigError;
use super::keys;
use super::raw::Raw;
use crate::text::number;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with its chain.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    pub files: TlsFiles,
    /// Where HTTP in clear redirects to HTTPS; 0 for any free port.
    pub http_port: Option<u16>,
    /// The value of the field of that name in every answer over TLS.
    pub strict_transport_security: Option<String>,
}

/// `None` where the server speaks HTTP in clear.
pub fn tls(raw: &Raw) -> Result<Option<TlsSettings>, ConfigError> {
    let certificate = raw.setting(&keys::TLS_CERTIFICATE);
    let key = raw.setting(&keys::TLS_KEY);
    let files = match (certificate, key) {
        (Some(certificate), Some(key)) => TlsFiles {
            certificate: PathBuf::from(&certificate.text),
            key: PathBuf::from(&key.text),
        },
        (Some(alone), None) | (None, Some(alone)) => {
            return Err(ConfigError(format!(
                "{}: HTTPS needs both tls_certificate and tls_key; set the other one too",
                alone.origin
            )));
        }
        (None, None) => {
            let dependent = [&keys::HTTP_PORT, &keys::STRICT_TRANSPORT_SECURITY];
            return match dependent.into_iter().find_map(|key| raw.setting(key)) {
                None => Ok(None),
                Some(setting) => Err(ConfigError(format!(
                    "{}: only for HTTPS; set tls_certificate and tls_key, or remove this",
                    setting.origin
                ))),
            };
        }
    };
    let http_port = raw.read(&keys::HTTP_PORT, number)?;
    let port = raw.read(&keys::PORT, number)?;
    if http_port.is_some_and(|http_port: u16| http_port != 0 && Some(http_port) == port) {
        let setting = raw.setting(&keys::HTTP_PORT);
        let (origin, text) = setting.map_or(("http_port", ""), |s| (&s.origin, &s.text));
        return Err(ConfigError(format!(
            "{origin}: '{text}' is the port of HTTPS; choose another one for HTTP in clear"
        )));
    }
    let key = &keys::STRICT_TRANSPORT_SECURITY;
    Ok(Some(TlsSettings {
        files,
        http_port,
        strict_transport_security: raw.read(key, |text| {
            is_transport_policy(text).then(|| text.to_owned())
        })?,
    }))
}

/// RFC 6797, section 6.1: directives, of which `max-age` is needed.
fn is_transport_policy(text: &str) -> bool {
    let is_directive = |directive: &str| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name {
            "max-age" => number::<u64>(value).is_some(),
            "includeSubDomains" | "preload" => !directive.contains('='),
            _ => false,
        }
    };
    text.split("; ").all(is_directive) && text.starts_with("max-age=")
}
