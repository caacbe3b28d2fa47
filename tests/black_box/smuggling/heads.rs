//! Desync shapes in the two fields that give a body's length, and in lines that could hide them.
//!
//! Sources: RFC 9112, sections 5.1, 5.2, 6.1 to 6.3; RFC 9110, sections 5.5 and 8.6; Linhart,
//! Klein, Heled and Orrin, "HTTP Request Smuggling" (2005); Kettle, "HTTP Desync Attacks" (2019),
//! and the spellings that its scanner and smuggler.py try; Davison's CVE-2019-18277 (a vertical tab
//! before the coding); Klein, "HTTP Request Smuggling in 2020"; Grenfeldt, "Gunicorn Request
//! Smuggling" (2021); CVE-2021-40346.

use super::{Group, KEPT, REFUSED};

/// Codings that one reader takes for `chunked` and another does not.
const CODINGS: &[&[u8]] = &[
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: x\r\ntransfer-encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: chunked,\r\n",
    b"Transfer-Encoding: ,chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunkedx\r\n",
    b"Transfer-Encoding: cow\r\n",
    b"Transfer-Encoding: chunk\r\n",
    b"Transfer-Encoding: ch\xc3\xbcnked\r\n",
    b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n",
    b"Transfer-Encoding: \xffchunked\r\n",
    b"Transfer-Encoding: chunked\xa0\r\n",
    b"Transfer-Encoding: \"chunked\"\r\n",
    b"Transfer-Encoding: 'chunked'\r\n",
    b"Transfer-Encoding: chunked;q=1\r\n",
    b"Transfer-Encoding: chunked; ext=1\r\n",
    b"Transfer-Encoding: chunked foo\r\n",
    b"Transfer-Encoding: : chunked\r\n",
    b"Transfer-Encoding:\r\n",
    b"Transfer-Encoding: \r\n chunked\r\n",
    b"Transfer-Encoding:\r\n\tchunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n",
    b"Transfer-Encoding: \x0cchunked\r\n",
    b"Transfer-Encoding: \x00chunked\r\n",
    b"Transfer-Encoding: chunked\x00\r\n",
    b"Transfer-Encoding: chunked\x0b\r\n",
    b"Transfer-Encoding: chunked\r\r\n",
    b"Transfer-Encoding: chunked\rX: y\r\n",
    b"Transfer-Encoding: chunked\nX: y\r\n",
    b"Transfer-Encoding: \nchunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding\t: chunked\r\n",
    b"Transfer-Encoding\x0b: chunked\r\n",
    b"Transfer-Encoding\0: chunked\r\n",
    b"Transfer-Encoding\xa0: chunked\r\n",
    b"Transfer-Encoding\r\n: chunked\r\n",
    b"Transfer-Encoding chunked\r\n",
    b"Transfer Encoding: chunked\r\n",
    b" Transfer-Encoding: chunked\r\n",
    b"\tTransfer-Encoding: chunked\r\n",
    b"\x00Transfer-Encoding: chunked\r\n",
    b"\rTransfer-Encoding: chunked\r\n",
    b"\nTransfer-Encoding: chunked\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n",
    b"X: y\rTransfer-Encoding: chunked\r\n",
    b"X:\r\rTransfer-Encoding: chunked\r\n",
    b"X: y\r\n\rTransfer-Encoding: chunked\r\n",
    b"Trans\rfer-Encoding: chunked\r\n",
    b"Transfer-\r\nEncoding: chunked\r\n",
];

/// Fields that resemble a coding and are not one.
const OTHER_CODINGS: &[&[u8]] = &[
    b"Transfer_Encoding: chunked\r\n",
    b"Transfer-Encodin: chunked\r\n",
    b"Transfer-Encoding-: chunked\r\n",
    b"XTransfer-Encoding: chunked\r\n",
    b"X-Transfer-Encoding: chunked\r\n",
    b"TransferEncoding: chunked\r\n",
    b"Content-Encoding: chunked\r\n",
    b"TE: chunked\r\n",
    b"X: y, Transfer-Encoding: chunked\r\n",
    b"X: \"\r\nY: Transfer-Encoding: chunked\"\r\n",
];

