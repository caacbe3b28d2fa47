//! Reads a package: the archive's directory, then the manifest, then the files of a step package.
//!
//! Invariants: a file that names no manifest is a plain file, whatever is wrong with it; one that
//! does has one outcome. Nothing that is read here panics, and what is read and kept is bounded.

use super::archive::Entry;
use super::checks::Fields;
use super::entry::content;
use super::kind::Kind;
use super::outcome::{Manifest, Reason, Recognised, StepFile, Unlisted};
use super::source::Source;
use super::yaml;
use super::zip::Directory;
use crate::checksum::Sha256;
use crate::limits::spec_kit::{
    MANIFEST_BYTES_MAX, MANIFEST_KEPT_BYTES_MAX, STEP_BYTES_MAX, STEP_FILES_MAX,
};
use sha2::Digest;
use std::io;

/// Reads what may be a package; `None` for a plain file. A source that cannot be read is a package
/// only where its directory was read before.
///
/// # Errors
/// Whatever kept the source from being read before anything was recognised.
pub fn read<S: Source + ?Sized>(name: &str, source: &S) -> io::Result<Option<Recognised>> {
    if is_tar(name) {
        return Ok(None);
    }
    let Some(directory) = Directory::read(source)? else {
        return Ok(None);
    };
    let Some((kind, folder)) = recognise(&directory) else {
        return Ok(None);
    };
    let mut recognised = Recognised {
        kind,
        id: None,
        version: None,
        listing: Err(Unlisted::new(Reason::Unreadable, "the file cannot be read")),
    };
    let listing = read_manifest(&mut recognised, source, &directory, &folder);
    recognised.listing = listing.unwrap_or_else(|error| {
        Err(Unlisted::new(
            Reason::Unreadable,
            format!("the file cannot be read: {error}"),
        ))
    });
    if recognised.kept_bytes() > MANIFEST_KEPT_BYTES_MAX {
        let message = "the manifest's fields and the paths are over 8 KiB together";
        recognised.listing = Err(Unlisted::new(Reason::TooLarge, message));
    }
    Ok(Some(recognised))
}

