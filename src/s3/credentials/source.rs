//! The source of credentials: the first one that settings and environment name.

use super::super::endpoint::amazon;
use crate::config::{AwsEnvironment, BucketSettings, KeyFiles};
use std::path::PathBuf;

/// Of Amazon ECS.
const CONTAINER_HOST: &str = "http://169.254.170.2";
/// Of Amazon EC2, and what imitates it.
const INSTANCE_ENDPOINT: &str = "http://169.254.169.254";

/// In the order in which they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files that the settings name.
    Files(KeyFiles),
    /// `AWS_ACCESS_KEY_ID` and its kin.
    Environment(AwsEnvironment),
    /// A token in a file, which the security token service exchanges (EKS: IRSA).
    WebIdentity {
        endpoint: String,
        role: String,
        session_name: String,
        token_file: PathBuf,
    },
    /// A URL that the container's environment names (EKS Pod Identity, ECS).
    Container {
        url: String,
        token_file: Option<PathBuf>,
    },
    /// The instance's metadata service, version 2 (EC2).
    Instance { endpoint: String },
}

impl Source {
    /// The error is a sentence about the environment.
    pub fn of(settings: &BucketSettings) -> Result<Self, String> {
        if let Some(files) = &settings.key_files {
            return Ok(Self::Files(files.clone()));
        }
        let environment = &settings.environment;
        if environment.get("AWS_ACCESS_KEY_ID").is_some() {
            if environment.get("AWS_SECRET_ACCESS_KEY").is_none() {
                let why = "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both";
                return Err(why.to_owned());
            }
            return Ok(Self::Environment(environment.clone()));
        }
        if let Some(token_file) = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let Some(role) = environment.get("AWS_ROLE_ARN") else {
                let why = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both";
                return Err(why.to_owned());
            };
            let endpoint = environment.get("AWS_ENDPOINT_URL_STS");
            let session_name = environment.get("AWS_ROLE_SESSION_NAME");
            return Ok(Self::WebIdentity {
                endpoint: endpoint.map_or_else(|| amazon(&settings.region, "sts"), str::to_owned),
                role: role.to_owned(),
                session_name: session_name.unwrap_or("release-server").to_owned(),
                token_file: token_file.into(),
            });
        }
        if let Some(container) = container(environment)? {
            return Ok(container);
        }
        let endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let is_disabled = environment.get("AWS_EC2_METADATA_DISABLED");
        if is_disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Err(
                "no credentials for the bucket: set bucket_access_key_file and \
                 bucket_secret_key_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            );
        }
        Ok(Self::Instance {
            endpoint: endpoint.unwrap_or(INSTANCE_ENDPOINT).to_owned(),
        })
    }

    /// Completes "credentials from …".
    pub fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "bucket_access_key_file and bucket_secret_key_file",
            Self::Environment(_) => "AWS_ACCESS_KEY_ID",
            Self::WebIdentity { .. } => "AWS_WEB_IDENTITY_TOKEN_FILE",
            Self::Container { .. } => "AWS_CONTAINER_CREDENTIALS_FULL_URI or its relative form",
            Self::Instance { .. } => {
                "the instance's metadata service, because no other source is set"
            }
        }
    }
}

fn container(environment: &AwsEnvironment) -> Result<Option<Source>, String> {
    let relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = match (
        relative,
        environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) if path.starts_with('/') => format!("{CONTAINER_HOST}{path}"),
        (None, Some(url)) if is_local_or_secure(url) => url.to_owned(),
        (None, None) => return Ok(None),
        (Some(_), _) => {
            let why = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: it takes a path that begins with /";
            return Err(why.to_owned());
        }
        (None, Some(_)) => {
            return Err(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI: it takes an https URL, or an http URL of \
                 this host or of the container's agent"
                    .to_owned(),
            );
        }
    };
    let token_file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    Ok(Some(Source::Container {
        url,
        token_file: token_file.map(PathBuf::from),
    }))
}

/// The token is sent in clear only where nobody else can read it.
fn is_local_or_secure(url: &str) -> bool {
    const HOSTS: [&str; 6] = [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::23]",
    ];
    let Some(rest) = url.strip_prefix("http://") else {
        return url.starts_with("https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    HOSTS.contains(&host)
}
