//! The scripts with `--oidc`: the identity token comes from GitHub's endpoint or from GitLab's
//! variable.

use super::workshop::{TOOLS, Workshop};
use super::{DELETE, UPLOAD, stored};
use crate::support::issuer::Issuer;
use crate::support::{Response, TestServer};
use crate::tokens::identities::{entry, start_with};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Stands for GitHub's endpoint, which makes a token for the audience in the query. Returns its URL
/// and the heads of its requests.
fn endpoint(issuer: Arc<Issuer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/token?api-version=2",
        listener.local_addr().unwrap()
    );
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let heads = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let audience = head[0].split("&audience=").nth(1).unwrap_or_default();
            let audience = audience.split(' ').next().unwrap();
            let audience = percent_encoding::percent_decode_str(audience);
            let audience = audience.decode_utf8().unwrap();
            let token = issuer.token(&json!({"aud": audience}));
            let body = json!({"count": 1, "value": token}).to_string();
            let head = head.join("\n");
            heads.lock().unwrap().push(head);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

/// A server that takes the issuer's tokens for the audience `AUDIENCE`.
fn server(issuer: &Issuer, audience: &str) -> (TestServer, TempDir) {
    let lines = "  may: [publish, delete]\n";
    let entry = entry("pipeline", issuer, "{repository: zlink/templates}", lines);
    start_with(&[entry.replace("audience: release-server", &format!("audience: {audience}"))])
}

#[test]
fn github_makes_a_token_for_each_file_and_no_command_line_has_one() {
    let issuer = Arc::new(Issuer::start());
    let (url, asked) = endpoint(Arc::clone(&issuer));
    let (server, _directory) = server(&issuer, "https://releases.example.org/a");
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"1");
    workshop.file("b.zip", b"2");
    let with = |name: &str, arguments: &[&str]| {
        let mut command = workshop.command_with(&TOOLS, name);
        command
            .env_remove("RELEASE_SERVER_TOKEN")
            .env("RELEASE_SERVER_AUDIENCE", "https://releases.example.org/a")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
            .args(arguments);
        workshop.finish(&mut command)
    };
    with(UPLOAD, &["--oidc", "a.zip", "b.zip"]).assert(0, "2 published", "");
    assert_eq!(stored(&server).len(), 2);
    with(DELETE, &["-o", "a.zip"]).assert(0, "deleted", "");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|head| head.contains("Authorization: Bearer of-the-job"))
    );
    let log = workshop.text("log");
    assert!(!log.contains("eyJ") && !log.contains("of-the-job"), "{log}");
}

#[test]
fn gitlab_gives_the_token_in_a_variable() {
    let issuer = Issuer::start();
    let (server, _directory) = server(&issuer, "release-server");
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"1");
    let run = |token: &str| {
        let mut command = workshop.command_with(&TOOLS, UPLOAD);
        command.env_remove("RELEASE_SERVER_TOKEN");
        command.env("RELEASE_SERVER_ID_TOKEN", token);
        workshop.finish(command.args(["--oidc", "a.zip"]))
    };
    run("").assert(
        2,
        "",
        "there is no identity token; --oidc needs 'permissions: id-token: write'",
    );
    let other = issuer.token(&json!({"repository": "other/templates"}));
    run(&other).assert(1, "", "its claim 'repository' is missing or does not fit");
    run(&issuer.token(&json!({}))).assert(0, "published", "");
    let published: Response = server.get("/assets/a.zip");
    assert_eq!(published.body, b"1");
}
