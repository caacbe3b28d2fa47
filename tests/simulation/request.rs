//! The requests that simulated clients send, and the answers that they must get.

use crate::random::Random;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What a request asks of the simulated application; its path says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An answer from memory.
    Small,
    /// An answer from memory that the socket does not take at once.
    Large,
    /// A part of a file.
    File,
    /// An answer without a body.
    Empty,
    /// The body is received and checked.
    Put,
    /// The answer is made without the body.
    Refuse,
    /// The sink stops taking the body halfway.
    Break,
    /// The answer is made later.
    Later,
    /// The application has to find something out first, and is asked again.
    Again,
    /// The body is received, and the answer made later.
    PutLater,
    /// The answer that is to be made later is never made.
    Dropped,
    PanicInRespond,
    PanicInFeed,
    PanicInFinish,
    PanicInLater,
}

pub const KINDS: [Kind; 15] = [
    Kind::Small,
    Kind::Large,
    Kind::File,
    Kind::Empty,
    Kind::Put,
    Kind::Refuse,
    Kind::Break,
    Kind::Later,
    Kind::Again,
    Kind::PutLater,
    Kind::Dropped,
    Kind::PanicInRespond,
    Kind::PanicInFeed,
    Kind::PanicInFinish,
    Kind::PanicInLater,
];

impl Kind {
    fn takes_body(self) -> bool {
        matches!(
            self,
            Self::Put
                | Self::Refuse
                | Self::Break
                | Self::PutLater
                | Self::PanicInFeed
                | Self::PanicInFinish
        )
    }

    fn status(self) -> u16 {
        match self {
            Self::Small | Self::Large | Self::File => 200,
            Self::Put | Self::Later | Self::Again | Self::PutLater => 200,
            Self::Empty => 204,
            Self::Refuse => 403,
            Self::Break => 413,
            Self::Dropped => 500,
            Self::PanicInRespond | Self::PanicInFeed => 500,
            Self::PanicInFinish | Self::PanicInLater => 500,
        }
    }

    /// Whether the server may close the connection after its answer.
    fn may_close(self) -> bool {
        matches!(self, Self::Refuse | Self::Break) || self.status() == 500
    }
}

/// Ids of bodies are below this.
pub const IDS: usize = 4;
/// The longest body.
pub const BODY_BYTES_MAX: usize = 700_000;

/// A part of the body with this id.
pub fn pattern(id: usize, range: std::ops::Range<usize>) -> &'static [u8] {
    static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let byte = |id: usize, at: usize| ((id * 31) ^ (at * 7) ^ (at >> 8)).to_le_bytes()[0];
        let body = |id| (0..BODY_BYTES_MAX).map(|at| byte(id, at)).collect();
        (0..IDS).map(body).collect()
    });
    &BODIES[id][range]
}

/// What a path says: `/KIND/ID/BYTES`.
pub fn parse_path(path: &str) -> Option<(Kind, usize, usize)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let name = parts.next()?;
    let kind = KINDS.into_iter().find(|kind| format!("{kind:?}") == name)?;
    Some((
        kind,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    ))
}

/// A request, and what the model says about its answer.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of an answer"
)]
pub struct Planned {
    pub kind: Kind,
    pub head_only: bool,
    pub status: u16,
    /// The content of the answer; `None` where any will do.
    pub content: Option<Cow<'static, [u8]>>,
    pub may_close: bool,
    pub must_close: bool,
    pub expects_continue: bool,
    /// Where the method is complete, the head, and the request, in the bytes of its connection.
    pub method_end: usize,
    pub head_end: usize,
    pub end: usize,
}

/// The text of an answer.
pub fn text(kind: Kind, id: usize, bytes: usize) -> Vec<u8> {
    format!("{kind:?} {id} {bytes}").into_bytes()
}

fn content(kind: Kind, id: usize, bytes: usize) -> Option<Cow<'static, [u8]>> {
    match kind {
        Kind::Small | Kind::Large | Kind::File => Some(pattern(id, 0..bytes).into()),
        Kind::Empty => Some(Cow::default()),
        _ if kind.status() == 500 => None,
        _ => Some(text(kind, id, bytes).into()),
    }
}

fn chunked(random: &mut Random, body: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let length = (1 + random.below(rest.len())).min(1 + random.below(9000));
        let (chunk, after) = rest.split_at(length);
        let extension = random.pick(&["", "", ";a=b"]);
        coded.extend(format!("{length:x}{extension}\r\n").bytes());
        coded.extend(chunk);
        coded.extend(b"\r\n");
        rest = after;
    }
    coded.extend(
        random
            .pick(&["0\r\n\r\n", "0\r\nX-Trailer: t\r\n\r\n"])
            .bytes(),
    );
    coded
}

