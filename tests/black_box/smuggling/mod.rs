//! Request smuggling: the published desync shapes, sent to the real binary directly and through a
//! real nginx.
//!
//! A shape is a request that could make two readers on one path disagree about its end. Whatever
//! its answer is, two things hold: the server answers only requests that were sent, and an honest
//! request after it, the victim's, gets its own answer or none.
//!
//! Sources: RFC 9112, section 11.2, and the papers that each table names.

mod bodies;
mod direct;
mod heads;
mod lines;
mod nginx;
mod pauses;

/// Shapes of one kind.
#[derive(Clone, Copy)]
struct Group {
    name: &'static str,
    /// The bytes sent. After each piece the test waits until the other side has read it. Each
    /// variant in turn replaces `@`.
    pieces: &'static [&'static str],
    variants: &'static [&'static [u8]],
    /// The number of answers before the last piece is sent.
    early: usize,
    /// The statuses that a direct client gets, in order.
    answers: &'static [u16],
    /// Whether the connection is kept, so that the victim's request after the shape is answered.
    kept: bool,
}

/// One answer and a close.
const REFUSED: Group = Group {
    name: "",
    pieces: &[],
    variants: &[b""],
    early: 0,
    answers: &[400],
    kept: false,
};

/// One answer, and the answer to the next request.
const KEPT: Group = Group {
    answers: &[200],
    kept: true,
    ..REFUSED
};

/// One request of a group.
struct Shape {
    group: Group,
    /// The text that replaces `@`.
    variant: &'static [u8],
    pieces: Vec<Vec<u8>>,
}

/// All shapes.
fn shapes() -> impl Iterator<Item = Shape> {
    let groups = [lines::GROUPS, heads::GROUPS, bodies::GROUPS, pauses::GROUPS].concat();
    groups.into_iter().flat_map(|group| {
        let shape = move |variant: &&'static [u8]| Shape {
            group,
            variant,
            pieces: group
                .pieces
                .iter()
                .map(|piece| fill(piece, variant))
                .collect(),
        };
        group.variants.iter().map(shape)
    })
}

/// A piece with the variant inserted.
fn fill(piece: &str, variant: &[u8]) -> Vec<u8> {
    match piece.split_once('@') {
        Some((before, after)) => [before.as_bytes(), variant, after.as_bytes()].concat(),
        None => piece.as_bytes().to_vec(),
    }
}

impl Shape {
    /// The method of its request, as far as it affects reading the answer.
    fn method(&self) -> &'static str {
        let is_head = self.pieces.concat().starts_with(b"HEAD ");
        if is_head { "HEAD" } else { "GET" }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.group.name, self.variant.escape_ascii())
    }
}

/// The victim's request, whose answer repeats its number.
fn victim(number: usize) -> Vec<u8> {
    format!("GET /assets/{} HTTP/1.1\r\nHost: t\r\n\r\n", marker(number)).into_bytes()
}

/// Text that the answer to [`victim`] must hold and no other answer can.
fn marker(number: usize) -> String {
    format!("victim-{number}-of-many")
}
