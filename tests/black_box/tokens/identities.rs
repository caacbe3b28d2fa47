//! Trusted publishing: entries for identity tokens, the shapes of GitHub's and GitLab's tokens, and
//! what attackers send in their place.
//!
//! Sources: RFC 7519 and RFC 8725; the documentation of GitHub Actions ("OpenID Connect reference")
//! and of GitLab ("OpenID Connect (OIDC) Authentication Using ID Tokens") for the claims.

use super::rights::{Case, RIGHTS, assert_rights};
use super::{may, with_token, write_tokens};
use crate::support::issuer::{Issuer, base64url, now};
use crate::support::{Response, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An entry for tokens of the issuer.
pub fn entry(name: &str, issuer: &Issuer, claims: &str, lines: &str) -> String {
    let url = &issuer.url;
    format!(
        "- name: {name}\n  issuer: {url}\n  audience: release-server\n  claims: {claims}\n{lines}"
    )
}

/// A server whose only entry takes the issuer's tokens for one repository.
pub fn start(issuer: &Issuer) -> (TestServer, TempDir) {
    let claims = "{repository: zlink/templates, ref: refs/tags/v*}";
    start_with(&[entry("pipeline", issuer, claims, "  may: [publish]\n")])
}

pub fn start_with(entries: &[String]) -> (TestServer, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    write_tokens(&file, entries.iter().map(String::as_str));
    let file = file.to_str().unwrap();
    (TestServer::with(&[("TOKENS_FILE", file)]), directory)
}

/// Publishes nothing: an accepted token is 400 for the empty file.
pub fn ask(server: &TestServer, token: &str) -> Response {
    with_token(server, token, ("PUT", "/assets/x.zip"), "", b"")
}

#[test]
fn an_identity_may_what_its_entry_says_and_nothing_else() {
    let issuer = Issuer::start();
    let (mut cases, mut entries) = (Vec::new(), Vec::new());
    for (number, rights) in RIGHTS.into_iter().enumerate() {
        for (is_limited, is_expired) in [(false, false), (true, false), (true, true)] {
            let name = format!("t{number}-{is_limited}-{is_expired}");
            let mut lines = may(rights);
            if is_limited {
                lines.push_str("  names: ['a-*', 'a-other']\n");
            }
            if is_expired {
                lines.push_str("  expires: 2020-01-01T00:00:00Z\n");
            }
            entries.push(entry(&name, &issuer, &format!("{{job: {name}}}"), &lines));
            cases.push(Case {
                token: issuer.token(&json!({"job": name})),
                name,
                rights: rights.to_vec(),
                is_limited,
                is_expired,
            });
        }
    }
    let (server, _directory) = start_with(&entries);
    for case in &cases {
        assert_rights(&server, case);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[test]
fn an_identity_is_logged_with_its_subject() {
    let issuer = Issuer::start();
    let (server, _directory) = start(&issuer);
    let token = issuer.sign("p256", &issuer.claims(&json!({})).to_string());
    let answer = with_token(&server, &token, ("PUT", "/assets/x.zip"), "", b"1");
    assert_eq!(answer.status, 201, "{answer:?}");
    let line = server.wait_for_line(|line| line["message"] == "published");
    assert_eq!(line["token"], "pipeline");
    assert_eq!(line["subject"], "repo:zlink/templates:ref:refs/tags/v1");
    assert!(!format!("{:?}", server.log()).contains(&token));
    let requests = server.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|line| line["method"] == "PUT")
            .count(),
        1
    );
}

/// The claims of both services, as their documentation shows them.
#[test]
fn the_claims_of_github_and_gitlab_fit_entries() {
    let issuer = Issuer::start();
    let github = json!({
        "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod",
        "environment": "prod", "ref": "refs/tags/v2.0", "sha": "example-sha",
        "repository": "octo-org/octo-repo", "repository_owner": "octo-org",
        "actor_id": "12", "repository_visibility": "private", "repository_id": "74",
        "repository_owner_id": "65", "run_id": "example-run-id", "run_number": "10",
        "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat",
        "workflow": "example-workflow", "head_ref": "", "base_ref": "",
        "event_name": "workflow_dispatch", "ref_type": "tag",
        "job_workflow_ref":
            "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    });
    let gitlab = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20",
        "project_path": "my-group/my-project", "user_id": "1", "user_login": "sample-user",
        "user_email": "sample-user@example.com", "pipeline_id": "574", "pipeline_source": "push",
        "job_id": "302", "ref": "feature-branch-1", "ref_type": "branch",
        "ref_path": "refs/heads/feature-branch-1", "ref_protected": "false",
        "groups_direct": ["my-group/subgroup", "my-group/another"], "environment": "test",
        "deployment_tier": "testing", "environment_protected": "false", "runner_id": 1,
        "runner_environment": "self-hosted",
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
    });
    for (claims, fitting, other) in [
        (
            &github,
            "{repository: octo-org/octo-repo, ref: refs/tags/v*, environment: prod}",
            "{repository: octo-org/octo-repo, ref: refs/heads/main}",
        ),
        (
            &github,
            "{sub: 'repo:octo-org/octo-repo:*'}",
            "{sub: 'repo:octo-org/octo-rep:*'}",
        ),
        (
            &gitlab,
            "{project_path: my-group/my-project, ref_protected: false, runner_id: 1}",
            "{project_path: my-group/my-project, ref_protected: true}",
        ),
        (
            &gitlab,
            "{groups_direct: my-group/another}",
            "{groups_direct: my-group}",
        ),
    ] {
        let entries = |claims| [entry("e", &issuer, claims, "  may: [publish]\n")];
        let token = issuer.token(claims);
        let (server, _directory) = start_with(&entries(fitting));
        ask(&server, &token).assert_error(400, "The file is empty");
        let (server, _directory) = start_with(&entries(other));
        ask(&server, &token).assert_error(401, "does not fit");
    }
}

/// A sentence, and the tokens that it answers.
type Refused = (&'static str, Vec<String>);

fn by_claims(issuer: &Issuer) -> Vec<Refused> {
    let now = now();
    let with = |claims: Value| issuer.token(&claims);
    let text = issuer.claims(&json!({})).to_string();
    let also = |more: &str| issuer.sign("rsa", &text.replacen('{', &format!("{{{more},"), 1));
    let without = |name: &str| {
        let mut claims = issuer.claims(&json!({}));
        claims.as_object_mut().unwrap().remove(name);
        issuer.sign("rsa", &claims.to_string())
    };
    let malformed = "The identity token is malformed, says something twice";
    let claim = "No entry accepts the identity token: its claim";
    vec![
        (
            "The identity token expired at",
            vec![with(json!({"exp": now - 61})), with(json!({"exp": 0}))],
        ),
        (
            "The identity token is not valid before",
            vec![
                with(json!({"nbf": now + 90})),
                with(json!({"iat": now + 90})),
            ],
        ),
        (
            "The identity token is for another audience",
            vec![
                with(json!({"aud": "other"})),
                with(json!({"aud": ["release-server2", "x"]})),
                with(json!({"aud": {"release-server": true}})),
                without("aud"),
            ],
        ),
        (
            "No entry accepts identity tokens of the issuer",
            vec![
                with(json!({"iss": "https://token.actions.githubusercontent.com"})),
                with(json!({"iss": format!("{}/", issuer.url)})),
            ],
        ),
        (
            claim,
            vec![
                with(json!({"repository": "zlink/templates2"})),
                with(json!({"repository": {"zlink/templates": 1}})),
                with(json!({"repository": [["zlink/templates"]]})),
                with(json!({"repository": null})),
                with(json!({"ref": "refs/heads/main"})),
                with(json!({"Repository": "zlink/templates", "repository": "x"})),
                without("ref"),
            ],
        ),
        (
            malformed,
            vec![
                also("\"repository\":\"other\""),
                also("\"aud\":\"other\""),
                also("\"iss\":\"https://other\""),
                with(json!({"exp": "never"})),
                with(json!({"exp": -1})),
                with(json!({"exp": 1e300})),
                with(json!({"nbf": null})),
                with(json!({"iss": 5})),
                without("exp"),
                without("iss"),
                issuer.sign("rsa", "[]"),
                issuer.sign("rsa", "{"),
                issuer.sign("rsa", &"[".repeat(3000)),
            ],
        ),
    ]
}

fn by_header(issuer: &Issuer) -> Vec<Refused> {
    let claims = issuer.claims(&json!({})).to_string();
    let header = |header: Value| issuer.sign_with("rsa", &header.to_string(), &claims);
    let rs256 = |more: Value| {
        let mut all = json!({"alg": "RS256", "kid": "rsa"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        header(all)
    };
    let algorithm = |word: &str| header(json!({"alg": word, "kid": "rsa"}));
    // A shared secret that everybody knows: the public key (RFC 8725, section 2.1).
    let jwk = issuer.keys()["keys"][2].clone();
    let hmac = |secret: &str| {
        let signed = format!(
            "{}.{}",
            base64url(r#"{"alg":"HS256","kid":"rsa"}"#),
            base64url(&claims)
        );
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        format!(
            "{signed}.{}",
            base64url(ring::hmac::sign(&key, signed.as_bytes()))
        )
    };
    vec![
        (
            "signed with another algorithm than RS256 and ES256",
            [
                "none", "None", "nOnE", "", "HS256", "RS384", "PS256", "ES384", "EdDSA", "rs256",
            ]
            .map(algorithm)
            .into_iter()
            .chain([hmac(jwk["n"].as_str().unwrap()), hmac(&jwk.to_string())])
            .collect(),
        ),
        (
            "names the key to check it with",
            vec![
                rs256(json!({"jku": format!("{}/keys", issuer.url)})),
                rs256(json!({"jku": "https://attacker.example/keys"})),
                rs256(json!({"x5u": "https://attacker.example/cert"})),
                rs256(json!({"x5c": ["MIIB"]})),
                rs256(json!({"jwk": jwk})),
            ],
        ),
        (
            "malformed",
            vec![
                rs256(json!({"crit": ["exp"]})),
                rs256(json!({"crit": ["b64"], "b64": false})),
                rs256(json!({"zip": "DEF"})),
                rs256(json!({"kid": 1})),
                issuer.sign_with(
                    "rsa",
                    r#"{"alg":"RS256","alg":"none","kid":"rsa"}"#,
                    &claims,
                ),
                issuer.sign_with("rsa", r#"{"kid":"rsa"}"#, &claims),
                issuer.sign_with("rsa", "{\"alg\"", &claims),
            ],
        ),
        (
            "a key that its issuer does not publish",
            [
                "../../../../dev/null",
                "x' UNION SELECT 'rsa",
                "enc",
                "ed",
                "p256",
                "RSA",
                "",
            ]
            .map(|kid| rs256(json!({"kid": kid})))
            .to_vec(),
        ),
    ]
}

fn by_signature(issuer: &Issuer) -> Vec<Refused> {
    let token = issuer.token(&json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let other = issuer.claims(&json!({"ref": "refs/tags/v2"})).to_string();
    let p256 = issuer.sign("p256", &issuer.claims(&json!({})).to_string());
    let (p256_signed, p256_signature) = p256.rsplit_once('.').unwrap();
    let mut der = vec![0x30, 68, 2, 32];
    let raw = issuer.signature("p256", p256_signed.as_bytes());
    der.extend_from_slice(&raw[..32]);
    der.extend([2, 32]);
    der.extend_from_slice(&raw[32..]);
    vec![
        (
            "The signature of the identity token is wrong",
            vec![
                format!("{signed}."),
                format!("{head}.{}.{signature}", base64url(&other)),
                format!("{signed}.{}", base64url([0; 256])),
                format!("{signed}.{p256_signature}"),
                // r and s are 0 (CVE-2022-21449).
                format!("{p256_signed}.{}", base64url([0; 64])),
                format!("{p256_signed}.{}", base64url(der)),
                issuer.sign_with("p256", r#"{"alg":"RS256","kid":"rsa"}"#, &other),
            ],
        ),
        (
            "malformed",
            vec![
                format!("{signed}.{signature}="),
                format!("{signed}.+{}", &signature[1..]),
                format!("{head}..{signature}"),
            ],
        ),
        (
            "The identity token is over 8192 bytes",
            vec![issuer.token(&json!({"x": "y".repeat(7000)}))],
        ),
        (
            "The token is wrong",
            vec![
                signed.to_owned(),
                format!("{token}.{signature}"),
                token[3..].to_owned(),
            ],
        ),
    ]
}

#[test]
fn forged_and_unfit_tokens_are_refused() {
    let issuer = Issuer::start();
    let (mut server, _directory) = start(&issuer);
    let accepted = issuer.token(&json!({}));
    ask(&server, &accepted).assert_error(400, "The file is empty");
    for slack in [
        json!({"exp": now() - 30}),
        json!({"nbf": now() + 30, "iat": now() + 30}),
    ] {
        ask(&server, &issuer.token(&slack)).assert_error(400, "The file is empty");
    }
    let several = json!({"aud": ["other", "release-server"], "exp": now() as f64 + 9.5});
    ask(&server, &issuer.token(&several)).assert_error(400, "The file is empty");
    for refused in [
        by_claims(&issuer),
        by_header(&issuer),
        by_signature(&issuer),
    ] {
        for (sentence, tokens) in refused {
            for token in tokens {
                ask(&server, &token).assert_error(401, sentence);
            }
        }
    }
    // Whatever they named, the issuer was asked once: its keys were fetched a moment ago.
    assert_eq!(issuer.fetches(), 1);
    ask(&server, &accepted).assert_error(400, "The file is empty");
    let too_long = format!("Authorization: Bearer {}\r\n", "eyJ".repeat(6000));
    assert_eq!(
        server
            .request("PUT", "/assets/x.zip", &too_long, b"")
            .status,
        431
    );
    server.assert_alive();
}
