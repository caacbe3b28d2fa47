//! What pairs of files are accepted, and the one sentence about each that is not.

use crate::certificates::{Authority, PemPair, pem, unpem};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use release_server::tls::Pair;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

fn read(pair: &PemPair) -> Result<Pair, String> {
    let folder = tempfile::tempdir().unwrap();
    let files = pair.write(folder.path());
    let name = format!("{}/", folder.path().display());
    Pair::read(&files, SystemTime::now()).map_err(|sentence| sentence.replace(&name, ""))
}

#[test]
fn every_kind_of_key_in_every_form_is_read() {
    let authority = Authority::new();
    let rsa = authority.pair_with(&PKCS_RSA_SHA256, 2099);
    let p256 = authority.pair_with(&PKCS_ECDSA_P256_SHA256, 2099);
    let p384 = authority.pair_with(&PKCS_ECDSA_P384_SHA384, 2099);
    let with_key = |pair: &PemPair, label: &str| PemPair {
        key: traditional(&pair.key, label),
        ..pair.clone()
    };
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let after_parameters = PemPair {
        key: format!("{parameters}{}", traditional(&p256.key, "EC PRIVATE KEY")),
        ..p256.clone()
    };
    let one_text = format!("{}{}", p256.key, p256.certificate);
    let table = [
        ("RSA, PKCS#8", rsa.clone()),
        ("RSA, PKCS#1", with_key(&rsa, "RSA PRIVATE KEY")),
        ("P-256, PKCS#8", p256.clone()),
        ("P-256, SEC1", with_key(&p256, "EC PRIVATE KEY")),
        ("P-384, PKCS#8", p384.clone()),
        ("P-384, SEC1", with_key(&p384, "EC PRIVATE KEY")),
        ("Ed25519", authority.pair_with(&PKCS_ED25519, 2099)),
        ("SEC1 after its parameters", after_parameters),
        (
            "both in one file",
            PemPair {
                certificate: one_text.clone(),
                key: one_text,
            },
        ),
        (
            "with its chain, and words between",
            PemPair {
                certificate: format!(
                    "subject=x\n{}\nissuer\n{}",
                    p256.certificate,
                    authority.pem()
                ),
                ..p256.clone()
            },
        ),
    ];
    for (what, pair) in table {
        let read = read(&pair).unwrap_or_else(|sentence| panic!("{what}: {sentence}"));
        assert_eq!(read.facts.subject, "CN=releases.example.org", "{what}");
        assert_eq!(
            read.facts.names,
            ["localhost", "127.0.0.1", "::1"],
            "{what}"
        );
        assert_eq!(read.warnings, [""; 0], "{what}");
    }
}

#[test]
fn a_wrong_file_gets_one_sentence() {
    let authority = Authority::new();
    let good = authority.pair();
    let certificate = |text: &str| PemPair {
        certificate: text.to_owned(),
        ..good.clone()
    };
    let key = |text: &str| PemPair {
        key: text.to_owned(),
        ..good.clone()
    };
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old_encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n\
                         -----END RSA PRIVATE KEY-----\n";
    let damaged = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let table = [
        (
            certificate(""),
            "tls.crt: there is no certificate in it; it takes a PEM file",
        ),
        (
            certificate(&good.key),
            "tls.crt: there is no certificate in it",
        ),
        (
            certificate(&good.certificate[..200]),
            "tls.crt: the PEM text in it is damaged",
        ),
        (
            certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "tls.crt: the first certificate is damaged",
        ),
        (
            key("not a key"),
            "tls.key: there is no private key in it; it takes a PEM file",
        ),
        (
            key(&good.certificate),
            "tls.key: there is no private key in it",
        ),
        (
            key(encrypted),
            "tls.key: the key is encrypted; it takes a key without a passphrase",
        ),
        (key(old_encrypted), "tls.key: the key is encrypted"),
        (
            key(damaged),
            "tls.key: the key is damaged or of an unsupported kind; supported are",
        ),
        (
            key(&authority.pair().key),
            "tls.key: the key does not belong to the first certificate in tls.crt",
        ),
        (
            authority.pair_with(&PKCS_ECDSA_P256_SHA256, 2021),
            "tls.crt: the certificate expired at 2021-01-01T00:00:00Z",
        ),
        (
            certificate(&" ".repeat(300_000)),
            "tls.crt: longer than 262144 bytes, so not a PEM file of TLS",
        ),
    ];
    for (pair, sentence) in table {
        let refusal = read(&pair).unwrap_err();
        assert!(refusal.starts_with(sentence), "{refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = Authority::new().pair().write(folder.path());
    std::fs::remove_file(&files.key).unwrap();
    let refusal = Pair::read(&files, SystemTime::now()).unwrap_err();
    let key = files.key.display();
    assert_eq!(
        refusal,
        format!("{key}: cannot be read: No such file or directory (os error 2)")
    );
}

#[test]
fn what_an_operator_should_change_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let files = Authority::new().pair().write(folder.path());
    let everybody = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&files.key, everybody).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(420_000);
    let warnings = Pair::read(&files, long_ago).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("every account of this system may read the key"));
    assert!(warnings[1].contains("is not valid before 2020-01-01T00:00:00Z"));
}

/// The key inside a PKCS#8 text, in the older form of its kind: SEC1 for ECDSA, PKCS#1 for RSA.
/// It is the one octet string (tag 4) that begins with a sequence (tag 0x30).
fn traditional(pkcs8_pem: &str, label: &str) -> String {
    let der = unpem(pkcs8_pem);
    let inner = (1..der.len())
        .filter(|at| der[*at] == 0x30)
        .find_map(|at| {
            // The octet string's own length has one, two or three bytes.
            let octets = [2, 3, 4].iter().any(|back| {
                let head = at.checked_sub(*back).map(|from| &der[from..at]);
                matches!(head, Some([4, 0x82, _, _] | [4, 0x81, _] | [4, 0..=0x7f]))
            });
            octets.then(|| &der[at..])
        })
        .unwrap();
    // A sequence says its own length: what follows it are attributes of PKCS#8.
    let length = match inner[1] {
        0x82 => 4 + usize::from(u16::from_be_bytes([inner[2], inner[3]])),
        0x81 => 3 + usize::from(inner[2]),
        short => 2 + usize::from(short),
    };
    pem(label, &inner[..length])
}
