//! Where a bucket is: host and path of its requests.
//!
//! Source: Amazon S3 User Guide, "Virtual hosting of buckets".

use super::sign::Target;
use crate::config::BucketSettings;

/// The bucket at one endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    scheme: String,
    /// Without a default port, as clients send it.
    host: String,
    /// Before each key: a slash, or the bucket's name between two.
    root: String,
    prefix: String,
}

impl Endpoint {
    /// The endpoint for the server's own requests.
    pub fn of(settings: &BucketSettings) -> Self {
        let url = match &settings.endpoint {
            Some(url) => url.clone(),
            None => amazon(&settings.region, "s3"),
        };
        Self::at(&url, settings)
    }

    /// The endpoint that clients reach.
    pub fn public(settings: &BucketSettings) -> Self {
        match &settings.public_endpoint {
            Some(url) => Self::at(url, settings),
            None => Self::of(settings),
        }
    }

    fn at(url: &str, settings: &BucketSettings) -> Self {
        let (scheme, authority) = url.split_once("://").unwrap_or(("https", url));
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let host = authority.strip_suffix(default_port).unwrap_or(authority);
        let bucket = &settings.location.name;
        let (host, root) = if settings.path_style {
            (host.to_owned(), format!("/{bucket}/"))
        } else {
            (format!("{bucket}.{host}"), "/".to_owned())
        };
        Self {
            scheme: scheme.to_owned(),
            host,
            root,
            prefix: settings.location.prefix.clone(),
        }
    }

    pub fn object(&self, key: &str) -> Target {
        let path = format!("{}{}{key}", self.root, self.prefix);
        Target::new(&self.scheme, &self.host, &path, &[])
    }

    pub fn bucket(&self, parameters: &[(&str, &str)]) -> Target {
        let path = match self.root.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        Target::new(&self.scheme, &self.host, path, parameters)
    }
}

/// The endpoint of a service of Amazon in a region. Those in China have a domain of their own.
pub fn amazon(region: &str, service: &str) -> String {
    let country = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{country}")
}
