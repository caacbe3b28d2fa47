//! The scripts with `--oidc`: the identity token comes from GitHub's endpoint or from GitLab's
//! variable.

use super::workshop::{Fate, TOOLS, Workshop, through_with};
use super::{DELETE, UPLOAD, stored};
use crate::support::issuer::Issuer;
use crate::support::{Response, TestServer};
use crate::tokens::identities::{entry, start_with};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Stands for GitHub's endpoint, which makes a token for the audience in the query. Returns its URL
/// and the heads of its requests.
fn endpoint(issuer: Arc<Issuer>) -> (String, Arc<Mutex<Vec<String>>>) {
    endpoint_with(issuer, |_| json!({}))
}

/// The same, with these claims in the token of each request.
fn endpoint_with(
    issuer: Arc<Issuer>,
    claims: impl Fn(usize) -> Value + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
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
            let mut heads = heads.lock().unwrap();
            let mut claims = claims(heads.len());
            claims["aud"] = json!(audience);
            let token = issuer.token(&claims);
            let body = json!({"count": 1, "value": token}).to_string();
            heads.push(head.join("\n"));
            drop(heads);
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

/// What GitHub sets for a job.
fn set_job(command: &mut Command, url: &str) {
    command
        .env_remove("RELEASE_SERVER_TOKEN")
        .env("RELEASE_SERVER_AUDIENCE", "release-server")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", url)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
        .arg("--oidc");
}

#[test]
fn each_attempt_has_a_token_of_its_own() {
    let issuer = Arc::new(Issuer::start());
    // The first token has expired when the file is sent again.
    let claims = |asked: usize| {
        if asked == 0 {
            json!({"exp": 1})
        } else {
            json!({})
        }
    };
    let (url, asked) = endpoint_with(Arc::clone(&issuer), claims);
    let (server, _directory) = server(&issuer, "release-server");
    let busy = Fate::Answer("HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n");
    let fates = [busy, Fate::Pass];
    let (run, sleeps) = through_with(&server, UPLOAD, &fates, |command| set_job(command, &url));
    run.assert(0, "published", "retrying in 60 s");
    assert_eq!(sleeps, ["60"]);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[test]
fn an_endpoint_that_fails_is_named_in_place_of_the_server() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"1");
    workshop.file("b.zip", b"2");
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/?x=y", refusing.local_addr().unwrap());
    drop(refusing);
    let mut command = workshop.command_with(&TOOLS, UPLOAD);
    set_job(&mut command, &url);
    let run = workshop.finish(command.args(["a.zip", "b.zip"]));
    let blamed = "(the pipeline's endpoint, ACTIONS_ID_TOKEN_REQUEST_URL)";
    run.assert(3, "1 failed", blamed);
    let line = "a.zip ... no identity token: Failed to connect to 127.0.0.1";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    assert!(!run.stderr.contains("--url"), "{}", run.stderr);
    assert_eq!(
        run.stderr.matches("retrying in").count(),
        3,
        "{}",
        run.stderr
    );
    assert!(stored(&server).is_empty());
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
