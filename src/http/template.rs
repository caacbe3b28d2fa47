//! Bodies that differ only in a few values for each client: one text is kept for all of them, and
//! the values are inserted while a body is sent.
//!
//! Invariants: a body that waits for its client holds its values and a position, never the text;
//! when its template is dropped meanwhile, the body cannot continue and its connection closes. The
//! length and the hash of a body follow from the template and the values, without composing it.

use sha2::{Digest, Sha256};
use std::sync::{Arc, Weak};

/// Marks the place of a value: this byte, then the digit of the value. It is DEL, a control
/// character, which no package name, JSON text or page of this program contains.
const MARK: u8 = 0x7f;
const VALUES_MAX: usize = 3;

/// The marks of the values in a text that becomes a [`Template`].
pub const MARKS: [&str; VALUES_MAX] = ["\x7f0", "\x7f1", "\x7f2"];

/// The values of one client: the first replaces the first of [`MARKS`], and so on.
pub type Values = Arc<[Box<str>]>;

#[derive(Debug)]
pub struct Template {
    text: Vec<u8>,
    places: Vec<Place>,
    /// The number of places of each value.
    counts: [usize; VALUES_MAX],
    hash: [u8; 32],
}

#[derive(Debug)]
struct Place {
    /// The position in the text where the value is inserted.
    at: usize,
    value: usize,
}

impl Template {
    pub fn new(marked: &[u8]) -> Self {
        let mut template = Self {
            text: Vec::with_capacity(marked.len()),
            places: Vec::new(),
            counts: [0; VALUES_MAX],
            hash: Sha256::digest(marked).into(),
        };
        let mut rest = marked;
        while let Some(at) = memchr::memchr(MARK, rest) {
            let (before, from_mark) = rest.split_at(at);
            template.text.extend_from_slice(before);
            rest = template.take_mark(from_mark);
        }
        template.text.extend_from_slice(rest);
        template.text.shrink_to_fit();
        template.places.shrink_to_fit();
        template
    }

    /// Takes a mark from the front; a mark of no value is text.
    fn take_mark<'t>(&mut self, from_mark: &'t [u8]) -> &'t [u8] {
        let [_, digit @ b'0'..=b'2', rest @ ..] = from_mark else {
            self.text.push(MARK);
            return &from_mark[1..];
        };
        let value = usize::from(digit - b'0');
        let at = self.text.len();
        self.places.push(Place { at, value });
        self.counts[value] += 1;
        rest
    }

    /// Memory of the template, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.text.capacity() + self.places.capacity() * size_of::<Place>()
    }

    /// A hash of the body with these values.
    pub fn hash(&self, values: &Values) -> [u8; 32] {
        if values.is_empty() {
            return self.hash;
        }
        let mut hash = Sha256::new().chain_update(self.hash);
        for value in values.iter() {
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value.as_bytes());
        }
        hash.finalize().into()
    }

    /// The whole body with these values, as a template without places.
    #[must_use]
    pub fn composed(&self, values: &Values) -> Self {
        let mut text = Vec::with_capacity(self.length(values));
        let length = text.capacity();
        self.walk(&mut Cursor::default(), values, length, |piece| {
            text.extend_from_slice(piece);
        });
        Self {
            text,
            places: Vec::new(),
            counts: [0; VALUES_MAX],
            hash: self.hash(values),
        }
    }

    fn length(&self, values: &Values) -> usize {
        let inserted = self.counts.iter().zip(values.iter());
        let inserted = inserted.map(|(count, value)| count * value.len());
        self.text.len() + inserted.sum::<usize>()
    }

    /// Passes the next `length` bytes to `take` in pieces, and moves the cursor after them.
    fn walk(
        &self,
        cursor: &mut Cursor,
        values: &Values,
        mut length: usize,
        mut take: impl FnMut(&[u8]),
    ) {
        while length > 0 {
            let place = self.places.get(cursor.place);
            let text_end = place.map_or(self.text.len(), |place| place.at);
            let value = place.map(|place| values.get(place.value).map_or("", |value| value));
            let (piece, position) = if cursor.text < text_end {
                (&self.text[cursor.text..text_end], &mut cursor.text)
            } else if let Some(value) = value {
                if cursor.value == value.len() {
                    cursor.place += 1;
                    cursor.value = 0;
                    continue;
                }
                (&value.as_bytes()[cursor.value..], &mut cursor.value)
            } else {
                return;
            };
            let piece = &piece[..piece.len().min(length)];
            take(piece);
            *position += piece.len();
            length -= piece.len();
        }
    }
}

/// A position in a composed body.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    text: usize,
    /// The next place.
    place: usize,
    /// The position in the value of that place.
    value: usize,
}

/// The rest of a body that a template and the values of a client make.
#[derive(Debug)]
pub struct Composed {
    template: Weak<Template>,
    /// Present until the body first waits for its client.
    owned: Option<Arc<Template>>,
    values: Values,
    cursor: Cursor,
    left: usize,
}

impl Composed {
    pub fn new(template: &Arc<Template>, values: Values) -> Self {
        Self {
            left: template.length(&values),
            template: Arc::downgrade(template),
            owned: Some(Arc::clone(template)),
            values,
            cursor: Cursor::default(),
        }
    }

    /// The template; `None` once it was dropped, which ends the body.
    pub fn template(&self) -> Option<Arc<Template>> {
        self.owned.clone().or_else(|| self.template.upgrade())
    }

    /// Called when the body waits for its client: from now on it does not keep its template.
    pub fn release(&mut self) {
        self.owned = None;
    }

    /// Bytes that are still to be sent.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Memory of the body in progress, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.values.iter().map(|value| value.len()).sum()
    }

    /// The next bytes: from the template itself if it has no places, otherwise composed in
    /// `scratch`.
    pub fn next<'a>(&self, template: &'a Template, scratch: &'a mut [u8]) -> &'a [u8] {
        if template.places.is_empty() {
            return &template.text[self.cursor.text..];
        }
        let mut cursor = self.cursor;
        let mut filled = 0;
        template.walk(&mut cursor, &self.values, scratch.len(), |piece| {
            scratch[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        });
        &scratch[..filled]
    }

    /// Appends the rest of the body to `out`.
    pub fn append_to(&self, template: &Template, out: &mut Vec<u8>) {
        let mut cursor = self.cursor;
        template.walk(&mut cursor, &self.values, self.left, |piece| {
            out.extend_from_slice(piece);
        });
    }

    /// Counts bytes as sent.
    pub fn advance(&mut self, template: &Template, bytes: usize) {
        template.walk(&mut self.cursor, &self.values, bytes, |_| {});
        self.left -= bytes.min(self.left);
    }
}
