//! Trusted publishing: entries for identity tokens, and the shapes of GitHub's and GitLab's tokens.
//!
//! Sources: the documentation of GitHub Actions ("OpenID Connect reference") and of GitLab ("OpenID
//! Connect (OIDC) Authentication Using ID Tokens") for the claims.

use super::rights::{Case, RIGHTS, assert_rights};
use super::{may, with_token, write_tokens};
use crate::support::issuer::{Issuer, SUBJECT};
use crate::support::{Response, TestServer};
use serde_json::json;
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
    assert_eq!(line["subject"], SUBJECT);
    assert!(!format!("{:?}", server.log()).contains(&token));
    let line = server.wait_for_line(|line| line["method"] == "PUT");
    assert_eq!(
        (&line["token"], &line["status"]),
        (&json!("pipeline"), &json!(201))
    );
}

#[test]
fn a_refusal_names_the_claims_of_the_entry_that_fits_best() {
    let issuer = Issuer::start();
    let entries = [
        "{repository: zlink/templates, ref: refs/heads/main}",
        "{repository: b, ref: c}",
    ];
    let entries = entries.map(|claims| entry(&claims[13..14], &issuer, claims, &may(RIGHTS[0])));
    let (server, _directory) = start_with(&entries);
    let sentence = |claims| ask(&server, &issuer.token(&claims)).text();
    let one = sentence(json!({}));
    assert!(
        one.contains("its claim 'ref' is missing or does not fit"),
        "{one}"
    );
    let both = sentence(json!({"repository": "other"}));
    assert!(
        both.contains("its claims 'repository', 'ref' are missing or do not fit"),
        "{both}"
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
