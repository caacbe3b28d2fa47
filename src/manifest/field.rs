//! A field of a manifest, and what it may be required to be.
//!
//! Invariant: each sentence names the field by its path and says what is accepted.

use super::outcome::{Reason, Unlisted};
use super::yaml::Yaml;
use std::collections::BTreeMap;

pub type Checked<T> = Result<T, Unlisted>;

/// A field's path and its value, if there is one.
pub struct Field<'y> {
    pub path: String,
    pub value: Option<&'y Yaml>,
}

impl<'y> Field<'y> {
    pub fn fault(&self, accepted: &str) -> Unlisted {
        Unlisted::new(Reason::Field, format!("{} is not {accepted}", self.path))
    }

    pub fn text(&self, bytes_max: usize) -> Checked<&'y str> {
        match self.value {
            Some(Yaml::Text(text)) if text.len() > bytes_max => {
                let message = format!("{} is over {bytes_max} bytes", self.path);
                Err(Unlisted::new(Reason::Field, message))
            }
            Some(Yaml::Text(text)) if text.contains(is_refused) => {
                Err(self.fault("a text without control characters"))
            }
            Some(Yaml::Text(text)) => Ok(text),
            Some(_) => Err(self.fault("a text; a number, date or yes needs quotes")),
            None => Err(Unlisted::new(
                Reason::Field,
                format!("{} is missing", self.path),
            )),
        }
    }

    pub fn filled_text(&self, bytes_max: usize) -> Checked<&'y str> {
        let text = self.text(bytes_max)?;
        if text.trim().is_empty() {
            Err(self.fault("a text with anything in it"))
        } else {
            Ok(text)
        }
    }

    pub fn mapping(&self) -> Checked<&'y BTreeMap<String, Yaml>> {
        match self.value {
            Some(Yaml::Mapping(pairs)) => Ok(pairs),
            _ => Err(self.fault("a mapping")),
        }
    }

    pub fn list(&self) -> Checked<&'y [Yaml]> {
        match self.value {
            Some(Yaml::List(list)) => Ok(list),
            _ => Err(self.fault("a list")),
        }
    }

    pub fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    /// Absent, or there without a value.
    pub fn is_empty(&self) -> bool {
        matches!(self.value, None | Some(Yaml::Null))
    }
}

/// Control characters other than the ends of lines and tabs: they would steer terminals.
pub fn is_refused(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}
