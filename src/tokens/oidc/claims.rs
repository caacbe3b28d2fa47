//! The claims of an identity token, as its issuer wrote them.
//!
//! Invariant: a claim that stands twice refuses the token, since another reader could take the
//! other one; so does a registered claim of another type than RFC 7519 gives it.
//!
//! Source: RFC 7519, sections 4 and 4.1.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Debug)]
pub struct Claims(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Distinct)
    }
}

struct Distinct;

impl<'de> Visitor<'de> for Distinct {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Claims, M::Error> {
        let mut claims = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if matches!(name.as_str(), "iss" | "sub") && !value.is_string() {
                return Err(M::Error::custom("a registered claim is not text"));
            }
            if claims.insert(name, value).is_some() {
                return Err(M::Error::custom("a claim stands twice"));
            }
        }
        Ok(Claims(claims))
    }
}

impl Claims {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Whether the token is for this audience.
    pub fn has_audience(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(text)) => text == audience,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(audience)),
            _ => false,
        }
    }

    /// A time in seconds since 1970; `None` where there is none. The error is for a value that is
    /// not a time.
    pub fn time(&self, name: &str) -> Result<Option<SystemTime>, ()> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        // Fractions are allowed (RFC 7519, section 2, "NumericDate").
        let seconds = value.as_f64().ok_or(())?;
        let since = Duration::try_from_secs_f64(seconds).map_err(drop)?;
        UNIX_EPOCH.checked_add(since).map(Some).ok_or(())
    }

    /// Whether a claim, or one item of it where it is a list, fulfils the condition. An object does
    /// not.
    pub fn any(&self, name: &str, is_wanted: impl Fn(&str) -> bool) -> bool {
        let fits = |value: &Value| match value {
            Value::String(text) => is_wanted(text),
            Value::Bool(_) | Value::Number(_) => is_wanted(&value.to_string()),
            _ => false,
        };
        match self.0.get(name) {
            Some(Value::Array(items)) => items.iter().any(fits),
            Some(value) => fits(value),
            None => false,
        }
    }
}
