//! Desync shapes in bodies: unexpected bodies, and chunks that two readers could read differently.
//!
//! Sources: RFC 9112, sections 7.1, 7.1.1, 7.1.2 and 9.3; RFC 9110, section 9.3; Kettle,
//! "Browser-Powered Desync Attacks" (2022: CL.0); Arnolfo, Gregorio and medusa, "Unveiling TE.0
//! HTTP Request Smuggling" (2024); Weikop, "Funky Chunks" (2025); Kallus and others, "The HTTP
//! Garden" (2024).

use super::{Group, KEPT, REFUSED};

/// A body with a length, on any request.
const CL_0: &str =
    "@ HTTP/1.1\r\nHost: t\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

/// A chunked body, on any request.
const TE_0: &str = "@ HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n23\r\nGET /smuggled \
    HTTP/1.1\r\nHost: t\r\n\r\n\r\n0\r\n\r\n";

/// Requests that take no body, answered with 200, 401, 404 and 405.
pub const READS: &[&[u8]] = &[
    b"GET /healthz",
    b"GET /latest",
    b"GET /packages?format=json",
    b"GET /assets/there.zip",
    b"GET /metrics",
    b"HEAD /healthz",
    b"HEAD /assets/there.zip",
];
pub const WRITES: &[&[u8]] = &[
    b"POST /upload",
    b"PUT /assets/there.zip",
    b"DELETE /assets/there.zip",
];
pub const NOWHERE: &[&[u8]] = &[
    b"GET /nothing",
    b"POST /nothing",
    b"GET /assets/missing.zip",
    b"HEAD /nothing",
    b"OPTIONS *",
];
const OTHER_METHODS: &[&[u8]] = &[
    b"POST /healthz",
    b"PUT /latest",
    b"OPTIONS /latest",
    b"TRACE /latest",
    b"BREW /latest",
    b"get /healthz",
    b"POST /assets/there.zip",
    b"GET /upload",
];

/// Chunked bodies that must be refused.
const MALFORMED: &[&[u8]] = &[
    // Sizes.
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"0X5\r\nhello\r\n0\r\n\r\n",
    b"0_5\r\nhello\r\n0\r\n\r\n",
    b"5.0\r\nhello\r\n0\r\n\r\n",
    b"5h\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"\t5\r\nhello\r\n0\r\n\r\n",
    b"5\t\r\nhello\r\n0\r\n\r\n",
    b"5 5\r\nhello\r\n0\r\n\r\n",
    b"5,5\r\nhello\r\n0\r\n\r\n",
    b"5\0\r\nhello\r\n0\r\n\r\n",
    b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"\r\nhello\r\n0\r\n\r\n",
    b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
    b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    b"00000000000000005\r\nhello\r\n0\r\n\r\n",
    b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    b"-1\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
    // The end of a size line, alone and in an extension (TERM.EXT, EXT.TERM).
    b"5\nhello\r\n0\r\n\r\n",
    b"5\rhello\r\n0\r\n\r\n",
    b"5\r\r\nhello\r\n0\r\n\r\n",
    b"5\n\rhello\r\n0\r\n\r\n",
    b"5;\nhello\r\n0\r\n\r\n",
    b"5;a\nhello\r\n0\r\n\r\n",
    b"5;a\rhello\r\n0\r\n\r\n",
    b"5;\n5\r\nhello\r\n0\r\n\r\n",
    b"2;\nxx\r\n23\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n0\r\n\r\n",
    b"5;a=\"\nb\"\r\nhello\r\n0\r\n\r\n",
    b"5;a=\"\r\nb\"\r\nhello\r\n0\r\n\r\n",
    b"5;a=\0\r\nhello\r\n0\r\n\r\n",
    b"5 ;a\r\nhello\r\n0\r\n\r\n",
    b"5:a\r\nhello\r\n0\r\n\r\n",
    b";a\r\nhello\r\n0\r\n\r\n",
    // The end of a chunk's content: missing, truncated, overlong (TERM.SPILL, SPILL.TERM, ONE.TWO).
    b"5\r\nhello0\r\n\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r0\r\n\r\n",
    b"5\r\nhello\n\n0\r\n\r\n",
    b"5\r\nhelloXX0\r\n\r\n",
    b"5\r\nhelloXX\r\n0\r\n\r\n",
    b"5\r\nhello\r\nX0\r\n\r\n",
    b"5\r\nhello\r\n\r\n0\r\n\r\n",
    b"4\r\nhello\r\n0\r\n\r\n",
    b"6\r\nhello\r\n0\r\n\r\n",
    // The end of the body, and trailers.
    b"5\r\nhello\r\n0\n\r\n",
    b"5\r\nhello\r\n0\r\n\n",
    b"5\r\nhello\r\n0\n\n",
    b"5\r\nhello\r\n0\r\r",
    b"5\r\nhello\r\n-0\r\n\r\n",
    b"5\r\nhello\r\n0 \r\n\r\n",
    b"5\r\nhello\r\n0;\n\r\n",
    b"5\r\nhello\r\n0\r\nX\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    b"5\r\nhello\r\n0\r\n X: y\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
    b"5\r\nhello\r\n0\r\nX: y\n\r\n",
    b"5\r\nhello\r\n0\r\nX: \0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
];

