//! A certificate with its chain, and its private key: read from PEM files and checked against each
//! other.
//!
//! Invariants: a [`Pair`] fits together and had not expired when it was read; whatever is wrong
//! with the files is one sentence that names the file and says what it takes; nothing of a key's
//! content is part of a message.
//!
//! Sources: RFC 7468 (PEM), RFC 5958 (PKCS#8), RFC 5915 (SEC1), RFC 8017 (RSA).

use super::facts::Facts;
use crate::config::TlsFiles;
use crate::date;
use crate::limits::PEM_BYTES_MAX;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// The permission bit that lets every account of the system read a file.
const READABLE_BY_ALL: u32 = 0o004;

/// What `check-config` shows of a pair; the sentence says what is wrong with it.
pub fn describe(files: &TlsFiles, now: SystemTime) -> Result<String, String> {
    let Pair {
        facts, warnings, ..
    } = Pair::read(files, now)?;
    let mut lines = format!(
        "\ncertificate  {}\n  for        {}\n  expires    {}\n  key        fits\n",
        facts.subject,
        facts.names.join(", "),
        date::rfc3339(facts.not_after)
    );
    for warning in warnings.into_iter().chain(facts.expiry_warning(now)) {
        lines.extend(["warning: ", &warning, "\n"]);
    }
    Ok(lines)
}

/// What both files hold, and whether every account may read the key's.
#[derive(PartialEq, Eq)]
pub struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    key_is_readable_by_all: bool,
}

impl Contents {
    pub fn read(files: &TlsFiles) -> Result<Self, String> {
        let (certificate, _) = read_file(&files.certificate)?;
        let (key, mode) = read_file(&files.key)?;
        Ok(Self {
            certificate,
            key,
            key_is_readable_by_all: mode & READABLE_BY_ALL != 0,
        })
    }
}

/// The file's content and its permission bits.
fn read_file(path: &Path) -> Result<(Vec<u8>, u32), String> {
    let shown = path.display();
    let unreadable = |error| format!("{shown}: cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    let mut content = Vec::new();
    file.take(PEM_BYTES_MAX + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if content.len() as u64 > PEM_BYTES_MAX {
        return Err(format!(
            "{shown}: longer than {PEM_BYTES_MAX} bytes, so not a PEM file of TLS"
        ));
    }
    Ok((content, mode))
}

/// A certificate and the key that belongs to it.
#[derive(Debug)]
pub struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub facts: Facts,
    /// What an operator should change although the pair can be used: one sentence each.
    pub warnings: Vec<String>,
}

impl Pair {
    /// Reads and checks both files.
    pub fn read(files: &TlsFiles, now: SystemTime) -> Result<Self, String> {
        Self::check(files, &Contents::read(files)?, now)
    }

    /// Checks what was read from `files`.
    pub fn check(files: &TlsFiles, contents: &Contents, now: SystemTime) -> Result<Self, String> {
        let shown = files.certificate.display();
        let chain = chain(&contents.certificate).map_err(|why| format!("{shown}: {why}"))?;
        let facts = chain.first().and_then(|first| Facts::read(first));
        let facts = facts.ok_or_else(|| format!("{shown}: the first certificate is damaged"))?;
        let key = key(&contents.key).map_err(|why| format!("{}: {why}", files.key.display()))?;
        let signing_key = any_supported_type(&key).map_err(|_| {
            format!(
                "{}: the key is damaged or of an unsupported kind; supported are ECDSA P-256 and \
                 P-384, Ed25519, and RSA of 2048 to 4096 bits",
                files.key.display()
            )
        })?;
        let certified = CertifiedKey::new(chain, signing_key);
        if certified.keys_match().is_err() {
            return Err(format!(
                "{}: the key does not belong to the first certificate in {shown}",
                files.key.display()
            ));
        }
        if facts.not_after < now {
            let expired = date::rfc3339(facts.not_after);
            return Err(format!("{shown}: the certificate expired at {expired}"));
        }
        let mut warnings = Vec::new();
        if contents.key_is_readable_by_all {
            warnings.push(format!(
                "{}: every account of this system may read the key; take that right away with \
                 chmod o-r",
                files.key.display()
            ));
        }
        if facts.not_before > now {
            let begins = date::rfc3339(facts.not_before);
            warnings.push(format!(
                "{shown}: the certificate is not valid before {begins}"
            ));
        }
        Ok(Self {
            certified: Arc::new(certified),
            facts,
            warnings,
        })
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|_| "the PEM text in it is damaged".to_owned())?;
    if chain.is_empty() {
        return Err(
            "there is no certificate in it; it takes a PEM file with the server's certificate \
             first, then those of its issuers"
                .to_owned(),
        );
    }
    Ok(chain)
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let contains = |text: &[u8]| memchr::memmem::find(pem, text).is_some();
    if contains(b"BEGIN ENCRYPTED PRIVATE KEY") || contains(b"Proc-Type: 4,ENCRYPTED") {
        return Err(
            "the key is encrypted; it takes a key without a passphrase, \
                    as `openssl pkey -in FILE -out NEW` writes it"
                .to_owned(),
        );
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        PemError::NoItemsFound => {
            "there is no private key in it; it takes a PEM file with a PKCS#8, \
                                   SEC1 or RSA private key"
                .to_owned()
        }
        _ => "the PEM text in it is damaged".to_owned(),
    })
}
