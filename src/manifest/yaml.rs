//! YAML documents of strangers: events with stops instead of a tree without bounds.
//!
//! Invariants: what is read costs time and memory in proportion to its length; depth and the number
//! of nodes are bounded; nothing is expanded. Tags, several documents and keys that occur twice are
//! refused. A value that is given here is the one that PyYAML gives.
//!
//! Source: YAML 1.1 as PyYAML 6 reads it, where the parser, which reads YAML 1.2, differs from it.

use super::yaml_scalar::{Plain, resolve};
use crate::limits::spec_kit::{MANIFEST_DEPTH_MAX, MANIFEST_EVENTS_MAX};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::BTreeMap;

/// A value in a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    Text(String),
    Null,
    Float(f64),
    /// A boolean, an integer or a date: nothing that a manifest's fields take.
    Other,
    /// What stands elsewhere in the document; never looked up.
    Alias,
    List(Vec<Self>),
    /// Keys that are not texts are left out.
    Mapping(BTreeMap<String, Self>),
}

impl Yaml {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Mapping(pairs) = self else {
            return None;
        };
        pairs.get(key)
    }
}

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YamlError {
    NotUtf8,
    Character,
    Syntax,
    Tab,
    Depth,
    Events,
    Tag,
    Documents,
    Key,
    DuplicateKey,
    Scalar,
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "it is not UTF-8",
            Self::Character => "it has a control character or an unusual line separator",
            Self::Syntax => "it is not YAML",
            Self::Tab => "it has a tab outside of quotes and comments",
            Self::Depth => "its mappings and lists are over 32 deep",
            Self::Events => "it has too many values",
            Self::Tag => "it has a tag",
            Self::Documents => "it has more than one document",
            Self::Key => "a key is empty, a list, a mapping or an alias",
            Self::DuplicateKey => "a key occurs twice in one mapping",
            Self::Scalar => "it has a merge key, or a number or date that cannot be",
        })
    }
}

/// A list or mapping that has not ended.
enum Open {
    List(Vec<Yaml>),
    Mapping {
        pairs: BTreeMap<String, Yaml>,
        key: Key,
    },
}

/// The key that waits for its value.
enum Key {
    None,
    Text(String),
    /// Something other than a text, whose value is left out.
    Other,
}

/// Reads a document; an empty one is null.
pub fn parse(bytes: &[u8]) -> Result<Yaml, YamlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| YamlError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = &text.replace("\r\n", "\n").replace('\r', "\n")[..];
    if text.chars().any(is_refused) {
        return Err(YamlError::Character);
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut scalars = Vec::new();
    for (events, event) in Parser::new_from_str(text).enumerate() {
        let (event, span) = event.map_err(|_| YamlError::Syntax)?;
        if events >= MANIFEST_EVENTS_MAX {
            return Err(YamlError::Events);
        }
        let value = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return Err(YamlError::Tag),
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                if text.is_empty() && awaits_key(open.last()) {
                    return Err(YamlError::Key);
                }
                plain(&text)?
            }
            Event::Scalar(text, style, ..) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                scalars.push((span, is_block));
                Yaml::Text(text.into_owned())
            }
            Event::Alias(_) => Yaml::Alias,
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                check_start(&open)?;
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping {
                    pairs: BTreeMap::new(),
                    key: Key::None,
                });
                check_start(&open)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Yaml::List(list),
                Some(Open::Mapping { pairs, .. }) => Yaml::Mapping(pairs),
                None => return Err(YamlError::Syntax),
            },
            Event::DocumentStart(_) if root.is_some() => return Err(YamlError::Documents),
            _ => continue,
        };
        match open.last_mut() {
            None => root = Some(value),
            Some(within) => put(within, value)?,
        }
    }
    if has_stray_tab(text, &scalars) {
        return Err(YamlError::Tab);
    }
    Ok(root.unwrap_or(Yaml::Null))
}

/// Refuses what PyYAML takes for no character at all, or for the end of a line where YAML 1.2 does
/// not.
fn is_refused(c: char) -> bool {
    matches!(
        c,
        '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{7f}'
    ) || c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

fn plain(text: &str) -> Result<Yaml, YamlError> {
    Ok(match resolve(text) {
        Plain::Text => Yaml::Text(text.to_owned()),
        Plain::Null => Yaml::Null,
        Plain::Float(number) => Yaml::Float(number),
        Plain::Other => Yaml::Other,
        Plain::Refused => return Err(YamlError::Scalar),
    })
}

/// Whether a tab stands outside of quotes, block scalars and comments, where YAML 1.1 has none.
fn has_stray_tab(text: &str, scalars: &[(Span, bool)]) -> bool {
    let mut scalars = scalars.iter().peekable();
    let (mut line, mut is_comment, mut previous) = (1, false, '\n');
    for (at, c) in text.chars().enumerate() {
        while scalars
            .next_if(|(span, _)| span.end.index() <= at)
            .is_some()
        {}
        // A block scalar's first line is its header.
        let is_inside = scalars.peek().is_some_and(|(span, is_block)| {
            span.start.index() <= at && !(*is_block && line == span.start.line())
        });
        match c {
            '\n' => (line, is_comment) = (line + 1, false),
            _ if is_inside => is_comment = false,
            '#' if matches!(previous, ' ' | '\t' | '\n') => is_comment = true,
            '\t' if !is_comment => return true,
            _ => {}
        }
        previous = c;
    }
    false
}

fn awaits_key(open: Option<&Open>) -> bool {
    matches!(open, Some(Open::Mapping { key: Key::None, .. }))
}

/// Refuses a list or mapping that is too deep, or stands where a key is awaited.
fn check_start(open: &[Open]) -> Result<(), YamlError> {
    if open.len() > MANIFEST_DEPTH_MAX {
        return Err(YamlError::Depth);
    }
    if awaits_key(open.iter().nth_back(1)) {
        return Err(YamlError::Key);
    }
    Ok(())
}

fn put(within: &mut Open, value: Yaml) -> Result<(), YamlError> {
    match within {
        Open::List(list) => list.push(value),
        Open::Mapping { pairs, key } => match std::mem::replace(key, Key::None) {
            Key::Text(name) => drop(pairs.insert(name, value)),
            Key::Other => {}
            Key::None => {
                *key = match value {
                    Yaml::Text(name) if pairs.contains_key(&name) => {
                        return Err(YamlError::DuplicateKey);
                    }
                    Yaml::Text(name) => Key::Text(name),
                    Yaml::Alias => return Err(YamlError::Key),
                    _ => Key::Other,
                };
            }
        },
    }
    Ok(())
}
