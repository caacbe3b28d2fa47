//! What servers of credentials answer: JSON of the container's agent and the metadata service, XML
//! of the security token service.

use super::Credentials;
use crate::s3::xml::Element;
use serde::Deserialize;
use std::time::SystemTime;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

/// Reads the JSON of the container's agent or of the metadata service.
pub fn from_json(body: &[u8]) -> Option<Credentials> {
    let document: Document = serde_json::from_slice(body).ok()?;
    Some(Credentials {
        access_key: document.access_key_id,
        secret_key: document.secret_access_key,
        token: document.token.filter(|token| !token.is_empty()),
        expires: document.expiration.as_deref().and_then(time),
    })
}

/// Reads the XML of `AssumeRoleWithWebIdentity`.
pub fn from_xml(body: &[u8]) -> Option<Credentials> {
    let document = Element::parse(body)?;
    let result = document.child("AssumeRoleWithWebIdentityResult")?;
    let credentials = result.child("Credentials")?;
    let text = |name| Some(credentials.child(name)?.text.trim().to_owned());
    Some(Credentials {
        access_key: text("AccessKeyId")?,
        secret_key: text("SecretAccessKey")?,
        token: text("SessionToken"),
        expires: text("Expiration").as_deref().and_then(time),
    })
}

/// The code of an error of the security token service, such as `AccessDenied`.
pub fn error_code(body: &[u8]) -> Option<String> {
    let document = Element::parse(body)?;
    let code = document.child("Error")?.text_of("Code").to_owned();
    let is_word = |code: &String| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphabetic());
    Some(code).filter(is_word)
}

fn time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
