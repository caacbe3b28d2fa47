//! Variables of the environment by which AWS's own tools get credentials. Kubernetes and ECS set
//! them in containers.
//!
//! Invariant: values are never printed; `Debug` shows names only.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Environment variables".

use std::collections::HashMap;

const NAMES: [&str; 12] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
];

/// Names for endpoints, as AWS's own tools have them; tests use them too.
const ENDPOINT_NAMES: [&str; 2] = ["AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_SERVICE_ENDPOINT"];

/// The variables that are set, and not empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsEnvironment(HashMap<&'static str, String>);

impl AwsEnvironment {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds variables, which override those that were added before.
    pub(super) fn add(&mut self, variables: &HashMap<String, String>) {
        for name in NAMES.into_iter().chain(ENDPOINT_NAMES) {
            if let Some(value) = variables.get(name).filter(|value| !value.is_empty()) {
                self.0.insert(name, value.clone());
            }
        }
    }
}

impl std::fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