/// Whether clients take a file for a compressed tar by its name.
fn is_tar(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".tar.gz", ".tgz"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// The kind of the only manifest, and the folder that it is in: `""`, or one that ends in `/`.
fn recognise(directory: &Directory) -> Option<(Kind, String)> {
    let mut paths = Paths::default();
    for record in directory.records().map_while(Result::ok) {
        paths.add(record.path());
    }
    paths.recognise()
}

/// What the paths of an archive say about its kind.
#[derive(Default)]
struct Paths {
    /// Kinds by their manifests, at the root and in the first folder.
    at_root: Vec<Kind>,
    in_folder: Vec<Kind>,
    root_has_code: bool,
    folder_has_code: bool,
    /// The first part of the first path.
    top: Option<String>,
    has_one_top: bool,
}

impl Paths {
    fn add(&mut self, path: Option<String>) {
        let path = path.unwrap_or_default();
        let (top, rest) = path.split_once('/').unwrap_or((&path, ""));
        let is_first = self.top.is_none();
        self.has_one_top = is_first || self.has_one_top && self.top.as_deref() == Some(top);
        let (kinds, has_code, name) = if path.contains('/') {
            (&mut self.in_folder, &mut self.folder_has_code, rest)
        } else {
            (&mut self.at_root, &mut self.root_has_code, &path[..])
        };
        *has_code |= name == "__init__.py";
        let named = Kind::ALL.into_iter().find(|kind| kind.manifest() == name);
        kinds.extend(named.filter(|kind| !kinds.contains(kind)));
        if is_first {
            self.top = Some(top.to_owned());
        }
    }

    fn recognise(self) -> Option<(Kind, String)> {
        let (kinds, has_code, folder) = if self.at_root.is_empty() && self.has_one_top {
            (
                self.in_folder,
                self.folder_has_code,
                format!("{}/", self.top?),
            )
        } else {
            (self.at_root, self.root_has_code, String::new())
        };
        let [kind] = kinds[..] else { return None };
        let is_misplaced =
            kind == Kind::Bundle && !folder.is_empty() || kind.is_code() && !has_code;
        (!is_misplaced).then_some((kind, folder))
    }
}

fn read_manifest<S: Source + ?Sized>(
    recognised: &mut Recognised,
    source: &S,
    directory: &Directory,
    folder: &str,
) -> io::Result<Result<Manifest, Unlisted>> {
    let kind = recognised.kind;
    let entries = match directory.entries() {
        Ok(entries) => entries,
        Err(fault) => return Ok(Err(fault)),
    };
    let path = format!("{folder}{}", kind.manifest());
    let Some(entry) = entries.iter().find(|entry| entry.path == path) else {
        return Ok(Err(fault(kind, "it is not where the directory says")));
    };
    if entry.size > MANIFEST_BYTES_MAX {
        return Ok(Err(fault(kind, "it is over 128 KiB")));
    }
    let bytes = match content(source, entry, MANIFEST_BYTES_MAX)? {
        Ok(bytes) => bytes,
        Err(fault) => return Ok(Err(fault)),
    };
    let manifest = yaml::parse(&bytes)
        .map_err(|error| fault(kind, &error.to_string()))
        .and_then(|root| {
            let fields = Fields::new(kind, &root)?;
            recognised.id = fields.id().ok().map(str::to_owned);
            recognised.version = fields
                .version()
                .ok()
                .map(|version| version.as_str().to_owned());
            fields.manifest()
        });
    let mut manifest = match manifest {
        Ok(manifest) => manifest,
        Err(fault) => return Ok(Err(fault)),
    };
    if kind == Kind::Step {
        match step_files(source, &entries, folder)? {
            Ok(files) => manifest.files = files,
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(manifest))
}

fn fault(kind: Kind, why: &str) -> Unlisted {
    Unlisted::new(
        Reason::Manifest,
        format!("{} cannot be used: {why}", kind.manifest()),
    )
}

/// The files of a step package beside its manifest and below, by path.
fn step_files<S: Source + ?Sized>(
    source: &S,
    entries: &[Entry],
    folder: &str,
) -> io::Result<Result<Vec<StepFile>, Unlisted>> {
    let inside = entries.iter().filter(|entry| !entry.is_folder());
    let inside: Vec<_> = inside
        .filter_map(|entry| Some((entry.path.strip_prefix(folder)?, entry)))
        .collect();
    let total: u64 = inside.iter().map(|(_, entry)| u64::from(entry.size)).sum();
    if inside.len() > STEP_FILES_MAX || total > u64::from(STEP_BYTES_MAX) {
        let message = "a step package has at most 64 files, 512 KiB together";
        return Ok(Err(Unlisted::new(Reason::TooLarge, message)));
    }
    let mut files = Vec::with_capacity(inside.len());
    for (path, entry) in inside {
        let bytes = match content(source, entry, STEP_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        files.push(StepFile {
            path: path.to_owned(),
            sha256: Sha256::new(sha2::Sha256::digest(&bytes)),
            size: entry.size,
        });
    }
    files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(Ok(files))
}

/// The content of one file of a step package whose archive was listed; `None` where there is none.
///
/// # Errors
/// Whatever kept the source from being read.
pub fn step_file<S: Source + ?Sized>(source: &S, path: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(directory) = Directory::read(source)? else {
        return Ok(None);
    };
    let Some((Kind::Step, folder)) = recognise(&directory) else {
        return Ok(None);
    };
    let path = format!("{folder}{path}");
    let entries = directory.entries().unwrap_or_default();
    let Some(entry) = entries.iter().find(|entry| entry.path == path) else {
        return Ok(None);
    };
    Ok(content(source, entry, STEP_BYTES_MAX)?.ok())
}
