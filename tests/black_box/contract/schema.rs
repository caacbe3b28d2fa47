//! The contract as the tests read it: references, operations, and a strict check of answers and
//! values against it.
//!
//! Invariants: a keyword that is not checked here fails, so the document cannot state more than the
//! tests check; an object may have no property that its schema does not name, unless the schema
//! allows it.
//!
//! Sources: the `OpenAPI` Specification 3.1; JSON Schema 2020-12, of which this is the subset that
//! the document uses.

use super::pattern::Pattern;
use crate::support::Response;
use serde_json::Value;
use std::collections::BTreeSet;

/// The file that the server embeds.
pub const TEXT: &str = include_str!("../../../openapi.yaml");

/// Statuses that the document's `default` covers: any request may get them.
pub const OF_ANY_REQUEST: [u16; 6] = [400, 408, 417, 431, 500, 505];

pub struct Contract(Value);

impl Contract {
    pub fn load() -> Self {
        Self(serde_yaml::from_str(TEXT).expect("openapi.yaml is YAML with string keys"))
    }

    pub fn document(&self) -> &Value {
        &self.0
    }

    /// A part of the document, by JSON pointer; references on the way are followed.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer).map(|found| self.resolve(found))
    }

    /// The value itself, or the target of its reference.
    pub fn resolve<'c>(&'c self, value: &'c Value) -> &'c Value {
        match value.get("$ref").and_then(Value::as_str) {
            None => value,
            Some(reference) => reference
                .strip_prefix('#')
                .and_then(|pointer| self.at(pointer))
                .unwrap_or_else(|| panic!("'{reference}' leads nowhere")),
        }
    }

    /// Every operation: path, method in upper case, the operation.
    pub fn operations(&self) -> impl Iterator<Item = (&str, String, &Value)> {
        const METHODS: [&str; 8] = [
            "get", "head", "put", "post", "delete", "options", "patch", "trace",
        ];
        entries(&self.0["paths"]).flat_map(|(path, item)| {
            entries(item)
                .filter(|(key, _)| METHODS.contains(key))
                .map(move |(method, operation)| (path, method.to_ascii_uppercase(), operation))
        })
    }

    /// The documentation of an operation's answer with this status; `None` if the status is not
    /// documented.
    pub fn response(&self, method: &str, path: &str, status: u16) -> Option<&Value> {
        let path = path.replace('/', "~1");
        let method = method.to_ascii_lowercase();
        let responses = self.at(&format!("/paths/{path}/{method}/responses"))?;
        let of_any_request = || {
            let default = OF_ANY_REQUEST.contains(&status);
            responses.get("default").filter(|_| default)
        };
        responses
            .get(status.to_string())
            .or_else(of_any_request)
            .map(|response| self.resolve(response))
    }

    /// Checks a value against a schema; the error names the place and the reason.
    pub fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if schema.get("$ref").is_none() {
            self.properties(schema, value)?;
        }
        entries(schema).try_for_each(|(keyword, operand)| {
            let result = self.keyword(schema, keyword, operand, value);
            result.map_err(|why| match why.as_str() {
                "" => format!(": {value} does not fit {keyword} {operand}"),
                _ => why,
            })
        })
    }

    /// Checks a value against one keyword of its schema; the error names the deeper place, if any.
    fn keyword(
        &self,
        schema: &Value,
        keyword: &str,
        operand: &Value,
        value: &Value,
    ) -> Result<(), String> {
        let holds = match keyword {
            "$ref" => return self.fits(self.resolve(schema), value),
            "items" => return self.items(operand, value),
            "type" => match operand {
                Value::Array(types) => types.iter().any(|name| is_of_type(name, value)),
                name => is_of_type(name, value),
            },
            "const" => operand == value,
            "enum" => operand.as_array().unwrap().contains(value),
            "required" => operand
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "pattern" => {
                let pattern = Pattern::new(operand.as_str().unwrap());
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "format" => has_format(operand, value),
            "minLength" => {
                length_of(value).is_none_or(|length| length >= operand.as_u64().unwrap())
            }
            "maxLength" => {
                length_of(value).is_none_or(|length| length <= operand.as_u64().unwrap())
            }
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= operand.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= operand.as_i64().unwrap()),
            // Checked together with another keyword, here and where that one is missing.
            "properties" => true,
            "additionalProperties" => operand.is_boolean(),
            // Documentation for people.
            "description" | "default" | "examples" => true,
            unknown => panic!("the keyword '{unknown}' is not checked by these tests"),
        };
        if holds { Ok(()) } else { Err(String::new()) }
    }

    fn properties(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let open = schema["additionalProperties"] == true;
        entries(value).try_for_each(|(name, member)| {
            match schema["properties"].get(name) {
                Some(schema) => self.fits(schema, member),
                None if open => Ok(()),
                None => Err(": it is not in the schema".to_owned()),
            }
            .map_err(|why| format!("/{name}{why}"))
        })
    }

    fn items(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut items = value.as_array().into_iter().flatten().enumerate();
        items
            .try_for_each(|(at, item)| self.fits(schema, item).map_err(|why| format!("/{at}{why}")))
    }
}

