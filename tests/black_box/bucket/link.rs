//! The connection between a server and its store, broken by toxiproxy.
//!
//! Source: the HTTP API of Shopify/toxiproxy.

use crate::support::Connection;
use std::net::TcpStream;

/// One proxy of the running toxiproxy.
pub struct Link {
    control: String,
    name: String,
    /// What servers use as the store's endpoint.
    pub endpoint: String,
}

impl Link {
    /// A whole link; `None` where there is no toxiproxy.
    pub fn new(name: &str) -> Option<Self> {
        let control = std::env::var("TEST_TOXIPROXY").ok()?;
        let store = std::env::var("TEST_BUCKET_ENDPOINT").ok()?;
        let upstream = store.trim_start_matches("http://").to_owned();
        let mut link = Self {
            control,
            name: format!("{name}-{}", std::process::id()),
            endpoint: String::new(),
        };
        let body = format!(
            r#"{{"name":"{}","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#,
            link.name
        );
        let answer = link.control("POST", "/proxies", &body);
        let listen = answer["listen"].as_str().expect("an address");
        link.endpoint = format!("http://{listen}");
        Some(link)
    }

    fn control(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let mut connection = Connection::new(TcpStream::connect(&self.control).unwrap());
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: toxiproxy\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        connection.send(head.as_bytes());
        let answer = connection.try_response(method).expect("an answer");
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Ends all connections and refuses new ones, or takes them again.
    pub fn set_up(&self, is_up: bool) {
        let body = format!(r#"{{"enabled":{is_up}}}"#);
        self.control("POST", &format!("/proxies/{}", self.name), &body);
    }

    /// Adds a toxic to what the store sends.
    pub fn poison(&self, kind: &str, attributes: &str) {
        let body = format!(r#"{{"type":"{kind}","name":"{kind}","attributes":{attributes}}}"#);
        self.control("POST", &format!("/proxies/{}/toxics", self.name), &body);
    }

    /// Removes a toxic.
    pub fn heal(&self, kind: &str) {
        self.control(
            "DELETE",
            &format!("/proxies/{}/toxics/{kind}", self.name),
            "",
        );
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.control("DELETE", &format!("/proxies/{}", self.name), "");
        }
    }
}
