//! The user object of GitHub's API: the author of releases and the owner of repositories.
//!
//! Invariant: there are no accounts; every URL of a user leads to the package page.

use crate::storage::releases::stable_id;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

/// A user object of GitHub's API.
#[derive(Debug, Serialize)]
pub struct SimpleUser {
    login: String,
    id: u64,
    node_id: String,
    avatar_url: String,
    gravatar_id: &'static str,
    url: String,
    html_url: String,
    followers_url: String,
    following_url: String,
    gists_url: String,
    starred_url: String,
    subscriptions_url: String,
    organizations_url: String,
    repos_url: String,
    events_url: String,
    received_events_url: String,
    #[serde(rename = "type")]
    kind: &'static str,
    site_admin: bool,
    user_view_type: &'static str,
}

impl SimpleUser {
    /// The author of every release.
    pub fn this_server(base: &str) -> Self {
        Self::new("release-server", base)
    }

    pub fn new(login: &str, base: &str) -> Self {
        let id = stable_id("user", login);
        let page = || format!("{base}/packages");
        Self {
            login: login.to_owned(),
            id,
            node_id: node_id("Bot", id),
            avatar_url: page(),
            gravatar_id: "",
            url: page(),
            html_url: page(),
            followers_url: page(),
            following_url: page(),
            gists_url: page(),
            starred_url: page(),
            subscriptions_url: page(),
            organizations_url: page(),
            repos_url: page(),
            events_url: page(),
            received_events_url: page(),
            kind: "Bot",
            site_admin: false,
            user_view_type: "public",
        }
    }
}

/// The id of an object in the form of GitHub's GraphQL API.
pub fn node_id(kind: &str, id: u64) -> String {
    BASE64_STANDARD.encode(format!("{kind}:{id}"))
}
