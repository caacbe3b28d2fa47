//! Certificates for tests: an authority of their own, pairs that it issued, and the same key in
//! every form that the server reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
};
use release_server::config::TlsFiles;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A certificate with its chain, and its key, as PEM texts.
#[derive(Clone)]
pub struct PemPair {
    pub certificate: String,
    pub key: String,
}

impl PemPair {
    /// Writes both into `folder`, as a Kubernetes Secret names them. Only their owner may read the
    /// key.
    pub fn write(&self, folder: &Path) -> TlsFiles {
        let files = TlsFiles {
            certificate: folder.join("tls.crt"),
            key: folder.join("tls.key"),
        };
        std::fs::write(&files.certificate, &self.certificate).unwrap();
        std::fs::write(&files.key, &self.key).unwrap();
        let only_owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&files.key, only_owner).unwrap();
        files
    }
}

/// An authority that clients of a test trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub der: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test CA");
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self {
            issuer: Issuer::new(params, key),
            der,
        }
    }

    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// A pair for `localhost` and `127.0.0.1`, valid for long.
    pub fn pair(&self) -> PemPair {
        self.pair_with(&PKCS_ECDSA_P256_SHA256, 2099)
    }

    /// A pair with such a key, valid until that year begins.
    pub fn pair_with(&self, algorithm: &'static SignatureAlgorithm, end_year: i32) -> PemPair {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "releases.example.org");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(end_year, 1, 1);
        let key = if algorithm == &PKCS_RSA_SHA256 {
            let pkcs8 = unpem(include_str!("rsa_test_key.pem")).into();
            KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, algorithm).unwrap()
        } else {
            KeyPair::generate_for(algorithm).unwrap()
        };
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        PemPair {
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", key.serialized_der()),
        }
    }
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// The content of the first PEM block.
pub fn unpem(text: &str) -> Vec<u8> {
    let lines: String = text
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with("-----"))
        .collect();
    BASE64.decode(lines).unwrap()
}
