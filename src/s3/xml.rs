//! XML as object stores write it: elements, texts and entities, into a tree.
//!
//! An own reader, because a list needs little of XML, and a library for all of it weighs ten times
//! as much. Attributes, comments, processing instructions and declarations are passed over.
//!
//! Invariants: reading takes one pass, whatever the input; the depth is bounded; no entity is
//! defined by the document.
//!
//! Source: XML 1.0, sections 2 and 4.6.

use memchr::memmem;

/// A list has three levels, an answer of STS four.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Without a prefix.
    pub name: String,
    /// Its own text, with the entities replaced.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document; its root element. `None` where it is malformed.
    pub fn parse(document: &[u8]) -> Option<Self> {
        let document = String::from_utf8_lossy(document);
        let mut rest = document.as_ref();
        // The first one stands for the document and collects the root.
        let mut open = vec![Self::default()];
        while let Some(at) = rest.find('<') {
            let (text, markup) = rest.split_at(at);
            open.last_mut()?.add_text(text)?;
            rest = if let Some(markup) = markup.strip_prefix("<![CDATA[") {
                let (text, after) = split_at(markup, "]]>")?;
                open.last_mut()?.text.push_str(text);
                after
            } else if let Some(markup) = markup.strip_prefix("<!--") {
                split_at(markup, "-->")?.1
            } else if markup.starts_with("<?") || markup.starts_with("<!") {
                split_at(markup, ">")?.1
            } else {
                let (tag, after) = split_at(&markup[1..], ">")?;
                apply(tag, &mut open)?;
                after
            };
        }
        if open.len() != 1 || !rest.trim().is_empty() {
            return None;
        }
        let mut roots = open.pop()?.children;
        (roots.len() == 1).then(|| roots.pop()).flatten()
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children_named(name).next()
    }

    pub fn children_named<'e>(&'e self, name: &str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; empty where there is none.
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }

    fn add_text(&mut self, text: &str) -> Option<()> {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('&') {
            let (entity, after) = after.split_once(';')?;
            self.text.push_str(before);
            self.text.push(character(entity)?);
            rest = after;
        }
        self.text.push_str(rest);
        Some(())
    }
}

fn split_at<'t>(text: &'t str, end: &str) -> Option<(&'t str, &'t str)> {
    let at = memmem::find(text.as_bytes(), end.as_bytes())?;
    Some((&text[..at], &text[at + end.len()..]))
}

/// Opens or closes the element of a tag.
fn apply(tag: &str, open: &mut Vec<Element>) -> Option<()> {
    let local = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
    let is_empty = tag.ends_with('/');
    if let Some(name) = tag.strip_prefix('/') {
        let closed = open.pop()?;
        if closed.name != local(name.trim_end()) {
            return None;
        }
        open.last_mut()?.children.push(closed);
        return Some(());
    }
    let name = tag.trim_end_matches('/').split_ascii_whitespace().next()?;
    let element = Element {
        name: local(name),
        ..Element::default()
    };
    if is_empty {
        open.last_mut()?.children.push(element);
    } else if open.len() <= DEPTH_MAX {
        open.push(element);
    } else {
        return None;
    }
    Some(())
}

fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        entity => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}
