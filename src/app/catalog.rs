//! spec-kit's catalogs as JSON documents.
//!
//! Invariants: a document depends on the packages alone, with a mark in place of the base URL;
//! texts are the manifests' own; a document over what clients read loses its oldest releases, never
//! an entry.
//!
//! Source: docs/contract.md, section 1 ("Catalogs"), and what `specify` 1.2.3 reads.

use crate::app::release::PATH_SEGMENT;
use crate::date;
use crate::http::template::MARKS;
use crate::limits::spec_kit::{
    CATALOG_BASE_BYTES, CATALOG_BYTES_MAX, CATALOG_INTEGRATIONS_BYTES_MAX,
};
use crate::manifest::kind::Kind;
use crate::manifest::selection::{Candidate, Entry, Selection};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fmt::Write;

/// A document, and whether it is over what `specify` reads.
#[derive(Debug)]
pub struct Document {
    pub bytes: Vec<u8>,
    pub is_over: bool,
}

/// A release as it is written, with what decides which ones go first.
struct Release<'p> {
    candidate: &'p Candidate<'p>,
    json: String,
}

/// The catalog of one kind, or of all, with the first of [`MARKS`] in place of the base URL.
pub fn document(selection: &Selection<'_>, kind: Option<Kind>) -> Document {
    let base = MARKS[0];
    let bytes_max = match kind {
        None | Some(Kind::Integration) => CATALOG_INTEGRATIONS_BYTES_MAX,
        Some(_) => CATALOG_BYTES_MAX,
    };
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|of| kind.is_none_or(|kind| kind == *of))
        .collect();
    let entries = || {
        kinds
            .iter()
            .filter_map(|kind| selection.entries.get(kind))
            .flatten()
    };
    let releases: Vec<Vec<Release<'_>>> = entries().map(|entry| releases(entry, base)).collect();
    let all = |dropped: &HashSet<&str>| {
        let mut releases = releases.iter();
        let mut text = head(selection, &kinds, kind, base);
        for (at, kind) in kinds.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\"{}\":{{", kind.plural());
            for (at, entry) in selection
                .entries
                .get(kind)
                .into_iter()
                .flatten()
                .enumerate()
            {
                let comma = if at == 0 { "" } else { "," };
                let of_entry = releases.next().map_or(&[][..], |releases| releases);
                text.push_str(comma);
                push_entry(&mut text, entry, of_entry, dropped, base);
            }
            text.push('}');
        }
        text.push_str("}\n");
        text
    };
    let mut text = all(&HashSet::new());
    if sent_bytes(&text) > bytes_max {
        text = all(&dropped(&releases, sent_bytes(&text) - bytes_max));
    }
    Document {
        is_over: sent_bytes(&text) > bytes_max,
        bytes: text.into_bytes(),
    }
}

/// The length of a text with a base URL of [`CATALOG_BASE_BYTES`] in it.
fn sent_bytes(text: &str) -> usize {
    text.len() + text.matches(MARKS[0]).count() * (CATALOG_BASE_BYTES - MARKS[0].len())
}

/// The oldest releases that together make up this many bytes.
fn dropped<'p>(releases: &'p [Vec<Release<'p>>], bytes: usize) -> HashSet<&'p str> {
    let mut oldest: Vec<&Release<'_>> = releases.iter().flatten().collect();
    oldest.sort_unstable_by_key(|release| (release.candidate.modified, release.candidate.file));
    let mut saved = 0;
    let goes = |release: &&Release<'_>| {
        let goes = saved < bytes;
        saved += sent_bytes(&release.json) + 1;
        goes
    };
    oldest
        .into_iter()
        .take_while(goes)
        .map(|release| release.candidate.file)
        .collect()
}

