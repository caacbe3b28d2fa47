//! Every shape sent directly to the server: exactly the answers in its table, and no other.
//!
//! Invariant: the server's log has one line for each answer; a request that no client sent would
//! add a line.

use super::{Shape, marker, shapes, victim};
use crate::support::{Connection, Response, TestServer, until};

/// The result of a shape.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    statuses: Vec<u16>,
    /// Whether the last answer announced a close.
    is_close_announced: bool,
    /// Whether the victim's request was answered, and nothing after it.
    kept: bool,
}

impl Outcome {
    /// Takes an answer to the shape itself.
    fn add(&mut self, answer: &Response, method: &str) {
        if answer.status >= 400 && method != "HEAD" {
            answer.assert_error(answer.status, "");
        }
        self.statuses.push(answer.status);
        self.is_close_announced = answer.try_header("connection") == Some("close");
    }
}

/// Sends a shape followed by the victim's request, and reads until the connection ends or the
/// victim is served.
fn send(connection: &mut Connection, shape: &Shape, number: usize) -> Outcome {
    let mut outcome = Outcome {
        statuses: Vec::new(),
        is_close_announced: false,
        kept: false,
    };
    let (last, first) = shape.pieces.split_last().unwrap();
    for piece in first {
        connection.send(piece);
        connection.wait_until_taken();
    }
    for _ in 0..shape.group.early {
        outcome.add(&connection.response(shape.method()), shape.method());
    }
    connection.send(&[&last[..], &victim(number)].concat());
    while !outcome.kept {
        let is_shapes_own = outcome.statuses.len() < shape.group.answers.len();
        let method = if is_shapes_own { shape.method() } else { "GET" };
        match connection.try_response(method) {
            None => break,
            Some(answer) if answer.is_about(&marker(number)) => outcome.kept = true,
            Some(answer) => outcome.add(&answer, method),
        }
    }
    connection.finish_sending();
    connection.assert_closed();
    outcome
}

#[test]
fn nothing_is_answered_that_was_not_sent() {
    let server = TestServer::with(&[("MAX_UPLOAD_SIZE", "1000000")]);
    assert_eq!(server.put("there.zip", b"hello").status, 201);
    let (mut faults, mut answers) = (Vec::new(), 1);
    for (number, shape) in shapes().enumerate() {
        // Printed if the test fails: the last shape is the culprit.
        println!("{shape}");
        let outcome = send(&mut server.connect(), &shape, number);
        let finals = outcome.statuses.iter().filter(|status| **status != 100);
        answers += finals.count() + usize::from(outcome.kept);
        let wanted = Outcome {
            statuses: shape.group.answers.to_vec(),
            is_close_announced: !shape.group.kept,
            kept: shape.group.kept,
        };
        if outcome != wanted {
            faults.push(format!("{shape}: {outcome:?}, not {wanted:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    until(|| (server.requests().len() >= answers).then_some(()));
    let last = server.request("GET", "/assets/there.zip", "X-Request-Id: last\r\n", b"");
    assert_eq!(last.body, b"hello");
    server.wait_for_line(|line| line["request_id"] == "last");
    assert_eq!(server.requests().len(), answers + 1);
    assert_eq!(server.stored(), ["there.zip", "there.zip.sha256"]);
}
