//! Request heads that must be refused, with the reason that must be given.
//!
//! Sources: RFC 9112, sections 2.2 (line ends), 3 (request line), 5 (fields), 6 (body); RFC 9110,
//! section 7.2 (Host); RFC 3986, section 3.2 (authority); docs/contract.md, section 7 (what is
//! ambiguous is refused).

use release_server::http::framing::FramingError;
use release_server::http::head::HeadError;
use release_server::http::target::TargetError;

const NO_NAME: HeadError = HeadError::Syntax(httparse::Error::HeaderName);
const NO_VALUE: HeadError = HeadError::Syntax(httparse::Error::HeaderValue);
const NO_TOKEN: HeadError = HeadError::Syntax(httparse::Error::Token);
const NO_LINE: HeadError = HeadError::Syntax(httparse::Error::NewLine);
const NO_VERSION: HeadError = HeadError::Syntax(httparse::Error::Version);
const FORM: HeadError = HeadError::Target(TargetError::Form);
const FRAGMENT: HeadError = HeadError::Target(TargetError::Fragment);
const TWO_LENGTHS: HeadError = HeadError::Framing(FramingError::TwoLengths);
const NO_LENGTH: HeadError = HeadError::Framing(FramingError::LengthSyntax);
const BOTH: HeadError = HeadError::Framing(FramingError::LengthWithCoding);
const CODING: HeadError = HeadError::Framing(FramingError::UnknownCoding);
const OLD_CODING: HeadError = HeadError::Framing(FramingError::CodingInOldVersion);

/// Parts of heads that are refused with any request line and Host: the lines up to the blank line.
pub const REFUSED_FIELDS: &[(&[u8], HeadError)] = &[
    // Lines that end in LF alone, NUL, other control characters, CR alone.
    (b"X: y\n", HeadError::BareLineFeed),
    (b"X: y\r\nZ:\n", HeadError::BareLineFeed),
    (b"\n", HeadError::BareLineFeed),
    (b"X: y\nContent-Length: 5\r\n", HeadError::BareLineFeed),
    (b"X: a\0b\r\n", NO_VALUE),
    (b"X\0: b\r\n", NO_NAME),
    (b"X: a\x0bb\r\n", NO_VALUE),
    (b"X: a\x7fb\r\n", NO_VALUE),
    (b"X: a\rb\r\n", NO_VALUE),
    (b"X: a\r\r\n", NO_VALUE),
    (b"X:\r\r\n", NO_VALUE),
    (b"\rX: a\r\n", NO_LINE),
    // Folded lines, blanks before the colon, lines without name or colon.
    (b"X: a\r\n b\r\n", NO_NAME),
    (b"X: a\r\n\tb\r\n", NO_NAME),
    (b" X: a\r\n", NO_NAME),
    (b"X : a\r\n", NO_NAME),
    (b"X\t: a\r\n", NO_NAME),
    (b"Content-Length : 5\r\n", NO_NAME),
    (b"Transfer-Encoding\x0b: chunked\r\n", NO_NAME),
    (b": a\r\n", NO_NAME),
    (b"X\r\n", NO_NAME),
    (b"X a\r\n", NO_NAME),
    (b"X\xe4: a\r\n", NO_NAME),
    (b"X(: a\r\n", NO_NAME),
    (b"\"X\": a\r\n", NO_NAME),
    // Lengths.
    (b"Content-Length: 5\r\nContent-Length: 5\r\n", TWO_LENGTHS),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", TWO_LENGTHS),
    (
        b"Content-Length: 5\r\nX: y\r\ncontent-length: 0\r\n",
        TWO_LENGTHS,
    ),
    (b"Content-Length:\r\nContent-Length: 5\r\n", TWO_LENGTHS),
    (b"Content-Length: 5, 5\r\n", TWO_LENGTHS),
    (b"Content-Length: 5,\r\n", TWO_LENGTHS),
    (b"Content-Length: ,5\r\n", TWO_LENGTHS),
    (b"Content-Length: +5\r\n", NO_LENGTH),
    (b"Content-Length: -5\r\n", NO_LENGTH),
    (b"Content-Length: -0\r\n", NO_LENGTH),
    (b"Content-Length: 0x5\r\n", NO_LENGTH),
    (b"Content-Length: ff\r\n", NO_LENGTH),
    (b"Content-Length: 5.0\r\n", NO_LENGTH),
    (b"Content-Length: 5e1\r\n", NO_LENGTH),
    (b"Content-Length: 5;q=1\r\n", NO_LENGTH),
    (b"Content-Length: \"5\"\r\n", NO_LENGTH),
    (b"Content-Length: 5 5\r\n", NO_LENGTH),
    (b"Content-Length: 5\t5\r\n", NO_LENGTH),
    (b"Content-Length: 1_000\r\n", NO_LENGTH),
    (b"Content-Length: \xc2\xb2\r\n", NO_LENGTH),
    (b"Content-Length:\r\n", NO_LENGTH),
    (b"Content-Length: \t\r\n", NO_LENGTH),
    (b"Content-Length: 5\x0b\r\n", NO_VALUE),
    (b"Content-Length: 5\0\r\n", NO_VALUE),
    // Transfer codings.
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", BOTH),
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BOTH),
    (
        b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
        BOTH,
    ),
    (
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        CODING,
    ),
    (
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        CODING,
    ),
    (
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        CODING,
    ),
    (b"Transfer-Encoding: chunked, chunked\r\n", CODING),
    (b"Transfer-Encoding: chunked, identity\r\n", CODING),
    (b"Transfer-Encoding: gzip, chunked\r\n", CODING),
    (b"Transfer-Encoding: identity\r\n", CODING),
    (b"Transfer-Encoding: xchunked\r\n", CODING),
    (b"Transfer-Encoding: chunkedx\r\n", CODING),
    (b"Transfer-Encoding: chun ked\r\n", CODING),
    (b"Transfer-Encoding: chunked\t,\r\n", CODING),
    (b"Transfer-Encoding: ,chunked\r\n", CODING),
    (b"Transfer-Encoding: chunked;q=1\r\n", CODING),
    (b"Transfer-Encoding: \"chunked\"\r\n", CODING),
    (b"Transfer-Encoding: 'chunked'\r\n", CODING),
    (b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n", CODING),
    (b"Transfer-Encoding:\r\n", CODING),
    (b"Transfer-Encoding: \x0bchunked\r\n", NO_VALUE),
    (b"Transfer-Encoding: chunked\x0b\r\n", NO_VALUE),
    (b"Transfer-Encoding: chunked\0\r\n", NO_VALUE),
    (b"Transfer-Encoding:\r\n chunked\r\n", NO_NAME),
];