fn head(selection: &Selection<'_>, kinds: &[Kind], kind: Option<Kind>, base: &str) -> String {
    let listed = kinds
        .iter()
        .filter_map(|kind| selection.entries.get(kind))
        .flatten();
    let times = listed.flat_map(|entry| entry.releases.iter().chain([&entry.current]));
    let newest = times.map(|candidate| candidate.modified).max();
    let updated = newest.map(|time| format!("\"updated_at\":{},", json!(date::rfc3339(time))));
    let path = kind.map_or("catalog".to_owned(), |kind| {
        format!("catalogs/{}", kind.plural())
    });
    let url = json!(format!("{base}/{path}.json"));
    let updated = updated.unwrap_or_default();
    format!("{{\"schema_version\":\"1.0\",{updated}\"catalog_url\":{url},")
}

fn push_entry(
    text: &mut String,
    entry: &Entry<'_>,
    releases: &[Release<'_>],
    dropped: &HashSet<&str>,
    base: &str,
) {
    let manifest = entry.current.manifest;
    let object = Value::Object(object(&entry.current, base)).to_string();
    let object = object.strip_suffix('}').unwrap_or(&object);
    let _ = write!(text, "{}:{object}", json!(manifest.id));
    let kept = releases
        .iter()
        .filter(|release| !dropped.contains(release.candidate.file));
    let kept: Vec<&str> = kept.map(|release| &release.json[..]).collect();
    if !kept.is_empty() {
        let _ = write!(text, ",\"releases\":{{{}}}", kept.join(","));
    }
    text.push('}');
}

/// Everything of an entry but its releases.
fn object(candidate: &Candidate<'_>, base: &str) -> Map<String, Value> {
    let manifest = candidate.manifest;
    let mut object = places(candidate, base);
    for (key, text) in [
        ("id", &manifest.id[..]),
        ("name", &manifest.name),
        ("version", manifest.version.as_str()),
        ("description", &manifest.description),
    ] {
        object.insert(key.to_owned(), text.into());
    }
    for (key, text) in &manifest.texts {
        object.insert((*key).to_owned(), text[..].into());
    }
    if !manifest.tags.is_empty() {
        object.insert("tags".to_owned(), json!(manifest.tags));
    }
    if let Some(range) = &manifest.speckit_version {
        object.insert("requires".to_owned(), json!({ "speckit_version": range }));
    }
    if !manifest.provides.is_empty() {
        let counts: Map<_, _> = manifest
            .provides
            .iter()
            .map(|(key, count)| ((*key).to_owned(), json!(count)))
            .collect();
        object.insert("provides".to_owned(), counts.into());
    }
    object
}

/// Where clients fetch a package, and its checksums.
fn places(candidate: &Candidate<'_>, base: &str) -> Map<String, Value> {
    let url = format!(
        "{base}/assets/{}",
        utf8_percent_encode(candidate.file, PATH_SEGMENT)
    );
    let Kind::Step = candidate.kind else {
        let key = if candidate.kind == Kind::Workflow {
            "url"
        } else {
            "download_url"
        };
        let sha256 = ("sha256".to_owned(), candidate.sha256.hex().into());
        return [(key.to_owned(), url.into()), sha256].into_iter().collect();
    };
    let (mut extra_files, mut sha256, mut object) = (Map::new(), Map::new(), Map::new());
    for file in &candidate.manifest.files {
        let segments = file
            .path
            .split('/')
            .map(|part| utf8_percent_encode(part, PATH_SEGMENT).to_string());
        let url = format!("{url}/{}", segments.collect::<Vec<_>>().join("/"));
        match &file.path[..] {
            "step.yml" => object.insert("step_yml_url".to_owned(), url.into()),
            "__init__.py" => object.insert("init_url".to_owned(), url.into()),
            path => extra_files.insert(path.to_owned(), url.into()),
        };
        sha256.insert(file.path.clone(), file.sha256.hex().into());
    }
    object.insert("extra_files".to_owned(), extra_files.into());
    object.insert("sha256".to_owned(), sha256.into());
    object
}

fn releases<'p>(entry: &'p Entry<'p>, base: &str) -> Vec<Release<'p>> {
    let release = |candidate: &'p Candidate<'p>| {
        let version = json!(candidate.manifest.version.as_str());
        let json = format!("{version}:{}", Value::Object(places(candidate, base)));
        Release { candidate, json }
    };
    entry.releases.iter().map(release).collect()
}
