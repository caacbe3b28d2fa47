//! Asking a source for credentials.
//!
//! Sources: AWS STS API Reference, `AssumeRoleWithWebIdentity`; Amazon ECS Developer Guide and EKS
//! User Guide (container credentials); Amazon EC2 User Guide, "Use the Instance Metadata Service".

use super::{Credentials, Source, responses};
use crate::client::{Body, Client, Method, Request};
use crate::config::files::read_regular_text;
use crate::limits::bucket::{CREDENTIAL_FILE_BYTES_MAX, CREDENTIALS_BYTES_MAX};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::path::Path;

/// The error is a sentence without secrets.
pub fn fetch(source: &Source, client: &Client) -> Result<Credentials, String> {
    match source {
        Source::Files(files) => Ok(Credentials {
            access_key: read(&files.access_key)?,
            secret_key: read(&files.secret_key)?,
            token: None,
            expires: None,
        }),
        Source::Environment(environment) => {
            let text = |name| environment.get(name).map(str::to_owned);
            Ok(Credentials {
                access_key: text("AWS_ACCESS_KEY_ID").unwrap_or_default(),
                secret_key: text("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
                token: text("AWS_SESSION_TOKEN"),
                expires: None,
            })
        }
        Source::WebIdentity {
            endpoint,
            role,
            session_name,
            token_file,
        } => {
            let token = read(token_file)?;
            let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
            let form = format!(
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}\
                 &WebIdentityToken={}",
                encode(role),
                encode(session_name),
                encode(&token)
            );
            let kind = "application/x-www-form-urlencoded".to_owned();
            let (status, body) = send(
                client,
                Method::Post,
                endpoint,
                &[("content-type", kind)],
                Body::Bytes(form.as_bytes()),
            )?;
            if status != 200 {
                let code = responses::error_code(&body).unwrap_or_default();
                return Err(format!("{endpoint} answered {status} {code}"));
            }
            responses::from_xml(&body).ok_or_else(|| not_understood(endpoint))
        }
        Source::Container { url, token_file } => {
            let mut headers = Vec::new();
            if let Some(path) = token_file {
                headers.push(("authorization", read(path)?));
            }
            let body = get(client, url, &headers)?;
            responses::from_json(&body).ok_or_else(|| not_understood(url))
        }
        Source::Instance { endpoint } => of_instance(endpoint, client),
    }
}

fn of_instance(endpoint: &str, client: &Client) -> Result<Credentials, String> {
    let url = format!("{endpoint}/latest/api/token");
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "300".to_owned());
    let (status, token) = send(client, Method::Put, &url, &[ttl], Body::Bytes(b""))?;
    if status != 200 {
        return Err(format!("{url} answered {status}"));
    }
    let token = text_of(token).ok_or_else(|| not_understood(&url))?;
    let headers = [("x-aws-ec2-metadata-token", token)];
    let roles = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
    let role = text_of(get(client, &roles, &headers)?).ok_or_else(|| not_understood(&roles))?;
    let role = role.lines().next().unwrap_or_default();
    let url = format!("{roles}{}", utf8_percent_encode(role, NON_ALPHANUMERIC));
    let body = get(client, &url, &headers)?;
    responses::from_json(&body).ok_or_else(|| not_understood(&url))
}

fn get(client: &Client, url: &str, headers: &[(&str, String)]) -> Result<Vec<u8>, String> {
    match send(client, Method::Get, url, headers, Body::Empty)? {
        (200, body) => Ok(body),
        (status, _) => Err(format!("{url} answered {status}")),
    }
}

fn send(
    client: &Client,
    method: Method,
    url: &str,
    headers: &[(&str, String)],
    body: Body<'_>,
) -> Result<(u16, Vec<u8>), String> {
    let request = Request {
        method,
        url,
        headers,
        body,
    };
    let response = client.send(&request).map_err(|failure| failure.why)?;
    let status = response.status();
    let body = response.read_to_end(CREDENTIALS_BYTES_MAX);
    Ok((status, body.map_err(|failure| failure.why)?))
}

fn not_understood(url: &str) -> String {
    format!("the answer of {url} has no credentials")
}

/// A text on one line that a field may hold.
fn text_of(body: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(body).ok()?;
    let text = text.trim();
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn read(path: &Path) -> Result<String, String> {
    let text = read_regular_text(path, CREDENTIAL_FILE_BYTES_MAX)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    text_of(text.into_bytes())
        .ok_or_else(|| format!("{}: does not hold one line of text", path.display()))
}
