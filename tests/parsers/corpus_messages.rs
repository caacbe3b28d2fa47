//! Initial inputs for the fuzz targets of messages that other servers and the kernel send, and of
//! tokens.

use crate::corpus::owned;
use crate::properties;

/// Names, and counted records behind a question.
pub fn dns() -> Vec<Vec<u8>> {
    let record = |kind: u8, data: &[u8]| {
        let length = u8::try_from(data.len()).expect("short data");
        [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length], data].concat()
    };
    let alias = record(5, b"\x05other\xc0\x12");
    let (v4, v6) = (record(1, &[10, 0, 0, 1]), record(28, &[7; 16]));
    vec![
        b"store.example".to_vec(),
        b"a.b.".to_vec(),
        [&[1], &*v4].concat(),
        [&[1], &*v6].concat(),
        [&[3], &*alias, &v4, &v6].concat(),
        [&[2], &*v6, &v6].concat(),
        // The address of another kind.
        [&[1], &*record(1, &[7; 16])].concat(),
    ]
}

/// Lists, refusals and keys.
pub fn xml() -> Vec<Vec<u8>> {
    let contents = "<Contents><Key>a&amp;b &#233;&#x1F600;.zip</Key><Size>5</Size>\
        <ETag>\"x\"</ETag><LastModified>2026-01-31T12:00:00.000Z</LastModified></Contents>";
    let list = |rest: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3/\">\
             <IsTruncated>true</IsTruncated>{rest}{contents}{contents}</ListBucketResult>\n"
        )
    };
    let texts = [
        list(""),
        list("<NextContinuationToken>t</NextContinuationToken>"),
        "<Error><Code>NoSuchKey</Code><Message><![CDATA[a<b]]></Message><Resource/></Error>"
            .to_owned(),
        "<!-- a --><s:a x='1'><s:b/>text<c></c ></s:a>".to_owned(),
        "<a>".repeat(20) + &"</a>".repeat(20),
        "a.zip\nb&c<d>.zip\r\n\n]]>".to_owned(),
    ];
    owned(&texts).collect()
}

/// Tokens files, good and bad.
pub fn tokens() -> Vec<Vec<u8>> {
    let hash = properties::tokens::HASH;
    let issuer = "issuer: https://token.actions.githubusercontent.com, audience: a";
    let texts = [
        format!("tokens:\n- {{name: a, sha256: {hash}, may: [publish]}}\n"),
        format!(
            "tokens: [{{name: a, sha256: '{hash}', may: [publish, overwrite, delete],\n  \
             names: ['x*', 'y?'], expires: 2027-01-31T12:00:00Z, comment: c}}]"
        ),
        format!("tokens: [{{name: b, {issuer}, claims: {{repository: o/r}}, may: [publish]}}]"),
        format!("tokens:\n- {{name: a, sha256: {hash}}}\n- {{name: a, sha256: {hash}}}\n"),
        format!("tokens: [{{name: n, sha256: {hash}, may: {hash}, {hash}: 1}}]"),
        "tokens: []".to_owned(),
    ];
    owned(&texts).collect()
}

/// Identity tokens in clear, and key sets.
pub fn identity() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"alg":"RS256","kid":"1"}
{"iss":"https://i","sub":"s","aud":["a","b"],"exp":1800000000.5,"ref":true}"#,
        r#"{"alg":"ES256","crit":["x"]}
{}"#,
        r#"{"alg":"none"}
{"iss":"a","iss":"b"}"#,
        r#"{"keys":[{"kty":"RSA","kid":"1","use":"sig","alg":"RS256","n":"AQAB","e":"AQAB"},
{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"},{"kty":"oct","k":"AQAB"}]}"#,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln",
        "a.b.c.d",
    ];
    owned(&texts).collect()
}

/// Attributes, errors and beginnings of answers.
pub fn netlink() -> Vec<Vec<u8>> {
    let memory = [12, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let other = [5, 0, 6, 0, 9, 0, 0, 0];
    let error = [
        36, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff,
    ];
    vec![
        memory.to_vec(),
        [&other[..], &memory].concat(),
        memory[..6].to_vec(),
        vec![0; 8],
        error.to_vec(),
        error[..17].to_vec(),
    ]
}
