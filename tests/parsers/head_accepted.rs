//! Request heads that must be accepted, with their parsed values.
//!
//! Sources: RFC 9112, sections 2.2 (blank lines), 3 (request line), 5 (fields), 6 (body), 9.3
//! (persistence); RFC 9110, sections 7.2 (Host), 10.1.1 (Expect); RFC 3986, section 3.2
//! (authority).

use release_server::http::framing::Framing;
use release_server::http::head::Expectation;

/// What is read from a head.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub minor_version: u8,
    pub framing: Framing,
    pub authority: Option<&'a str>,
    pub expectation: Expectation,
    pub keep_alive: bool,
}

/// What is read from `GET / HTTP/1.1` with `Host: a` and nothing else.
const PLAIN: Reading<'static> = Reading {
    method: "GET",
    path: "/",
    query: "",
    minor_version: 1,
    framing: Framing::None,
    authority: Some("a"),
    expectation: Expectation::None,
    keep_alive: true,
};

const OLD: Reading<'static> = Reading {
    minor_version: 0,
    authority: None,
    keep_alive: false,
    ..PLAIN
};

const fn asset(path: &'static str) -> Reading<'static> {
    Reading { path, ..PLAIN }
}

const fn by(method: &'static str) -> Reading<'static> {
    Reading { method, ..PLAIN }
}

const fn at(authority: &'static str) -> Reading<'static> {
    Reading {
        authority: Some(authority),
        ..PLAIN
    }
}

const fn framed(framing: Framing) -> Reading<'static> {
    Reading { framing, ..PLAIN }
}

const fn expecting(expectation: Expectation) -> Reading<'static> {
    Reading {
        expectation,
        ..PLAIN
    }
}

const CLOSING: Reading<'static> = Reading {
    keep_alive: false,
    ..PLAIN
};

/// Accepted heads. Nothing follows them.
pub const ACCEPTED: &[(&[u8], Reading<'static>)] = &[
    // Request lines.
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN),
    (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN),
    (b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN),
    (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", by("HEAD")),
    (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", by("POST")),
    (b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n", by("PUT")),
    (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", by("DELETE")),
    (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", by("get")),
    (b"M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", by("M-SEARCH")),
    (
        b"!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
        by("!#$%&'*+-.^_`|~9"),
    ),
    (
        b"GET /assets/a%20b.zip HTTP/1.1\r\nHost: a\r\n\r\n",
        asset("/assets/a%20b.zip"),
    ),
    (
        b"GET //double//slash HTTP/1.1\r\nHost: a\r\n\r\n",
        asset("//double//slash"),
    ),
    (
        b"GET /a%2Fb/../c HTTP/1.1\r\nHost: a\r\n\r\n",
        asset("/a%2Fb/../c"),
    ),
    (
        b"GET /http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
        asset("/http://b/c"),
    ),
    // curl sends the bytes of a name outside ASCII unencoded.
    (
        "GET /assets/ä.zip HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes(),
        asset("/assets/ä.zip"),
    ),
    (
        b"GET /?a=b&c=d HTTP/1.1\r\nHost: a\r\n\r\n",
        Reading {
            query: "a=b&c=d",
            ..PLAIN
        },
    ),
    (
        b"GET /?a?b HTTP/1.1\r\nHost: a\r\n\r\n",
        Reading {
            query: "a?b",
            ..PLAIN
        },
    ),
    (b"GET /x? HTTP/1.1\r\nHost: a\r\n\r\n", asset("/x")),
    (
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        Reading {
            method: "OPTIONS",
            path: "*",
            ..PLAIN
        },
    ),
    // Absolute targets override the Host field.
    (
        b"GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        Reading {
            path: "/x",
            query: "y",
            ..at("b")
        },
    ),
    (b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", at("b")),
    (
        b"GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
        Reading {
            query: "y",
            ..at("b")
        },
    ),
    (
        b"GET HTTPS://b:8443/ HTTP/1.1\r\nHost: b:8443\r\n\r\n",
        at("b:8443"),
    ),
    (
        b"GET http://[::1]:80/ HTTP/1.1\r\nHost:\r\n\r\n",
        at("[::1]:80"),
    ),
    (
        b"GET http://b/ HTTP/1.0\r\n\r\n",
        Reading {
            authority: Some("b"),
            ..OLD
        },
    ),
    // Versions and persistence.
    (b"GET / HTTP/1.0\r\n\r\n", OLD),
    (
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        Reading {
            authority: Some("a"),
            ..OLD
        },
    ),
    (
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        Reading {
            keep_alive: true,
            ..OLD
        },
    ),
    (
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n",
        OLD,
    ),
    (b"GET / HTTP/1.0\r\nConnection: x-keep-alive\r\n\r\n", OLD),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        CLOSING,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, ,\tCLOSE ,\r\n\r\n",
        CLOSING,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nConnection: close\r\n\r\n",
        CLOSING,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Connection: close\r\n\r\n",
        PLAIN,
    ),
    // Hosts.
    (
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        Reading {
            authority: None,
            ..PLAIN
        },
    ),
    (b"GET / HTTP/1.1\r\nhOST:a\r\n\r\n", PLAIN),
    (b"GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", PLAIN),
    (
        b"GET / HTTP/1.1\r\nHost: releases.example.org:8000\r\n\r\n",
        at("releases.example.org:8000"),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n",
        at("127.0.0.1:65535"),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n",
        at("[2001:db8::1]"),
    ),
    // A registered name may hold all of these, the comma included.
    (
        b"GET / HTTP/1.1\r\nHost: a_b.~c%41!,d=(e)\r\n\r\n",
        at("a_b.~c%41!,d=(e)"),
    ),
    // Fields.
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \r\nZ: \t \r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a:b, \"c\"\tde\xff\r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~9: x\r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n",
        PLAIN,
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: Content-Length: 5\r\n\r\n",
        PLAIN,
    ),
    // Lengths; a number beyond 64 bits exceeds every limit.
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        framed(Framing::Known(0)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nCONTENT-LENGTH:\t5 \r\n\r\n",
        framed(Framing::Known(5)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n",
        framed(Framing::Known(7)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2147483648\r\n\r\n",
        framed(Framing::Known(1 << 31)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000000\r\n\r\n",
        framed(Framing::Known(9_000_000_000_000_000)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n",
        framed(Framing::Known(1 << 63)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551614\r\n\r\n",
        framed(Framing::Known(u64::MAX - 1)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
        framed(Framing::Known(u64::MAX)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
        framed(Framing::Known(u64::MAX)),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000000000000000000\r\n\r\n",
        framed(Framing::Known(u64::MAX)),
    ),
    (
        b"GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        Reading {
            framing: Framing::Known(5),
            ..OLD
        },
    ),
    // Transfer coding.
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        framed(Framing::Chunked),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:\tCHUNKED \t\r\n\r\n",
        framed(Framing::Chunked),
    ),
    // Expectations.
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        expecting(Expectation::Continue),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-CONTINUE\r\n\r\n",
        expecting(Expectation::Continue),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n",
        expecting(Expectation::Unknown),
    ),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\n\r\n",
        expecting(Expectation::Unknown),
    ),
    (b"GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n", PLAIN),
    (b"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", OLD),
];
