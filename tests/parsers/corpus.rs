//! Initial inputs for each fuzz target: the entries of the tables, good and bad alike.

use crate::smoke::TARGETS;
use crate::{
    authority, chunked, conditional, config_refusals, date, differential, digest, disposition,
    head_refused, manifest_tables, multipart_tables, name, parameters, pattern as patterns,
    properties, range, target as targets, value as values, version as versions, yaml, zip,
};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The inputs of a table whose rows are pairs.
fn inputs<I: AsRef<[u8]>, T>(table: &[(I, T)]) -> impl Iterator<Item = Vec<u8>> {
    table.iter().map(|(input, _)| input.as_ref().to_vec())
}

/// The inputs of a table of single values.
fn owned<I: AsRef<[u8]>>(table: &[I]) -> impl Iterator<Item = Vec<u8>> {
    table.iter().map(|input| input.as_ref().to_vec())
}

/// Heads, and lines that may not occur in one.
pub fn head() -> Vec<Vec<u8>> {
    differential::seeds()
}

/// Chunked bodies.
pub fn body() -> Vec<Vec<u8>> {
    inputs(chunked::VALID)
        .chain(inputs(chunked::MALFORMED))
        .collect()
}

/// Whole forms, with each part head, content, preamble and epilogue of the tables.
pub fn multipart() -> Vec<Vec<u8>> {
    let form = |preamble: &[u8], head: &[u8], content: &[u8], epilogue: &[u8]| {
        let end: &[u8] = b"\r\n--xYz--";
        [
            preamble,
            b"--xYz\r\n",
            head,
            b"\r\n",
            content,
            end,
            epilogue,
        ]
        .concat()
    };
    let head = multipart_tables::PART_HEADS[4].0;
    let part_heads = multipart_tables::PART_HEADS.iter().map(|(head, ..)| *head);
    let refused = multipart_tables::REFUSED_PART_HEADS
        .iter()
        .map(|(head, _)| *head);
    let contents = multipart_tables::CONTENTS.iter();
    let preambles = multipart_tables::PREAMBLES.iter();
    let epilogues = multipart_tables::EPILOGUES.iter();
    inputs(multipart_tables::FORMS)
        .chain(
            part_heads
                .chain(refused)
                .map(|head| form(b"", head, b"x", b"")),
        )
        .chain(contents.map(|content| form(b"", head, content, b"\r\n")))
        .chain(preambles.map(|preamble| form(preamble, head, b"x", b"")))
        .chain(epilogues.map(|epilogue| form(b"", head, b"x", epilogue)))
        .collect()
}

/// Values with parameters, and names of packages.
pub fn disposition() -> Vec<Vec<u8>> {
    let valid = disposition::VALID.iter().map(|(text, ..)| text.to_vec());
    let others = parameters::VALID.iter().map(|(text, ..)| text.to_vec());
    valid
        .chain(owned(disposition::REFUSED))
        .chain(others)
        .chain(owned(parameters::MALFORMED))
        .chain(inputs(multipart_tables::CONTENT_TYPES))
        .chain(owned(name::VALID))
        .chain(inputs(name::REFUSED))
        .chain(owned(name::REFUSED_TWICE))
        .chain(owned(disposition::NAMES))
        .collect()
}

/// Header lines with conditions, ranges and digests; ranges and dates by themselves.
pub fn fields() -> Vec<Vec<u8>> {
    let lines = |lines: &[&str]| lines.join("\r\n").into_bytes();
    let if_ranges = conditional::IF_RANGE.iter();
    conditional::CONDITIONS
        .iter()
        .map(|(entry, _)| lines(entry))
        .chain(digest::STATED.iter().map(|(entry, _)| lines(entry)))
        .chain(if_ranges.map(|(value, _)| format!("If-Range: {value}").into_bytes()))
        .chain(inputs(range::OF_TEN))
        .chain(
            date::WRITTEN
                .iter()
                .map(|(_, written, _)| written.as_bytes().to_vec()),
        )
        .chain(
            date::OBSOLETE
                .iter()
                .map(|(_, text)| text.as_bytes().to_vec()),
        )
        .chain(owned(date::REFUSED))
        .collect()
}

/// Targets, queries, path segments and authorities.
pub fn target() -> Vec<Vec<u8>> {
    let valid = targets::VALID
        .iter()
        .map(|(text, ..)| text.as_bytes().to_vec());
    let queries = targets::PARAMETERS
        .iter()
        .map(|(query, ..)| query.as_bytes().to_vec());
    valid
        .chain(inputs(targets::REFUSED))
        .chain(queries)
        .chain(inputs(targets::SEGMENTS))
        .chain(owned(authority::VALID))
        .chain(owned(authority::INVALID))
        .chain(owned(head_refused::REFUSED_HOSTS))
        .collect()
}

/// Values of settings.
pub fn value() -> Vec<Vec<u8>> {
    let bad = config_refusals::BAD_VALUES.iter();
    inputs(values::SIZES)
        .chain(inputs(values::DURATIONS))
        .chain(inputs(values::SWITCHES))
        .chain(inputs(values::LOG_FILTERS))
        .chain(inputs(values::BASE_URLS))
        .chain(bad.flat_map(|(_, texts)| owned(texts)))
        .collect()
}

