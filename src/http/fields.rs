//! The fields of a head, and the grammar that their values share.
//!
//! Invariant: nothing is copied; names and values are slices of the received bytes.
//!
//! Source: RFC 9110, sections 5.1 (names), 5.6.1 (lists) and 5.6.2 (tokens).

use crate::limits::HEAD_FIELDS_MAX;
use std::mem::MaybeUninit;

/// Room for the fields of one head, on the caller's stack.
pub type FieldSlots<'b> = [MaybeUninit<httparse::Header<'b>>; HEAD_FIELDS_MAX];

pub fn field_slots<'b>() -> FieldSlots<'b> {
    [const { MaybeUninit::uninit() }; HEAD_FIELDS_MAX]
}

/// The fields of a head, in order.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'f, 'b>(&'f [httparse::Header<'b>]);

impl<'f, 'b> Fields<'f, 'b> {
    pub(super) fn new(fields: &'f [httparse::Header<'b>]) -> Self {
        Self(fields)
    }

    /// Every value of the field, in order; `name` in any case.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'f, 'b, 'n> {
        self.0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }

    /// The first value of the field, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&'b str> {
        self.all(name)
            .next()
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The members of the comma-separated lists in all fields of this name, trimmed, without empty
    /// ones.
    pub fn members<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'f, 'b, 'n> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
