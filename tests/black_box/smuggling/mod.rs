//! Request smuggling: the published desync shapes, sent to the real binary directly and through a
//! real nginx.
//!
//! A shape is a request by which two readers on one path could be brought to disagree about where
//! it ends. Whatever its answer is, two things hold: nothing is answered that was not sent, and an
//! honest request behind it, the victim's, gets its own answer or none.
//!
//! Sources: RFC 9112, section 11.2, and those that each table names.

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
    /// What is sent. Between two pieces is a pause until the other side has taken the first. Each
    /// variant in turn stands for `@`.
    pieces: &'static [&'static str],
    variants: &'static [&'static [u8]],
    /// How many answers come before the last piece is sent.
    early: usize,
    /// The statuses that a direct client gets, in order.
    answers: &'static [u16],
    /// Whether the connection is kept, so that the victim's request behind the shape is answered.
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

/// One answer, and the next request's.
const KEPT: Group = Group {
    answers: &[200],
    kept: true,
    ..REFUSED
};

/// One request out of a group.
struct Shape {
    group: Group,
    /// What stands for `@`.
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

/// A piece with the variant in its place.
fn fill(piece: &str, variant: &[u8]) -> Vec<u8> {
    match piece.split_once('@') {
        Some((before, after)) => [before.as_bytes(), variant, after.as_bytes()].concat(),
        None => piece.as_bytes().to_vec(),
    }
}

impl Shape {
    /// The method of its request, as far as it decides how answers are read.
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

/// What the answer to [`victim`] must hold, and no other answer can.
fn marker(number: usize) -> String {
    format!("victim-{number}-of-many")
}