fn size(random: &mut Random, kind: Kind) -> usize {
    match kind {
        Kind::Large | Kind::File => random.below(BODY_BYTES_MAX),
        _ if random.below(8) == 0 => random.below(300_000),
        _ => random.below(2000),
    }
}

/// How a request is written.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of a request"
)]
struct Shape {
    kind: Kind,
    id: usize,
    bytes: usize,
    old_version: bool,
    closes: bool,
    head_only: bool,
    expects_continue: bool,
    /// The body in chunks, where it has no announced length.
    chunks: Option<Vec<u8>>,
}

impl Shape {
    fn new(kind: Kind, bytes: usize) -> Self {
        Self {
            kind,
            id: 0,
            bytes,
            old_version: false,
            closes: false,
            head_only: false,
            expects_continue: false,
            chunks: None,
        }
    }

    fn random(random: &mut Random, kind: Kind) -> Self {
        let id = random.below(IDS);
        // A body of no bytes is never fed.
        let bytes = size(random, kind).max(usize::from(kind == Kind::PanicInFeed));
        let mut shape = Self::new(kind, bytes);
        shape.id = id;
        shape.old_version = random.below(12) == 0;
        shape.closes = random.below(12) == 0;
        shape.head_only = !kind.takes_body() && random.below(6) == 0;
        if kind.takes_body() && !shape.old_version {
            if random.below(2) == 0 {
                shape.chunks = Some(chunked(random, pattern(id, 0..bytes)));
            }
            shape.expects_continue = random.below(6) == 0;
        }
        shape
    }

    fn head(&self) -> (&'static str, String) {
        let method = match (self.kind.takes_body(), self.head_only) {
            (true, _) => "PUT",
            (_, true) => "HEAD",
            _ => "GET",
        };
        let (kind, id, bytes) = (self.kind, self.id, self.bytes);
        let version = if self.old_version { "1.0" } else { "1.1" };
        let mut head = format!("{method} /{kind:?}/{id}/{bytes} HTTP/{version}\r\nHost: t\r\n");
        if self.closes {
            head.push_str("Connection: close\r\n");
        }
        if self.chunks.is_some() {
            head.push_str("Transfer-Encoding: chunked\r\n");
        } else if kind.takes_body() {
            head.push_str("Content-Length: ");
            head.push_str(&bytes.to_string());
            head.push_str("\r\n");
        }
        if self.expects_continue {
            head.push_str("Expect: 100-continue\r\n");
        }
        head.push_str("\r\n");
        (method, head)
    }

    /// Appends the request to the bytes of a connection.
    fn append(self, out: &mut Vec<u8>) -> Planned {
        let (method, head) = self.head();
        let method_end = out.len() + method.len() + 1;
        out.extend(head.bytes());
        let head_end = out.len();
        match &self.chunks {
            Some(chunks) => out.extend(chunks),
            None if self.kind.takes_body() => out.extend(pattern(self.id, 0..self.bytes)),
            None => {}
        }
        Planned {
            kind: self.kind,
            head_only: self.head_only,
            status: self.kind.status(),
            content: content(self.kind, self.id, self.bytes),
            may_close: self.kind.may_close(),
            must_close: self.closes || self.old_version,
            expects_continue: self.expects_continue,
            method_end,
            head_end,
            end: out.len(),
        }
    }
}

/// Appends a request to the bytes of a connection.
pub fn plan(random: &mut Random, kind: Kind, out: &mut Vec<u8>) -> Planned {
    Shape::random(random, kind).append(out)
}

/// Appends a request that keeps its connection.
pub fn plan_persistent(kind: Kind, bytes: usize, out: &mut Vec<u8>) -> Planned {
    Shape::new(kind, bytes).append(out)
}

/// Appends a request whose client waits for an interim answer.
pub fn plan_expecting(out: &mut Vec<u8>) -> Planned {
    let mut shape = Shape::new(Kind::Put, 10);
    shape.expects_continue = true;
    shape.append(out)
}

/// Appends bytes that are not a request: the last ones of their connection.
pub fn plan_garbage(random: &mut Random, out: &mut Vec<u8>) -> Planned {
    let (bytes, status): (&[u8], u16) = random.pick(&[
        (&b"GARBAGE\r\n\r\n"[..], 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            400,
        ),
        (
            b"PUT /Put/1/1 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            400,
        ),
        (b"GET / HTTP/9.1\r\nHost: t\r\n\r\n", 505),
    ]);
    let begin = out.len();
    out.extend(bytes);
    Planned {
        kind: Kind::PanicInRespond,
        head_only: false,
        status,
        content: None,
        may_close: true,
        must_close: true,
        expects_continue: false,
        method_end: begin,
        // The first wrong byte may already be answered.
        head_end: begin + 1,
        end: out.len(),
    }
}
