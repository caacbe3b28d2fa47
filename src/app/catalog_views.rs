//! What pages show of spec-kit's packages: kind, id, version and a command for each, and how to
//! point `specify` at this server.
//!
//! Invariant: every value is escaped; a command holds only an id and a version that were checked.

use crate::app::views::escape;
use crate::manifest::kind::Kind;
use crate::manifest::outcome::Recognised;
use crate::manifest::selection::Selection;
use crate::storage::Package;

/// The lines of a package's row; empty for a plain file.
pub fn about(package: &Package, catalogs: &Selection<'_>) -> String {
    let Some(recognised) = package.content.recognised() else {
        return String::new();
    };
    let name = package.name.as_str();
    let is_duplicate = catalogs.duplicates.contains(name);
    let mut title = recognised.kind.name().to_owned();
    for part in [&recognised.id, &recognised.version].into_iter().flatten() {
        title.push(' ');
        title.push_str(&escape(part));
    }
    if let Some(unlisted) = recognised.unlisted(is_duplicate) {
        let why = escape(&unlisted.message);
        return format!("<p>{title}, not in the catalogs: {why}</p>");
    }
    let description = recognised
        .listing
        .as_ref()
        .map(|manifest| &manifest.description[..]);
    let description = escape(description.unwrap_or_default());
    let command = command(recognised, name, catalogs);
    let command = command
        .map(|command| format!("<p class=\"command\"><code>{}</code></p>", escape(&command)));
    let command = command.unwrap_or_default();
    format!("<p>{title}: {description}</p>{command}")
}

/// The command that installs this package; `None` for one that another file stands for.
fn command(recognised: &Recognised, file: &str, catalogs: &Selection<'_>) -> Option<String> {
    let manifest = recognised.listing.as_ref().ok()?;
    let entry = catalogs.entry(recognised.kind, &manifest.id)?;
    let verb = match recognised.kind {
        Kind::Extension => "extension add",
        Kind::Preset => "preset add",
        Kind::Workflow => "workflow add",
        Kind::Step => "workflow step add",
        Kind::Integration => "integration install",
        Kind::Bundle => "bundle install",
    };
    let id = &manifest.id;
    if entry.current.file == file {
        return Some(format!("specify {verb} {id}"));
    }
    let is_release = entry.releases.iter().any(|release| release.file == file);
    let version = manifest.version.as_str();
    is_release.then(|| format!("specify {verb} {id} --version {version}"))
}

/// The box with the commands that point `specify` here; empty where there is nothing to install.
/// `notice` is the mark of [`notice`].
pub fn instructions(catalogs: &Selection<'_>, shell_base: &str, notice: &str) -> String {
    if catalogs.entries.values().all(Vec::is_empty) {
        return String::new();
    }
    format!(
        include_str!("../../templates/packages_catalogs.html"),
        shell_base = shell_base,
        notice = notice
    )
}

/// What the box says of a base URL that `specify` refuses.
pub fn notice(base: &str) -> &'static str {
    if is_accepted(base) {
        ""
    } else {
        "<p>specify needs https: set <code>public_url</code> to an https URL.</p>"
    }
}

/// Whether `specify` accepts URLs below this base: https, or http on the local machine.
pub fn is_accepted(base: &str) -> bool {
    let Some(rest) = base.strip_prefix("http://") else {
        return true;
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