/// Lengths that two readers could read differently.
const LENGTHS: &[&[u8]] = &[
    b"Content-Length: 35\r\nContent-Length: 35\r\n",
    b"Content-Length: 35\r\nContent-Length: 0\r\n",
    b"Content-Length: 0\r\nContent-Length: 35\r\n",
    b"Content-Length: 35\r\nX: y\r\ncontent-length: 0\r\n",
    b"Content-Length:\r\nContent-Length: 35\r\n",
    b"Content-Length: 35, 35\r\n",
    b"Content-Length: 0, 35\r\n",
    b"Content-Length: 35,\r\n",
    b"Content-Length: +35\r\n",
    b"Content-Length: -35\r\n",
    b"Content-Length: -0\r\n",
    b"Content-Length: 0x23\r\n",
    b"Content-Length: 3_5\r\n",
    b"Content-Length: 3 5\r\n",
    b"Content-Length: 3\t5\r\n",
    b"Content-Length: 35.0\r\n",
    b"Content-Length: 3.5e1\r\n",
    b"Content-Length: 35;\r\n",
    b"Content-Length: 35 abc\r\n",
    b"Content-Length: \"35\"\r\n",
    b"Content-Length: abc\r\n",
    b"Content-Length: \xef\xbc\x93\xef\xbc\x95\r\n",
    b"Content-Length: 35\xa0\r\n",
    b"Content-Length:\r\n",
    b"Content-Length: \x0b35\r\n",
    b"Content-Length: 35\0\r\n",
    b"Content-Length: 35\r\r\n",
    b"Content-Length:\r\n 35\r\n",
    b"Content-Length: 3\r\n 5\r\n",
    b"Content-Length: 35\nX: y\r\n",
    b"Content-Length : 35\r\n",
    b"Content-Length\t: 35\r\n",
    b"Content-Length\0: 35\r\n",
    b"Content-Length\xa0: 35\r\n",
    b"Content-Length abc: 35\r\n",
    b"Content-Length 35\r\n",
    b"Content Length: 35\r\n",
    b" Content-Length: 35\r\n",
    b"\0Content-Length: 35\r\n",
    b"\rContent-Length: 35\r\n",
    b"Con\rtent-Length: 35\r\n",
    b"X: y\r\n Content-Length: 35\r\n",
    b"X: y\r\n\tContent-Length: 35\r\n",
    b"X: y\nContent-Length: 35\r\n",
    b"X: y\rContent-Length: 35\r\n",
    b": y\r\nContent-Length: 35\r\n",
    b"GET /smuggled HTTP/1.1\r\nContent-Length: 35\r\n",
    b"X: \x7f\r\nContent-Length: 35\r\n",
    b"X: \x01\r\nContent-Length: 35\r\n",
];

/// Fields that resemble a length and are not one.
const OTHER_LENGTHS: &[&[u8]] = &[
    b"Content_Length: 35\r\n",
    b"Content-Lenght: 35\r\n",
    b"X-Content-Length: 35\r\n",
    b"Content-Length-: 35\r\n",
    b"ContentLength: 35\r\n",
    b"X: y, Content-Length: 35\r\n",
    // CVE-2021-40346: a name of 270 bytes, cut to 14 by a length of eight bits.
    b"Content-Length0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        aaaaaaaaaaaaaaaaaa: 35\r\n",
];

pub const GROUPS: &[Group] = &[
    // RFC 9112, section 6.1: both fields in one request "ought to be handled as an error".
    Group {
        name: "CL.TE",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: \
                t\r\n\r\n",
        ],
        variants: &[
            b"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 40\r\n",
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length: 40\r\nTransfer-Encoding: identity\r\n",
            b"Content-Length: 40\r\nTransfer-Encoding: CHUNKED \r\n",
            b"Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length:\r\nTransfer-Encoding: chunked\r\n",
        ],
        ..REFUSED
    },
    Group {
        name: "TE.CL",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\
                \r\n\r\n0\r\n\r\n",
        ],
        variants: &[
            b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 46\r\n",
        ],
        ..REFUSED
    },
    Group {
        name: "TE.TE beside a length",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 40\r\n@\r\n0\r\n\r\nGET /smuggled \
                HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: CODINGS,
        ..REFUSED
    },
    Group {
        name: "TE.TE alone",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: \
                t\r\n\r\n",
        ],
        variants: CODINGS,
        ..REFUSED
    },
    Group {
        name: "no coding, beside a length",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: 40\r\n@\r\n0\r\n\r\nGET /smuggled \
                HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: OTHER_CODINGS,
        answers: &[401],
        ..KEPT
    },
    Group {
        name: "chunked, in every spelling",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\
                \r\n\r\n0\r\n\r\n",
        ],
        variants: &[
            b"Transfer-Encoding: chunked\r\n",
            b"transfer-encoding: Chunked\r\n",
            b"TRANSFER-ENCODING: CHUNKED\r\n",
            b"Transfer-Encoding:chunked\r\n",
            b"Transfer-Encoding:   chunked\r\n",
            b"Transfer-Encoding:\tchunked\r\n",
            b"Transfer-Encoding: chunked \t\r\n",
            b"Transfer-Encoding: chunked\r\nContent_Length: 4\r\n",
            b"Transfer-Encoding: chunked\r\nX-Content-Length: 4\r\n",
        ],
        answers: &[401],
        ..KEPT
    },
    Group {
        name: "CL.CL and other lengths",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: LENGTHS,
        ..REFUSED
    },
    // Bytes after a request without a length are the client's next request.
    Group {
        name: "no length",
        pieces: &[
            "GET /healthz HTTP/1.1\r\nHost: t\r\n@\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: OTHER_LENGTHS,
        answers: &[200, 404],
        ..KEPT
    },
    Group {
        name: "length, in every spelling",
        pieces: &[
            "POST /upload HTTP/1.1\r\nHost: t\r\n@\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        ],
        variants: &[
            b"Content-Length: 35\r\n",
            b"CONTENT-LENGTH: 35\r\n",
            b"Content-Length:35\r\n",
            b"Content-Length: \t 35 \t\r\n",
            b"Content-Length: 0000000000000000000000035\r\n",
            b"Content-Length: 35\r\nContent_Length: 0\r\n",
            b"Content-Length: 35\r\nContent-Encoding: gzip\r\n",
            // Grenfeldt: a field that made a server read a length of 8.
            b"Sec-WebSocket-Key1: x\r\nContent-Length: 35\r\n",
        ],
        answers: &[401],
        ..KEPT
    },
];