/// Headers that HTTP requires of every answer; the document mentions them once, in its description.
const TRANSPORT_HEADERS: [&str; 5] = [
    "date",
    "connection",
    "content-length",
    "content-type",
    "access-control-allow-origin",
];

impl Contract {
    /// Checks that an answer has all required headers and no undocumented one.
    pub fn headers_fit(&self, documented: &Value, answer: &Response) -> Result<(), String> {
        let headers = || entries(&documented["headers"]);
        for (name, header) in headers() {
            let required = self.resolve(header)["required"] == true;
            if required && answer.try_header(&name.to_ascii_lowercase()).is_none() {
                return Err(format!("{name} is required and missing"));
            }
        }
        let mut sent = BTreeSet::new();
        for (name, value) in &answer.headers {
            if !sent.insert(name) {
                return Err(format!("{name} is there twice"));
            }
            if TRANSPORT_HEADERS.contains(&name.as_str()) {
                continue;
            }
            let (_, header) = headers()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .ok_or_else(|| format!("{name} is not documented"))?;
            let schema = self.resolve(&self.resolve(header)["schema"]);
            let value = match schema["type"].as_str() {
                Some("integer") => serde_json::from_str(value).unwrap_or(Value::Null),
                _ => Value::from(value.as_str()),
            };
            self.fits(schema, &value)
                .map_err(|why| format!("{name}{why}"))?;
        }
        Ok(())
    }

    /// Checks that an answer has a documented media type and a body that fits its schema, or no
    /// body.
    pub fn content_fits(
        &self,
        documented: &Value,
        with_body: bool,
        answer: &Response,
    ) -> Result<(), String> {
        let content = &documented["content"];
        let Some(sent) = answer.try_header("content-type") else {
            let empty = answer.body.is_empty() && content.is_null();
            return if empty {
                Ok(())
            } else {
                Err("no Content-Type".to_owned())
            };
        };
        let media_type = sent.split(';').next().unwrap_or_default();
        let schema = content
            .get(media_type)
            .map(|described| &described["schema"])
            .ok_or_else(|| format!("{media_type} is not documented"))?;
        let value = match media_type {
            _ if !with_body => return Ok(()),
            "application/octet-stream" => return Ok(()),
            "application/json" => answer.json(),
            "application/yaml" => serde_yaml::from_str(&answer.text()).unwrap(),
            _ => Value::from(answer.text()),
        };
        self.fits(schema, &value)
    }
}

/// The statuses that an operation documents, including those of `default`.
pub fn statuses(operation: &Value) -> BTreeSet<u16> {
    entries(&operation["responses"])
        .filter(|(status, _)| *status != "default")
        .map(|(status, _)| status.parse().expect("a status"))
        .chain(OF_ANY_REQUEST)
        .collect()
}

/// The members of an object; none for any other value.
pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member))
}

fn length_of(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the type '{unknown}' is not checked by these tests"),
    }
}

fn has_format(format: &Value, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let is_url_text = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&b))
    };
    match format.as_str().unwrap() {
        "int64" => value.is_i64(),
        "date-time" => humantime::parse_rfc3339(text).is_ok(),
        "uri" => {
            let after_scheme = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            after_scheme.is_some_and(|rest| !rest.is_empty() && is_url_text(rest))
        }
        // RFC 6570: the client fills in the expression in braces.
        "uri-template" => has_format(&"uri".into(), &text.split('{').next().into()),
        "uri-reference" => is_url_text(text),
        // Any bytes.
        "binary" => true,
        unknown => panic!("the format '{unknown}' is not checked by these tests"),
    }
}

/// All assertions on answers rely on this check refusing wrong values.
#[test]
fn a_value_that_does_not_fit_is_refused_with_its_place() {
    let contract = Contract::load();
    let schema = contract.at("/components/schemas/Published").unwrap();
    let example = &schema["examples"][0];
    contract.fits(schema, example).unwrap();
    let refused = |name: &str, value: Value, words: &str| {
        let mut changed = example.clone();
        changed[name] = value;
        let why = contract.fits(schema, &changed).unwrap_err();
        assert!(why.contains(words), "'{words}' is not in '{why}'");
    };
    refused("size", "48128".into(), "/size: \"48128\" does not fit");
    refused("size", (-1).into(), "minimum");
    refused(
        "sha256",
        "63".into(),
        "/sha256: \"63\" does not fit pattern",
    );
    refused("created_at", "yesterday".into(), "date-time");
    refused("download_url", "/assets/a.zip".into(), "uri");
    refused("removed", serde_json::json!([1]), "/removed/0");
    refused(
        "surprise",
        Value::Null,
        "/surprise: it is not in the schema",
    );
    let lacking = serde_json::json!({});
    let why = contract.fits(schema, &lacking).unwrap_err();
    assert!(why.contains("required"), "{why}");
}
