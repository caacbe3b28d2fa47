//! Desync shapes made of request lines, versions, hosts and the hop-by-hop fields.
//!
//! Sources: RFC 9112, sections 2.2, 3, 3.2, 5.1, 9.3 and 9.6; Jabiyev and others, "T-Reqs: HTTP
//! Request Smuggling with Differential Fuzzing" (2021); Davison, "Abusing HTTP hop-by-hop request
//! headers" (2019); Miller, "h2c Smuggling" (2020).

use super::{Group, KEPT, REFUSED};

/// A request after a request line.
const BEHIND_LINE: &str = "@\r\nHost: t\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

/// A field in an otherwise valid request, and a body that looks like a request.
const FIELD: &str = "GET /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 35\r\n@\r\nGET /smuggled \
    HTTP/1.1\r\nHost: t\r\n\r\n";

pub const GROUPS: &[Group] = &[
    // RFC 9112, section 3: one space between the parts and nothing around them.
    Group {
        name: "request line",
        pieces: &[BEHIND_LINE],
        variants: &[
            b"GET  /healthz HTTP/1.1",
            b"GET /healthz  HTTP/1.1",
            b"GET /healthz HTTP/1.1 ",
            b" GET /healthz HTTP/1.1",
            b"GET\t/healthz\tHTTP/1.1",
            b"GET\x0b/healthz\x0bHTTP/1.1",
            b"GET\xa0/healthz HTTP/1.1",
            b"GET /healthz HTTP/1.1\r",
            b"GET /healthz\rHTTP/1.1",
            b"GET /healthz HTTP/1.1\nX: y",
            b"\nGET /healthz HTTP/1.1",
            b"\0GET /healthz HTTP/1.1",
            b"GET /health\0z HTTP/1.1",
            b"GET /health\x7fz HTTP/1.1",
            b"GET /healthz\x1a HTTP/1.1",
            b"GET /health z HTTP/1.1",
            b"GET /healthz HTTP/1.1 HTTP/1.1",
            b"GET /healthz HTTP/1.1\r\n X: y",
            b"GET /healthz#x HTTP/1.1",
            b"GET healthz HTTP/1.1",
            b"GET \\healthz HTTP/1.1",
            b"GET",
            b"GET /healthz",
            b"GET /healthz ",
            b"/healthz HTTP/1.1",
            b"G(T /healthz HTTP/1.1",
            b"CONNECT t:80 HTTP/1.1",
            b"CONNECT t HTTP/1.1",
        ],
        ..REFUSED
    },
    // RFC 9112, section 2.3: a version is two digits, and other versions frame differently.
    Group {
        name: "version",
        pieces: &[BEHIND_LINE],
        variants: &[
            b"GET /healthz HTTP/0.9",
            b"GET /healthz HTTP/1.2",
            b"GET /healthz HTTP/01.1",
            b"GET /healthz HTTP/1,1",
            b"GET /healthz HTTP/1.",
            b"GET /healthz HTTP/2",
            b"GET /healthz HTTP/2.0",
            b"PRI * HTTP/2.0",
            b"GET /healthz HTTP/3",
            b"GET /healthz HTTP/9.9",
            b"GET /healthz http/1.1",
            b"GET /healthz HTTP/-1.1",
            b"GET /healthz HTTPS/1.1",
            b"GET /healthz HTTP",
            b"GET /healthz HTTP\t/1.1",
        ],
        answers: &[505],
        ..REFUSED
    },
    Group {
        name: "no version, or more than one",
        pieces: &[BEHIND_LINE],
        variants: &[
            b"GET /healthz HTTP/1.10",
            b"GET /healthz HTTP/1.01",
            b"GET /healthz HTTP/1.1.1",
            b"GET /healthz HTTP/1.1x",
            b"GET /healthz HTTP/1.1;x",
            b"GET /healthz ICY/1.1",
            b"GET /healthz HTP/1.1",
            b"GET /healthz 1.1",
            b"GET /healthz HTTP /1.1",
        ],
        ..REFUSED
    },
    Group {
        name: "blank lines before a request",
        pieces: &["@GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"],
        variants: &[b"\r\n", b"\r\n\r\n\r\n"],
        ..KEPT
    },
    // RFC 9112, section 3.2.2: an absolute target overrides Host, and both must be valid.
    Group {
        name: "absolute target beside another Host",
        pieces: &["GET @/healthz HTTP/1.1\r\nHost: t\r\n\r\n"],
        variants: &[b"http://t", b"http://other", b"HTTP://t:80", b"https://t"],
        ..KEPT
    },
    Group {
        name: "absolute target, malformed",
        pieces: &[BEHIND_LINE],
        variants: &[
            b"GET http:///healthz HTTP/1.1",
            b"GET http:/healthz HTTP/1.1",
            b"GET http://user@t/healthz HTTP/1.1",
            b"GET http://t:x/healthz HTTP/1.1",
            b"GET http://t\\healthz HTTP/1.1",
            b"GET ftp://t/healthz HTTP/1.1",
            b"GET t/healthz HTTP/1.1",
        ],
        ..REFUSED
    },
    // RFC 9112, section 3.2; RFC 9110, section 7.2.
    Group {
        name: "Host",
        pieces: &["GET /healthz HTTP/1.1\r\n@\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"],
        variants: &[
            b"",
            b"X: y\r\n",
            b"Host: t\r\nHost: t\r\n",
            b"Host: t\r\nHost: other\r\n",
            b"Host: t\r\nhost: other\r\n",
            b"Host:\r\nHost: t\r\n",
            b"Host: t, other\r\n",
            b"Host: t other\r\n",
            b"Host: t/healthz\r\n",
            b"Host: t#@other\r\n",
            b"Host: user@t\r\n",
            b"Host: t:80:80\r\n",
            b"Host: t:x\r\n",
            b"Host: http://t\r\n",
            b"Host : t\r\n",
            b" Host: t\r\n",
            b"Host: t\r\n Host: other\r\n",
            b"Host: t\x0b\r\n",
            b"Host: t\0\r\n",
            b"Host\0: t\r\n",
        ],
        ..REFUSED
    },
    // RFC 9110, section 7.6.1: Connection names fields for this hop; it cannot remove framing
    // fields.
    Group {
        name: "hop-by-hop fields",
        pieces: &[FIELD],
        variants: &[
            b"Connection: Content-Length\r\n",
            b"Connection: keep-alive, Content-Length, Host\r\n",
            b"Connection: Transfer-Encoding\r\n",
            b"Proxy-Connection: close\r\n",
            b"Keep-Alive: timeout=1\r\n",
            b"TE: chunked\r\n",
            b"TE: trailers\r\nTrailer: Content-Length\r\n",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \
                AAMAAABkAARAAAAAAAIAAAAA\r\n",
            b"Upgrade: TLS/1.0\r\n",
        ],
        ..KEPT
    },
    // RFC 9112, section 9.6: after a request that closes, nothing is read.
    Group {
        name: "close, and more requests",
        pieces: &["GET /healthz @\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"],
        variants: &[
            b"HTTP/1.1\r\nHost: t\r\nConnection: close",
            b"HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, close",
            b"HTTP/1.1\r\nHost: t\r\nConnection: keep-alive\r\nConnection: CLOSE",
            b"HTTP/1.0",
            b"HTTP/1.0\r\nHost: t",
            b"HTTP/1.0\r\nConnection: close, keep-alive",
        ],
        answers: &[200],
        ..REFUSED
    },
    // RFC 9112, section 6.1: HTTP/1.0 has no transfer codings; smuggled by a proxy that drops the
    // version.
    Group {
        name: "transfer coding in HTTP/1.0",
        pieces: &[
            "POST /upload HTTP/1.0\r\nHost: t\r\n@\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\
            Host: t\r\n\r\n",
        ],
        variants: &[
            b"Transfer-Encoding: chunked\r\n",
            b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
            b"Connection: keep-alive\r\nTransfer-Encoding: identity\r\n",
            b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            b"Connection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        ],
        ..REFUSED
    },
    Group {
        name: "HTTP/1.0, kept",
        pieces: &[
            "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n@\r\nGET /smuggled \
            HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"Content-Length: 35\r\n",
            b"Expect: 100-continue\r\nContent-Length: 35\r\n",
        ],
        ..KEPT
    },
    // Kettle, "HTTP Desync Attacks" (2019): headers that change the method after the front end's
    // checks.
    Group {
        name: "method override",
        pieces: &[
            "GET /assets/there.zip HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \
            a-test-token\r\n@\r\n",
        ],
        variants: &[
            b"X-HTTP-Method-Override: DELETE\r\n",
            b"X-HTTP-Method: DELETE\r\n",
            b"X-Method-Override: DELETE\r\n",
            b"X-HTTP-Method-Override: HEAD\r\n",
            b"X-HTTP-Method-Override: PUT\r\nContent-Length: 7\r\n\r\nhello",
        ],
        ..KEPT
    },
];
