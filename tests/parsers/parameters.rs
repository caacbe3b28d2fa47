//! Values with parameters: the syntax that `Content-Type` and `Content-Disposition` share.
//!
//! Sources: RFC 9110, sections 5.6.2 (tokens), 5.6.4 (quoted strings) and 5.6.6 (parameters); but a
//! backslash escapes only a quote or a backslash, because clients that send Windows paths do not
//! escape theirs.

use release_server::http::parameters::{Malformed, Parameterised};

/// A text, the value in it, and every parameter.
pub type Read = (
    &'static [u8],
    &'static str,
    &'static [(&'static str, &'static [u8])],
);

/// Texts to read.
pub const VALID: &[Read] = &[
    (b"form-data", "form-data", &[]),
    (b" \tform-data \t", "form-data", &[]),
    (b"Form-Data; NAME=Value", "form-data", &[("name", b"Value")]),
    (
        b"multipart/form-data;boundary=a",
        "multipart/form-data",
        &[("boundary", b"a")],
    ),
    (b"a; b=c; d=e", "a", &[("b", b"c"), ("d", b"e")]),
    (b"a\t;\tb=c\t;\td=e\t", "a", &[("b", b"c"), ("d", b"e")]),
    (b"a;b*=UTF-8''c%20d", "a", &[("b*", b"UTF-8''c%20d")]),
    (b"a; b=!#$%&'*+-.^_`|~9", "a", &[("b", b"!#$%&'*+-.^_`|~9")]),
    (b"a; b=c; b*=d", "a", &[("b", b"c"), ("b*", b"d")]),
    // Empty parameters are allowed.
    (b"a;", "a", &[]),
    (b"a ; ; ;", "a", &[]),
    (b"a;; b=c;;", "a", &[("b", b"c")]),
    // Quoted strings.
    (b"a; b=\"\"", "a", &[("b", b"")]),
    (b"a; b=\"c d\"", "a", &[("b", b"c d")]),
    (b"a; b=\"c;d=e\"; f=g", "a", &[("b", b"c;d=e"), ("f", b"g")]),
    (b"a; b=\"c\\\"d\"; e=f", "a", &[("b", b"c\"d"), ("e", b"f")]),
    (b"a; b=\"c\\\\\"; d=e", "a", &[("b", b"c\\"), ("d", b"e")]),
    (b"a; b=\"\\\\\\\"\"", "a", &[("b", b"\\\"")]),
    (b"a; b=\"C:\\dir\\x.zip\"", "a", &[("b", b"C:\\dir\\x.zip")]),
    (b"a; b=\"=\"; c=\",\"", "a", &[("b", b"="), ("c", b",")]),
    (b"a; b=\"\xc3\xa4\xff\"", "a", &[("b", b"\xc3\xa4\xff")]),
    (b"a; b=\"\t\"", "a", &[("b", b"\t")]),
];

/// Texts to refuse.
pub const MALFORMED: &[&[u8]] = &[
    b"",
    b" ",
    b";",
    b"; a=b",
    b"a b",
    b"a b; c=d",
    b"a=b",
    b"a, b=c",
    b"a: b",
    b"\"a\"; b=c",
    b"\xc3\xa4",
    b"a; b",
    b"a; b;",
    b"a; b=",
    b"a; b=;",
    b"a; =c",
    b"a; =",
    b"a; b =c",
    b"a; b= c",
    b"a; b=c d",
    b"a; b=c d=e",
    b"a; b=c, d=e",
    b"a; b=c=d",
    b"a; b=c/d",
    b"a; b=(c)",
    b"a; b=\xc3\xa4",
    b"a; \xc3\xa4=b",
    b"a; \"b\"=c",
    // Quoted strings without an end, or with text after it.
    b"a; b=\"",
    b"a; b=\"c",
    b"a; b=\"c\\\"",
    b"a; b=\"c\\",
    b"a; b=c\"",
    b"a; b=\"c\"d",
    b"a; b=\"c\"\"d\"",
    b"a; b=\"c\" d=e",
    // A repeated parameter: two readers would take different ones.
    b"a; b=c; b=c",
    b"a; b=c; d=e; B=f",
    b"a; b=\"c\"; b=d",
];

#[test]
fn valid_texts_are_read() {
    for (text, value, parameters) in VALID {
        let shown = text.escape_ascii();
        let parsed = Parameterised::parse(text).unwrap_or_else(|_| panic!("{shown} is refused"));
        assert_eq!(parsed.value, *value, "{shown}");
        for (name, value) in *parameters {
            assert_eq!(parsed.get(name), Some(*value), "{shown}");
        }
        for absent in ["", "x", "form-data", "b ", "UTF-8"] {
            assert_eq!(parsed.get(absent), None, "{shown}");
        }
    }
}

#[test]
fn malformed_texts_are_refused() {
    for text in MALFORMED {
        assert_eq!(
            Parameterised::parse(text),
            Err(Malformed),
            "{}",
            text.escape_ascii()
        );
    }
}

/// A reader that ends a value at the first quote or semicolon would truncate the file's name.
#[test]
fn any_text_survives_a_quoted_string() {
    let texts = [
        "\"",
        "\\",
        "\\\"",
        "\"\\",
        "a;b",
        "a\"; c=\"d",
        "\\\\",
        "=",
        "''",
        "\\n",
        "",
    ];
    for text in texts {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        let field = format!("a; first=x; b=\"{quoted}\"; last=y");
        let parsed = Parameterised::parse(field.as_bytes()).expect("a quoted string");
        assert_eq!(parsed.get("b"), Some(text.as_bytes()), "{field}");
        assert_eq!(parsed.get("last"), Some(b"y".as_slice()), "{field}");
    }
}
