//! The settings of a bucket: what is read, and the sentence for what is not.

use release_server::config::raw::Raw;
use release_server::config::{self, BucketSettings};
use std::collections::HashMap;

fn read(variables: &[(&str, &str)]) -> Result<Option<BucketSettings>, String> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: HashMap<String, String> = variables.iter().map(own).collect();
    let mut raw = Raw::default();
    raw.add_variables(&variables, "");
    config::bucket(&raw).map_err(|error| error.0)
}

#[test]
fn a_location_is_a_name_and_a_prefix() {
    for (text, name, prefix) in [
        ("s3://packages", "packages", ""),
        ("s3://packages/", "packages", ""),
        ("s3://my.bucket-1/team/a", "my.bucket-1", "team/a/"),
        ("s3://packages/team/", "packages", "team/"),
    ] {
        let settings = read(&[("BUCKET", text), ("BUCKET_REGION", "r")])
            .unwrap()
            .unwrap();
        assert_eq!(
            (&*settings.location.name, &*settings.location.prefix),
            (name, prefix)
        );
    }
    let long = format!("s3://packages/{}", "a".repeat(513));
    for text in [
        "packages",
        "s3://",
        "s3://ab",
        "s3://Packages",
        "s3://-ab",
        "s3://ab.",
        "s3://a_b",
        "s3://packages//a",
        "s3://packages/a//b",
        "s3://packages/../a",
        "s3://packages/a b",
        "s3://packages/ü",
        "s3://packages/a?b",
        "https://packages",
        &long,
    ] {
        let why = read(&[("BUCKET", text), ("BUCKET_REGION", "r")]).unwrap_err();
        assert!(
            why.contains("is not accepted; it takes s3://NAME or s3://NAME/PREFIX"),
            "{why}"
        );
    }
}

#[test]
fn amazon_needs_a_region_and_other_stores_an_endpoint() {
    let bucket = ("BUCKET", "s3://packages");
    assert_eq!(read(&[]), Ok(None));
    let why = read(&[bucket]).unwrap_err();
    assert!(
        why.starts_with("bucket_region: needed for a bucket in Amazon S3; set"),
        "{why}"
    );
    let region = |variables: &[(&str, &str)]| {
        let settings = read(&[&[bucket], variables].concat()).unwrap().unwrap();
        (settings.region, settings.path_style)
    };
    let is = |region: &str, path_style| (region.to_owned(), path_style);
    let (setting, of_pod) = (
        ("BUCKET_REGION", "eu-central-1"),
        ("AWS_REGION", "eu-west-1"),
    );
    assert_eq!(region(&[setting, of_pod]), is("eu-central-1", false));
    assert_eq!(
        region(&[of_pod, ("AWS_DEFAULT_REGION", "x")]),
        is("eu-west-1", false)
    );
    assert_eq!(
        region(&[("BUCKET_ENDPOINT", "http://store:9000")]),
        is("us-east-1", true)
    );
    let virtual_host = [
        ("BUCKET_ENDPOINT", "http://store"),
        ("BUCKET_PATH_STYLE", "false"),
    ];
    assert_eq!(region(&virtual_host), is("us-east-1", false));
    let dotted = read(&[("BUCKET", "s3://my.bucket"), setting])
        .unwrap()
        .unwrap();
    assert!(dotted.path_style, "no certificate of Amazon covers a dot");
}

#[test]
fn what_is_not_accepted_is_named() {
    let bucket = [("BUCKET", "s3://packages"), ("BUCKET_REGION", "r")];
    for (name, value, part) in [
        (
            "BUCKET_ENDPOINT",
            "store:9000",
            "takes an http or https URL without path",
        ),
        (
            "BUCKET_ENDPOINT",
            "https://store/path",
            "takes an http or https URL without path",
        ),
        (
            "BUCKET_PUBLIC_ENDPOINT",
            "ftp://store",
            "takes an http or https URL without path",
        ),
        (
            "BUCKET_REGION",
            "EU",
            "takes a region's name of lower-case letters",
        ),
        ("BUCKET_PATH_STYLE", "maybe", "takes true or false"),
        ("BUCKET_DOWNLOADS", "proxy", "takes serve or redirect"),
        ("BUCKET_URL_TIME", "0", "takes a number of seconds from 1"),
        ("BUCKET_CACHE_SIZE", "much", "takes a number of bytes"),
        ("BUCKET_TRANSFERS", "65", "takes a number from 1 to 64"),
        ("BUCKET_CREATE", "maybe", "takes atomic or check"),
        (
            "BUCKET_ACCESS_KEY_FILE",
            "/x",
            "needs both bucket_access_key_file and",
        ),
    ] {
        let why = read(&[&bucket[..1], &bucket[1..], &[(name, value)]].concat());
        let why = why.unwrap_err();
        assert!(
            why.starts_with(&format!("{name}: ")) && why.contains(part),
            "{why}"
        );
        let alone = read(&[(name, value)]).unwrap_err();
        assert!(alone.contains("only for packages in a bucket; set bucket, or remove this"));
    }
    let why = read(&[("BUCKET", "s3://packages"), ("AWS_REGION", "EU")]).unwrap_err();
    assert!(why.starts_with("AWS_REGION: 'EU' is not accepted"), "{why}");
}