/// Chunked bodies of `hello` that look odd and are valid by RFC 9112.
const ODD: &[&[u8]] = &[
    b"5\r\nhello\r\n0\r\n\r\n",
    b"05\r\nhello\r\n000\r\n\r\n",
    b"0000000000000005\r\nhello\r\n0\r\n\r\n",
    b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
    b"5;a=b;c\r\nhello\r\n0;d\r\n\r\n",
    b"5;a=\"0 1\"\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 35\r\nTransfer-Encoding: identity\r\nHost: other\r\n\
        Connection: close\r\n\r\n",
];

pub const GROUPS: &[Group] = &[
    Group {
        name: "CL.0, reads",
        pieces: &[CL_0],
        variants: READS,
        ..KEPT
    },
    Group {
        name: "CL.0, writes",
        pieces: &[CL_0],
        variants: WRITES,
        answers: &[401],
        ..KEPT
    },
    Group {
        name: "CL.0, nowhere",
        pieces: &[CL_0],
        variants: NOWHERE,
        answers: &[404],
        ..KEPT
    },
    Group {
        name: "CL.0, other methods",
        pieces: &[CL_0],
        variants: OTHER_METHODS,
        answers: &[405],
        ..KEPT
    },
    Group {
        name: "CL.0, redirect",
        pieces: &[CL_0],
        variants: &[b"GET /"],
        answers: &[303],
        ..KEPT
    },
    Group {
        name: "TE.0, reads",
        pieces: &[TE_0],
        variants: READS,
        ..KEPT
    },
    Group {
        name: "TE.0, writes",
        pieces: &[TE_0],
        variants: WRITES,
        answers: &[401],
        ..KEPT
    },
    Group {
        name: "TE.0, nowhere",
        pieces: &[TE_0],
        variants: NOWHERE,
        answers: &[404],
        ..KEPT
    },
    Group {
        name: "TE.0, other methods",
        pieces: &[TE_0],
        variants: OTHER_METHODS,
        answers: &[405],
        ..KEPT
    },
    Group {
        name: "malformed chunks",
        pieces: &[
            "PUT /assets/there.zip?overwrite=true HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \
                a-test-token\r\nTransfer-Encoding: chunked\r\n\r\n@\
                GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: MALFORMED,
        ..REFUSED
    },
    Group {
        name: "malformed chunks on requests without a body",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n@GET /smuggled \
                HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: MALFORMED,
        answers: &[401],
        ..REFUSED
    },
    Group {
        name: "odd chunks",
        pieces: &[
            "PUT /assets/there.zip?overwrite=true HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \
                a-test-token\r\nTransfer-Encoding: chunked\r\n\r\n@",
        ],
        variants: ODD,
        ..KEPT
    },
    Group {
        name: "odd chunks on requests without a body",
        pieces: &["POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n@"],
        variants: ODD,
        answers: &[401],
        ..KEPT
    },
];
