//! A page of a list of objects: XML to values.
//!
//! Source: Amazon S3 API Reference, `ListObjectsV2`.

use super::object::Object;
use super::xml::Element;
use crate::text::number;

#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// With keys relative to the prefix.
    pub objects: Vec<Object>,
    /// Asks for the next page.
    pub continuation: Option<String>,
}

impl Page {
    /// `None` where this is not a page of a list under `prefix`.
    pub fn parse(body: &[u8], prefix: &str) -> Option<Self> {
        let document = Element::parse(body)?;
        if document.name != "ListBucketResult" {
            return None;
        }
        let continuation = match document.text_of("IsTruncated").trim() {
            "true" => {
                let token = document.text_of("NextContinuationToken");
                (!token.is_empty()).then(|| Some(token.to_owned()))?
            }
            _ => None,
        };
        let mut objects = Vec::new();
        for contents in document.children_named("Contents") {
            let key = contents.text_of("Key").strip_prefix(prefix)?;
            // Some tools make an object of a folder's own name.
            if !key.is_empty() {
                objects.push(object(key, contents)?);
            }
        }
        Some(Self {
            objects,
            continuation,
        })
    }
}

fn object(key: &str, contents: &Element) -> Option<Object> {
    let modified = contents.text_of("LastModified").trim();
    Some(Object {
        key: key.to_owned(),
        size: number(contents.text_of("Size").trim())?,
        etag: contents.text_of("ETag").trim().to_owned(),
        modified: humantime::parse_rfc3339(modified).ok()?,
    })
}
