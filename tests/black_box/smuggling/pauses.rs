//! Desync shapes in time: bodies and requests after an answer, expectations, and pauses everywhere.
//!
//! Sources: RFC 9112, section 9.3; RFC 9110, section 10.1.1; Kettle, "Browser-Powered Desync
//! Attacks" (2022: pauses, client-side desync) and "HTTP/1.1 Must Die" (2025: 0.CL, answers before
//! the body, expectations).

use super::bodies::{NOWHERE, READS, WRITES};
use super::{Group, KEPT, REFUSED};

pub const GROUPS: &[Group] = &[
    // A head, its answer, and only then the body: the body is drained, or the connection ends with
    // the answer.
    Group {
        name: "0.CL, answered before its body",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nContent-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: READS,
        early: 1,
        ..KEPT
    },
    Group {
        name: "a body after its 401",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nContent-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: WRITES,
        early: 1,
        answers: &[401],
        ..KEPT
    },
    Group {
        name: "a body in pieces after its 404",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nContent-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\n",
            "Host: t\r\n\r\n",
        ],
        variants: NOWHERE,
        early: 1,
        answers: &[404],
        ..KEPT
    },
    Group {
        name: "a body after its 409",
        pieces: &[
            "PUT /assets/there.zip HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer a-test-token\r\n\
                Content-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        early: 1,
        answers: &[409],
        ..KEPT
    },
    Group {
        name: "a long body after its 413",
        pieces: &[
            "PUT /assets/new.zip HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer a-test-token\r\n\
                Content-Length: @\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"1000001",
            b"9223372036854775808",
            b"18446744073709551651",
            b"99999999999999999999999999",
        ],
        early: 1,
        answers: &[413],
        ..REFUSED
    },
    Group {
        name: "a chunked body after its answer",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: READS,
        early: 1,
        answers: &[200],
        ..REFUSED
    },
    Group {
        name: "a chunked body after its 401",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: WRITES,
        early: 1,
        answers: &[401],
        ..REFUSED
    },
    Group {
        name: "a pause in every place of a chunked body",
        pieces: &[
            "PUT /assets/there.zip?overwrite=true HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \
                a-test-token\r\nTransfer-Encoding: chu",
            "nked\r",
            "\n",
            "\r",
            "\n5",
            "\r",
            "\nhel",
            "lo",
            "\r",
            "\n0",
            "\r",
            "\n",
            "\r",
            "\n",
        ],
        ..KEPT
    },
    Group {
        name: "a pause within a request behind a request",
        pieces: &[
            "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /smug",
            "gled HTTP/1.1\r\nHost: t\r\n\r",
            "\n",
        ],
        answers: &[200, 404],
        ..KEPT
    },
    // RFC 9110, section 10.1.1: a client that waits for 100 and gets a final answer may send the
    // body or not, and the server cannot know.
    Group {
        name: "an expectation, then the body late",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: READS,
        early: 1,
        answers: &[200],
        ..REFUSED
    },
    Group {
        name: "an expectation refused, then the body late",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 35\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: WRITES,
        early: 1,
        answers: &[401],
        ..REFUSED
    },
    Group {
        name: "an expectation met",
        pieces: &[
            "PUT /assets/there.zip?overwrite=true HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \
                a-test-token\r\n@\r\nContent-Length: 5\r\n\r\n",
            "hello",
        ],
        variants: &[
            b"Expect: 100-continue",
            b"Expect: 100-Continue",
            b"Expect: 100-continue, 100-continue",
        ],
        early: 1,
        answers: &[100, 200],
        ..KEPT
    },
    Group {
        name: "an expectation, with the body",
        pieces: &[
            "@ HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 35\r\n\r\nGET \
                /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: READS,
        ..KEPT
    },
    Group {
        name: "an expectation without a body",
        pieces: &["@ HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\r\n"],
        variants: READS,
        ..KEPT
    },
    Group {
        name: "an unknown expectation",
        pieces: &[
            "GET /healthz HTTP/1.1\r\nHost: t\r\n@\r\nContent-Length: 35\r\n\r\nGET /smuggled \
                HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"Expect: y 100-continue",
            b"Expect: 100-continue, y",
            b"Expect: y",
            b"Expect: 100-continue\r\nExpect: y",
            b"Expect: 200-ok",
        ],
        answers: &[417],
        ..KEPT
    },
    Group {
        name: "an expectation, obscured",
        pieces: &[
            "GET /healthz HTTP/1.1\r\nHost: t\r\n@\r\nContent-Length: 35\r\n\r\nGET /smuggled \
                HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"Expect:\r\n 100-continue",
            b"Expect : 100-continue",
            b"Expect:\n100-continue",
            b"Expect\0: 100-continue",
        ],
        ..REFUSED
    },
    // Nothing after a refused request is read, however it is split.
    Group {
        name: "requests behind a refused one",
        pieces: &[
            "@",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
            "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"nonsense\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ],
        early: 1,
        ..REFUSED
    },
];