/// Values of a Host field that are not authorities.
pub const REFUSED_HOSTS: &[&[u8]] = &[
    b"user@a",
    b"user:secret@a",
    b"a b",
    b"a, a",
    b"a:b",
    b"a:-1",
    b"a:+80",
    b"a:65536",
    b"a:8 0",
    b"a:80:80",
    b":80",
    b"a/",
    b"a/b",
    b"a?b",
    b"a#b",
    b"a\\b",
    b"http://a",
    b"a%",
    b"a%4",
    b"a%zz",
    b"a\"b",
    b"<a>",
    b"{a}",
    b"a|b",
    b"a^b",
    b"a`b",
    b"\xc3\xa4",
    b"a\xff",
    b"[::1",
    b"::1]",
    b"::1",
    b"[]",
    b"[::1]x",
    b"[::1]:x",
    b"[:::1]",
    b"[1:2:3:4:5:6:7:8:9]",
    b"[fe80::1%25eth0]",
    b"[fe80::1%eth0]",
    b"[127.0.0.1]",
    b"[v1.a]",
    b"[g::1]",
    b"a[::1]",
    b"[::1]@a",
    b"@",
    b"@a",
];

/// Whole heads to refuse.
pub const REFUSED: &[(&[u8], HeadError)] = &[
    // Line ends.
    (
        b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        HeadError::BareLineFeed,
    ),
    (
        b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        HeadError::BareLineFeed,
    ),
    (b"GET / HTTP/1.1\nHost: a\r\n\r\n", HeadError::BareLineFeed),
    (b"GET / HTTP/1.1\r\nHost: a\n\r\n", HeadError::BareLineFeed),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\n", HeadError::BareLineFeed),
    (b"GET / HTTP/1.1\nHost: a\n\n", HeadError::BareLineFeed),
    (b"GET / HTTP/1.0\n\n", HeadError::BareLineFeed),
    (b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", NO_LINE),
    (b"GET / HTTP/1.1\rHost: a\r\n\r\n", NO_LINE),
    (b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", NO_LINE),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", NO_LINE),
    // Request lines.
    (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", NO_LINE),
    (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"G\xc4T / HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"/ HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"GET /\r\nHost: a\r\n\r\n", NO_TOKEN),
    (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", NO_TOKEN),
    // Versions; a blank within the target ends it.
    (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HeadError::Version),
    (b"GET / HTTP/11\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"GET / http/1.1\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", HeadError::Version),
    (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", NO_VERSION),
    (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", NO_VERSION),
    (b"GET / \r\nHost: a\r\n\r\n", NO_VERSION),
    (b"GET / HTTP/1.11\r\nHost: a\r\n\r\n", NO_LINE),
    // Targets.
    (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", FORM),
    (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET ** HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET *?x HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET ?x HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET xhttp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET ://a/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", FORM),
    (b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", FRAGMENT),
    (b"GET /?a#x HTTP/1.1\r\nHost: a\r\n\r\n", FRAGMENT),
    (b"GET http://a/# HTTP/1.1\r\nHost: a\r\n\r\n", FRAGMENT),
    // Host.
    (b"GET / HTTP/1.1\r\n\r\n", HeadError::Host),
    (b"GET http://a/ HTTP/1.1\r\n\r\n", HeadError::Host),
    (b"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", HeadError::Host),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        HeadError::Host,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        HeadError::Host,
    ),
    (
        b"GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n",
        HeadError::Host,
    ),
    (
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        HeadError::Host,
    ),
    (b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", HeadError::Host),
    (
        b"GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n",
        HeadError::Host,
    ),
    // A body's length in HTTP/1.0.
    (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        OLD_CODING,
    ),
    (
        b"POST / HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n",
        OLD_CODING,
    ),
    (
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        BOTH,
    ),
];
