//! Forms: those that must be accepted, with their parts, and those that must be refused, with the
//! reason.
//!
//! Sources: RFC 7578, sections 4.1 to 4.7; RFC 2046, section 5.1.1; docs/contract.md, section 1
//! (file names).

use release_server::http::multipart::MultipartError;

/// The boundary of all forms here.
pub const BOUNDARY: &[u8] = b"xYz";

/// Name, file name and content.
pub type PartRead = (&'static str, Option<&'static str>, &'static [u8]);

/// `Content-Type` values, and the boundary in them.
pub const CONTENT_TYPES: &[(&[u8], Option<&str>)] = &[
    (b"multipart/form-data; boundary=xYz", Some("xYz")),
    (b"multipart/form-data;boundary=xYz", Some("xYz")),
    (b"Multipart/Form-Data ; BOUNDARY=AbC", Some("AbC")),
    (b"multipart/form-data; charset=utf-8; boundary=xYz;", Some("xYz")),
    (b"multipart/form-data; boundary=\"xYz\"; charset=\"a;b\"", Some("xYz")),
    (b"multipart/form-data; boundary=\"a b\"", Some("a b")),
    (b"multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\"", Some("gc0pJq0M:08jU534c0p")),
    (b"multipart/form-data; boundary=\"'()+_,-./:=?\"", Some("'()+_,-./:=?")),
    (b"multipart/form-data; boundary=-", Some("-")),
    (
        b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        Some("----WebKitFormBoundary7MA4YWxkTrZu0gW"),
    ),
    (
        b"multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678\
            90123456789",
        Some("0123456789012345678901234567890123456789012345678901234567890123456789"),
    ),
    (
        b"multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678\
            901234567890",
        None,
    ),
    (b"multipart/form-data", None),
    (b"multipart/form-data; boundary", None),
    (b"multipart/form-data; boundary=", None),
    (b"multipart/form-data; boundary=\"\"", None),
    (b"multipart/form-data; boundary=\" \"", None),
    (b"multipart/form-data; boundary=\"a \"", None),
    (b"multipart/form-data; boundary=a b", None),
    (b"multipart/form-data; boundary=\"a", None),
    (b"multipart/form-data; boundary=\"a@b\"", None),
    (b"multipart/form-data; boundary=\"a\r\nb\"", None),
    (b"multipart/form-data; boundary=\"a\tb\"", None),
    (b"multipart/form-data; boundary=\"\xc3\xa4\"", None),
    (b"multipart/form-data; boundary=xYz; boundary=xYz", None),
    (b"multipart/form-data; boundary=xYz; Boundary=other", None),
    (b"multipart/form-data; boundary = xYz", None),
    (b"multipart/form-data boundary=xYz", None),
    (b"multipart/form-data, boundary=xYz", None),
    (b"multipart/mixed; boundary=xYz", None),
    (b"multipart/form-data-x; boundary=xYz", None),
    (b"application/x-www-form-urlencoded; boundary=xYz", None),
    (b"boundary=xYz", None),
    (b"; boundary=xYz", None),
    (b"", None),
];

/// Part heads up to their blank line, with the name and file name in them.
pub const PART_HEADS: &[(&[u8], &str, Option<&str>)] = &[
    (b"Content-Disposition: form-data; name=a\r\n", "a", None),
    (b"content-disposition:FORM-DATA;NAME=\"a\"\r\n", "a", None),
    (
        b"Content-Type: text/plain\r\nContent-Disposition: form-data; name=a\r\nX: y\r\n",
        "a",
        None,
    ),
    (b"Content-Disposition: form-data; name=\"\"\r\n", "", None),
    (
        b"Content-Disposition: form-data; name=\"file\"; \
        filename=\"a.zip\"\r\n",
        "file",
        Some("a.zip"),
    ),
    (
        b"Content-Disposition: form-data; filename=a.zip; name=file\r\n",
        "file",
        Some("a.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; filename=\"\"\r\n",
        "file",
        Some(""),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"a;b=c.zip\"\r\n",
        "file",
        Some("a;b=c.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"a\\\"b.zip\"\r\n",
        "file",
        Some("a\"b.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"a%22b.zip\"\r\n",
        "file",
        Some("a\"b.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"100%.zip\"\r\n",
        "file",
        Some("100%.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"a%20b.zip\"\r\n",
        "file",
        Some("a%20b.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"C:\\x\\a.zip\"\r\n",
        "file",
        Some("C:\\x\\a.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename=\"\xc3\xa4.zip\"\r\n",
        "file",
        Some("ä.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; \
        filename*=UTF-8''%c3%A4.zip\r\n",
        "file",
        Some("ä.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; filename=\"_.zip\"; \
            filename*=utf-8'de'%C3%A4%3B.zip\r\n",
        "file",
        Some("ä;.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=file; filename*=UTF-8''b.zip; \
            filename=\"a.zip\"\r\n",
        "file",
        Some("b.zip"),
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: binary\r\n",
        "a",
        None,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 8BIT\r\n",
        "a",
        None,
    ),
];

/// Part heads to refuse, up to their blank line.
pub const REFUSED_PART_HEADS: &[(&[u8], MultipartError)] = &[
    (b"", MultipartError::Disposition),
    (b"Content-Type: text/plain\r\n", MultipartError::Disposition),
    (b"Content-Disposition:\r\n", MultipartError::Disposition),
    (
        b"Content-Disposition: form-data\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; filename=a.zip\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: attachment; name=a\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; name=b\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=\"a\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; filename=b; \
        filename=c\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; filename=\"\xff\"\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; filename*=b.zip\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; \
        filename*=UTF-8''%ff\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a; \
        filename*=iso-8859-1''%e4\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=a\r\n",
        MultipartError::Disposition,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n",
        MultipartError::TransferEncoding,
    ),
    (
        b"Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: form-data; \
            name=a\r\n",
        MultipartError::TransferEncoding,
    ),
    (
        b"Content-Disposition: form-data;\r\n name=a\r\n",
        MultipartError::Head,
    ),
    (
        b"Content-Disposition : form-data; name=a\r\n",
        MultipartError::Head,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nX\r\n",
        MultipartError::Head,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nX: \0\r\n",
        MultipartError::Head,
    ),
    (
        b"Content-Disposition: form-data; name=a\nX: y\r\n",
        MultipartError::Head,
    ),
    (
        b"Content-Disposition: form-data; name=a\r\nX: y\n\r\nY: z\r\n",
        MultipartError::Head,
    ),
    (
        b"\nContent-Disposition: form-data; name=a\r\n",
        MultipartError::Head,
    ),
    (
        b" Content-Disposition: form-data; name=a\r\n",
        MultipartError::Head,
    ),
];

/// Texts that may occur between the head of a part and the next delimiter, and hold no delimiter.
pub const CONTENTS: &[&[u8]] = &[
    b"",
    b"x",
    b"content",
    b"two\r\nlines\r\n",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\r",
    b"\r\r\r\n",
    b"\r\n\r",
    b"\r\n\r\n",
    b"\n\r\n",
    b"-",
    b"--",
    b"\r\n-",
    b"\r\n--",
    b"\r\n--x",
    b"\r\n--xY",
    b"\r\n--xY\r\n--xY",
    b"\r\n--xy",
    b"\r\n--xYZ\r\n",
    b"\r\n-xYz",
    b"\r\n --xYz",
    b"\r\n---xYz",
    b"a--xYz\r\n",
    b"a--xYz--\r\n",
    b"a\n--xYz\r\n",
    b"a\r--xYz--\r\n",
    b"a\r\r--xYz",
    b"a\n\r--xYz--",
    b"\r\n--x\r\n--xY\r\n-\r",
    b"\0\xff\xfe\r\0\n",
];

/// Texts that may occur before the first delimiter.
pub const PREAMBLES: &[&[u8]] = &[
    b"",
    b"\r\n",
    b"This is the preamble.\r\n",
    b"\r\r\n",
    b"--xY\r\n",
    b"a--xYz\r\n\r\n",
    b"\n--xYz\r\n--x\r\n",
    b"\r\n--xY\r\n",
];

/// Texts that may occur after the closing delimiter.
pub const EPILOGUES: &[&[u8]] = &[
    b"",
    b"\r\n",
    b" \t\r\n",
    b"\r\nThis is the epilogue.",
    b"\r\n--xYz--\r\n",
    b"\r\n--xYz\r\nContent-Disposition: form-data; name=file; filename=b.zip\r\n\r\nx\r\n\
        --xYz--\r\n",
];

/// Texts that may not follow a boundary at the start of a line.
pub const REFUSED_LINE_ENDS: &[&[u8]] = &[
    b"x\r\n", b"0\r\n", b"\n", b"\rx", b"\r\r\n", b"-\r\n", b"-x", b" x\r\n", b" \n", b"\t--",
    b" \rx", b";\r\n", b"\0",
];

/// Forms of several parts.
pub const FORMS: &[(&[u8], &[PartRead])] = &[
    (b"--xYz--", &[]),
    (b"\r\n--xYz--", &[]),
    (
        b"--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\
          Content-Type: application/zip\r\n\r\nPK\r\n--xYz--",
        &[("file", Some("a.zip"), b"PK")],
    ),
    (
        b"preamble\r\n--xYz \t \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n\r\n\
          --xYz\t\r\n\
          Content-Disposition: form-data; name=file; filename=\"a.zip\"\r\n\r\n\r\n--xY\r\n\
          --xYz\r\n\
          Content-Disposition: form-data; name=b\r\n\r\n\r\n--xYz--",
        &[
            ("a", None, b"1\r\n"),
            ("file", Some("a.zip"), b"\r\n--xY"),
            ("b", None, b""),
        ],
    ),
];