/// YAML documents, `.env` files and values.
pub fn config() -> Vec<Vec<u8>> {
    let good = [
        "port: 80\nhost: '::1'\nauth_token: abc\nstorage_path: /x y\npublic_url: https://a/b/\n",
        "max_packages: 5\ntrust_forwarded: on\nauth_token: 'a'\nmax_upload_size: 5 MiB\nlog_level: \
            warn,a=debug",
        "workers: 3\nmax_connections: 9\nshutdown_delay: 1m\nshutdown_grace: 2\n",
        "# a comment\n\nexport AUTH_TOKEN='a b'\nPORT=\"5\" # five\nHOST=::1\nWORKERS=${PORT}\n",
    ];
    owned(&good)
        .chain(owned(config_refusals::MISTAKES))
        .chain(value())
        .collect()
}

/// Archives of every layout, and those that are refused.
pub fn archive() -> Vec<Vec<u8>> {
    zip::seeds()
}

/// Manifests, documents, scalars and versions.
pub fn yaml() -> Vec<Vec<u8>> {
    let changed = manifest_tables::CHANGED.iter();
    let manifests = manifest_tables::GOOD
        .iter()
        .map(|(_, text)| text.as_bytes().to_vec());
    manifests
        .chain(changed.map(|(kind, from, to, _)| {
            manifest_tables::good(*kind)
                .replacen(from, to, 1)
                .into_bytes()
        }))
        .chain(inputs(yaml::NOT_TEXTS))
        .chain(owned(yaml::TEXTS))
        .chain(inputs(yaml::REFUSED))
        .collect()
}

/// Patterns with a name each.
pub fn pattern() -> Vec<Vec<u8>> {
    let rows = patterns::TABLE.iter();
    let pairs = rows.map(|(pattern, name, _)| format!("{pattern}\n{name}").into_bytes());
    let too_long = "?".repeat(250).into_bytes();
    pairs.chain([too_long]).collect()
}

/// Names with versions, three at a time.
pub fn version() -> Vec<Vec<u8>> {
    let names: Vec<&str> = versions::NAMES.iter().map(|(name, ..)| *name).collect();
    let windows = names.windows(3).chain(versions::ASCENDING.windows(3));
    windows.map(|names| names.join("\n").into_bytes()).collect()
}

/// Values of headers, after a byte that chooses status and version.
pub fn response() -> Vec<Vec<u8>> {
    let names = owned(disposition::NAMES).chain(owned(name::VALID));
    let choices = (0..=255).step_by(7);
    choices
        .zip(names.collect::<Vec<_>>().into_iter().cycle())
        .map(|(choice, name)| [&[choice], name.as_slice(), b"\n\"tag\"\n/packages"].concat())
        .collect()
}

/// Repositories with names of packages.
pub fn release() -> Vec<Vec<u8>> {
    let names: Vec<&str> = versions::NAMES.iter().map(|(name, ..)| *name).collect();
    let several = names.chunks(5).map(|names| names.join("\n").into_bytes());
    let odd = owned(name::VALID).chain(owned(disposition::NAMES));
    several
        .chain(odd)
        .map(|names| [b"owner\n", names.as_slice()].concat())
        .collect()
}

/// Texts that would leave their place in a page, a log line or a header if nothing escaped them.
const BREAKING_OUT: &[&str] = &[
    "a\"><script>alert(1)</script>.zip",
    "a&amp;b&lt;&#39;.zip",
    "'\"`<!--]]>.zip",
    "\u{202e}piz.a\u{2066}",
    "</title><style>",
    "{base}{name}",
    "\",\"level\":\"ERROR",
    "\\u0022\u{7f}\u{85}\u{2028}\u{feff}",
];

/// Names and sentences of pages.
pub fn page() -> Vec<Vec<u8>> {
    release().into_iter().chain(owned(BREAKING_OUT)).collect()
}

/// Messages with a field each.
pub fn log_line() -> Vec<Vec<u8>> {
    let texts = owned(BREAKING_OUT).chain(owned(disposition::NAMES));
    texts
        .map(|text| [b"a message\n", text.as_slice()].concat())
        .collect()
}

/// Sidecars' texts, good and bad.
pub fn checksum() -> Vec<Vec<u8>> {
    let digits = "0123456789abcdef".repeat(4);
    let texts = [
        digits.clone(),
        format!("{digits}\n"),
        digits.to_uppercase(),
        format!("{digits}0"),
        digits[1..].to_owned(),
        format!("{digits}  name.zip"),
        String::new(),
    ];
    owned(&texts).collect()
}

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

#[test]
#[ignore = "writes fuzz/corpus/, for scripts/fuzz.sh"]
fn corpora_are_written() {
    for (target, corpus) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        fs::create_dir_all(&folder).expect("a folder");
        for (number, entry) in corpus().iter().enumerate() {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(folder.join(format!("table-{number:03}")))
                .and_then(|mut file| file.write_all(entry))
                .expect("a file of the corpus");
        }
    }
}
