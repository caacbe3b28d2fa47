//! SHA-256 values: as they are written, and as clients state them.
//!
//! Sources: RFC 9530, sections 2 and 3; RFC 8941, sections 3.2 (dictionaries), 3.3.5 and 4.2.7
//! (byte sequences); docs/contract.md, section 1 (what a client may state).

use crate::with_fields;
use release_server::checksum::Sha256;
use release_server::http::digest::{DigestError, member, stated};
use sha2::Digest;

/// Of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Of `hello`.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

type Stated = Result<Option<&'static str>, DigestError>;

const REPR: Stated = Err(DigestError::DigestField("Repr-Digest"));
const CONTENT: Stated = Err(DigestError::DigestField("Content-Digest"));

/// Header lines of an upload whose body is the file, and the digest that they state.
pub const STATED: &[(&[&str], Stated)] = &[
    (&[], Ok(None)),
    (
        &["Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        Ok(Some(EMPTY)),
    ),
    (
        &["Content-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"],
        Ok(Some(HELLO)),
    ),
    (
        &["X-Checksum-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
        Ok(Some(HELLO)),
    ),
    (
        &["X-Checksum-SHA256: 2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"],
        Ok(Some(HELLO)),
    ),
    // Other algorithms, before and after; alone they state nothing.
    (
        &["Repr-Digest: sha-512=:YQ==:, \
                sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:,md5=:YQ==:"],
        Ok(Some(EMPTY)),
    ),
    (&["Repr-Digest: sha-512=:YQ==:"], Ok(None)),
    (&["Repr-Digest:"], Ok(None)),
    (&["Want-Repr-Digest: sha-256=1"], Ok(None)),
    (
        &["Digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
        Ok(None),
    ),
    // Several statements agree or contradict each other.
    (
        &[
            "Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "Content-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "X-Checksum-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ],
        Ok(Some(HELLO)),
    ),
    (
        &[
            "Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        ],
        Err(DigestError::Contradiction),
    ),
    (
        &[
            "X-Checksum-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "X-Checksum-Sha256: 3cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ],
        Err(DigestError::Contradiction),
    ),
    // Not a byte sequence of 32 bytes.
    (&["Repr-Digest: sha-256"], REPR),
    (&["Repr-Digest: sha-256="], REPR),
    (&["Repr-Digest: sha-256=::"], REPR),
    (&["Repr-Digest: sha-256=:"], REPR),
    (&["Repr-Digest: sha-256=?1"], REPR),
    (
        &["Repr-Digest: sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
        REPR,
    ),
    (
        &["Repr-Digest: sha-256=\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\""],
        REPR,
    ),
    (
        &["Repr-Digest: sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        REPR,
    ),
    (
        &["Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS:"],
        REPR,
    ),
    (
        &["Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA:"],
        REPR,
    ),
    (
        &["Repr-Digest: sha-256=:47DEQpj8 HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        REPR,
    ),
    (
        &[
            "Repr-Digest: sha-256=:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\
                :",
        ],
        REPR,
    ),
    (&["Repr-Digest: sha-512=:YQ==:, sha-256=:YQ==:"], REPR),
    (&["Content-Digest: sha-256=:YQ==:"], CONTENT),
    // Not 64 hexadecimal digits.
    (&["X-Checksum-Sha256:"], Err(DigestError::Checksum)),
    (&["X-Checksum-Sha256: abc"], Err(DigestError::Checksum)),
    (
        &["X-Checksum-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982"],
        Err(DigestError::Checksum),
    ),
    (
        &["X-Checksum-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b98240"],
        Err(DigestError::Checksum),
    ),
    (
        &["X-Checksum-Sha256: +cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
        Err(DigestError::Checksum),
    ),
    (
        &["X-Checksum-Sha256: sha256:4dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
        Err(DigestError::Checksum),
    ),
];

fn assert_states(lines: &[&str], body_is_file: bool, expected: Stated) {
    let found = with_fields(lines, |fields| stated(fields, body_is_file));
    let found = found.map(|digest| digest.map(|digest| digest.hex()));
    let expected = expected.map(|digest| digest.map(str::to_owned));
    assert_eq!(found, expected, "{lines:?}");
}

#[test]
fn statements_are_understood_or_refused() {
    for (lines, expected) in STATED {
        assert_states(lines, true, *expected);
    }
}

/// In a form the body is more than the file, so its digest does not describe the file.
#[test]
fn content_digests_of_forms_are_ignored() {
    for value in [
        "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
        "sha-256=:YQ==:",
        "?",
    ] {
        let content = format!("Content-Digest: {value}");
        assert_states(&[&content], false, Ok(None));
        let checksum = format!("X-Checksum-Sha256: {EMPTY}");
        assert_states(&[&content, &checksum], false, Ok(Some(EMPTY)));
    }
}

/// RFC 8941, section 4.2.7: parsers should not fail where padding is missing, or where its bits are
/// not zero.
#[test]
fn padding_may_be_left_out() {
    for value in [
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
    ] {
        let line = format!("Repr-Digest: sha-256=:{value}:");
        assert_states(&[&line], true, Ok(Some(EMPTY)));
    }
}

/// RFC 8941, section 3.2: any member of a dictionary may have parameters; RFC 9530 gives them no
/// meaning.
#[test]
fn parameters_of_a_member_are_ignored() {
    let line = "Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:;a=b";
    assert_states(&[line], true, Ok(Some(EMPTY)));
}

/// The module's invariant: a digest that a client states is understood or refused. A member with an
/// invalid key (RFC 8941, section 3.1.2: lower case, no blank before `=`) makes the whole field
/// invalid.
#[test]
fn a_key_that_is_none_is_refused() {
    for key in ["SHA-256", "Sha-256", "sha-256 ", " sha-256\t", ""] {
        let line =
            format!("Repr-Digest: a=:YQ==:,{key}=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
        assert_states(&[&line], true, REPR);
    }
}

#[test]
fn values_are_written_as_they_are_read() {
    for content in ["", "hello", "release-server"] {
        let bytes: [u8; 32] = sha2::Sha256::digest(content).into();
        let value = Sha256::new(bytes);
        assert_eq!(value.as_bytes(), &bytes);
        assert_eq!(Sha256::from_hex(value.hex().as_bytes()), Some(value));
        let upper = value.hex().to_ascii_uppercase();
        assert_eq!(Sha256::from_hex(upper.as_bytes()), Some(value));
        let line = format!("Repr-Digest: {}", member(&value));
        let found = with_fields(&[&line], |fields| stated(fields, false));
        assert_eq!(found, Ok(Some(value)));
    }
    let empty = Sha256::from_hex(EMPTY.as_bytes()).unwrap();
    let expected = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    assert_eq!(member(&empty), expected);
    assert_eq!(
        (empty.hex(), format!("{empty:?}")),
        (EMPTY.to_owned(), EMPTY.to_owned())
    );
}
