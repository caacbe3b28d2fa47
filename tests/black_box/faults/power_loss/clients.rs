//! The clients of a recorded server: every kind of change, alone and several in one group.

use crate::support::{FORM_TYPE, Response, TOKEN, TestServer, form, noise, until};
use std::sync::Mutex;

/// A change that a client asked for, which succeeded.
pub struct Change {
    pub name: String,
    /// `None` for a delete.
    pub content: Option<Vec<u8>>,
    /// What retention removed.
    pub removed: Vec<String>,
}

/// The clients of a recorded server.
pub struct Clients<'s> {
    pub server: &'s TestServer,
    pub changes: Mutex<Vec<Change>>,
}

impl Clients<'_> {
    /// Sends a request, which succeeds.
    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8], change: Change) {
        let number = {
            let mut changes = self.changes.lock().unwrap();
            changes.push(change);
            changes.len() - 1
        };
        let headers =
            format!("Authorization: Bearer {TOKEN}\r\nX-Request-Id: op-{number}\r\n{headers}");
        let answer = self.server.request(method, path, &headers, body);
        assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
        self.changes.lock().unwrap()[number].removed = removed(&answer);
    }

    fn put(&self, name: &str, seed: u64) {
        let content = noise(seed, 100 + usize::try_from(seed).unwrap() * 37 % 3_000);
        let path = format!("/assets/{name}?overwrite=1");
        self.send("PUT", &path, "", &content, publish(name, &content));
    }

    fn form(&self, name: &str, seed: u64) {
        let content = noise(seed, 500);
        let body = form(name, &content);
        let change = publish(name, &content);
        self.send("POST", "/upload?overwrite=true", FORM_TYPE, &body, change);
    }

    fn delete(&self, name: &str) {
        let change = Change {
            content: None,
            ..publish(name, b"")
        };
        self.send("DELETE", &format!("/assets/{name}"), "", b"", change);
    }

    /// Lets these requests wait for the directory's lock together, so that they are one group.
    fn at_once(&self, requests: &[&(dyn Fn() + Sync)]) {
        let directory = std::fs::File::open(self.server.storage()).unwrap();
        directory.lock().unwrap();
        std::thread::scope(|scope| {
            for request in requests {
                scope.spawn(request);
            }
            let storing = "release_server_connections{state=\"storing\"}";
            until(|| (self.server.metric(storing) == requests.len() as u64).then_some(()));
            drop(directory);
        });
    }

    pub fn change_everything(&self) {
        self.put("a.zip", 1);
        self.form("b.zip", 2);
        self.put("c.zip", 3);
        self.put("a.zip", 4);
        self.form("b.zip", 5);
        self.delete("c.zip");
        self.put("c.zip", 6);
        self.at_once(&[
            &|| self.put("d.zip", 7),
            &|| self.put("a.zip", 8),
            &|| self.delete("b.zip"),
            &|| self.form("e.zip", 9),
            &|| self.put("a.zip", 10),
            &|| self.put("f.zip", 11),
        ]);
        // Over the limit: each of these removes the oldest.
        for number in 12..16 {
            self.put(&format!("{number}.zip"), number);
        }
        self.at_once(&[&|| self.put("12.zip", 16), &|| self.put("g.zip", 17)]);
        self.delete("g.zip");
    }
}

fn publish(name: &str, content: &[u8]) -> Change {
    Change {
        name: name.to_owned(),
        content: Some(content.to_vec()),
        removed: Vec::new(),
    }
}

fn removed(answer: &Response) -> Vec<String> {
    if answer.status == 204 {
        return Vec::new();
    }
    let removed = answer.json()["removed"].clone();
    serde_json::from_value(removed).unwrap()
}
