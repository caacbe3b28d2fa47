//! Hostile clients: each sends a request that must be refused, and asserts the status and the
//! close.

use crate::stalled::{half_an_answer, reset};
use crate::support::{FORM_TYPE, TOKEN, TestServer, hex};
use crate::tally::Tally;
use crate::{End, Random};

/// In bytes, over the upload limit of the soak's server.
pub const TOO_MANY_BYTES: usize = 10 << 20;

type Attack = fn(&TestServer, &mut Random);

/// Repeats attacks until the end.
pub fn run(server: &TestServer, tally: &Tally, seed: u64, end: End) {
    let mut random = Random(seed);
    let attacks: [(&'static str, Attack); 6] = [
        ("hostile: malformed heads", malformed_heads),
        ("hostile: malformed chunks", malformed_chunks),
        ("hostile: wrong tokens", wrong_tokens),
        ("hostile: oversize", oversize),
        ("hostile: wrong content", wrong_content),
        ("hostile: resets", resets),
    ];
    while !end.is_reached() {
        let (kind, attack) = attacks[random.below(attacks.len())];
        tally.attempt(kind, || {
            attack(server, &mut random);
            0
        });
    }
}

/// The head of a publish with these lines at its end; no package may ever get this name.
fn put(lines: &str) -> Vec<u8> {
    format!("PUT /assets/hostile.zip HTTP/1.1\r\nHost: test\r\n{lines}\r\n").into_bytes()
}

/// Sends bytes and asserts that they are refused, and that nothing after them is answered.
fn assert_refused(server: &TestServer, bytes: &[u8], status: u16) {
    let mut connection = server.connect();
    connection.send(bytes);
    connection.send(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
    let answer = connection.response("PUT");
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    assert_eq!(answer.status, status, "{shown}: {answer:?}");
    answer.assert_error(status, "");
    connection.finish_sending();
    connection.assert_closed();
}

fn malformed_heads(server: &TestServer, random: &mut Random) {
    let endless = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    let malformed: [(&[u8], u16); 10] = [
        (b"GET /latest HTTP/1.1\nHost: test\n\n", 400),
        (b"GET /latest HTTP/1.1\r\n\r\n", 400),
        (b"GET  /latest HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (&put("Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
        (&put("Content-Length: -1\r\n"), 400),
        (
            &put("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            400,
        ),
        (&put("Transfer-Encoding: gzip, chunked\r\n"), 400),
        (&endless, 431),
    ];
    let (bytes, status) = malformed[random.below(malformed.len())];
    assert_refused(server, bytes, status);
}

fn malformed_chunks(server: &TestServer, random: &mut Random) {
    let lines = format!("Authorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n");
    let bodies: [&[u8]; 6] = [
        b"5\r\nhello\r\n0\r\n\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nhello",
        b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
    ];
    let body = bodies[random.below(bodies.len())];
    assert_refused(server, &[&put(&lines), body].concat(), 400);
}

fn wrong_tokens(server: &TestServer, random: &mut Random) {
    let body = vec![b'x'; random.below(2 << 20)];
    for headers in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Basic YTpi\r\n",
    ] {
        for (method, path) in [
            ("PUT", "/assets/hostile.zip"),
            ("POST", "/upload"),
            ("DELETE", "/assets/package-0.zip"),
        ] {
            let answer = server.request(method, path, headers, &body);
            answer.assert_error(401, "");
        }
    }
}

fn oversize(server: &TestServer, random: &mut Random) {
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let length = ["10485760", "9000000000000000", "18446744073709551615"][random.below(3)];
    let announced = put(&format!("{token}Content-Length: {length}\r\n"));
    let mut connection = server.connect();
    connection.send(&announced);
    connection.response("PUT").assert_error(413, "over");
    let chunk = format!("{TOO_MANY_BYTES:x}\r\n");
    let chunked = put(&format!("{token}Transfer-Encoding: chunked\r\n"));
    let mut connection = server.connect();
    connection.send(&[&chunked, chunk.as_bytes(), &vec![b'x'; TOO_MANY_BYTES]].concat());
    connection.response("PUT").assert_error(413, "over");
}

fn wrong_content(server: &TestServer, _: &mut Random) {
    let checksum = format!("X-Checksum-Sha256: {}\r\n", hex(b"something else"));
    let answer = server.write("PUT", "/assets/hostile.zip", &checksum, b"content");
    answer.assert_error(400, "SHA-256 is");
    let cut_short = b"--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; \
        filename=\"hostile.zip\"\r\n\r\nx";
    let answer = server.write("POST", "/upload", FORM_TYPE, cut_short);
    answer.assert_error(400, "closing boundary");
    let answer = server.write("PUT", "/assets/..%2fhostile.zip", "", b"content");
    answer.assert_error(400, "holds '/'");
}

/// Connections that end at every moment except the right one.
fn resets(server: &TestServer, random: &mut Random) {
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let upload = put(&format!("{token}Content-Length: 2000000\r\n"));
    let body = vec![b'x'; 1_000_000];
    for _ in 0..10 {
        let mut connection = server.connect();
        match random.below(4) {
            0 => {}
            1 => connection.send(&upload[..random.below(upload.len())]),
            2 => connection.send(&[&upload, &body[..random.below(body.len())]].concat()),
            _ => connection.send(half_an_answer().as_bytes()),
        }
        reset(connection);
    }
}
