//! The page that lists the packages, by release.

use crate::app::negotiate::Selection;
use crate::app::release::{DownloadCount, segment};
use crate::app::views::{self, count, escape, push_row, total};
use crate::config::LatestBy;
use crate::http::template::MARKS;
use crate::storage::releases::tag_of;
use crate::storage::{Package, Releases};
use crate::version::without_v;
use std::sync::Arc;

/// Where the pages of releases are, as seen from the list: a repository may have any name.
pub const REPOSITORY: &str = "release-server/packages";

/// The packages on the page, those of each release together.
pub struct Shown<'s> {
    pub packages: &'s [&'s Arc<Package>],
    pub releases: &'s Releases,
    pub selection: &'s Selection,
    /// The number of packages on all pages.
    pub total: usize,
    pub latest_by: LatestBy,
    pub count: &'s DownloadCount<'s>,
}

impl Shown<'_> {
    pub fn render(&self) -> String {
        let [base, shell_base, _] = MARKS;
        let is_empty = self.releases.all().is_empty();
        let list = if is_empty {
            format!(
                include_str!("../../templates/packages_empty.html"),
                shell_base = shell_base
            )
        } else {
            format!(
                include_str!("../../templates/packages_table.html"),
                groups = self.groups()
            )
        };
        let publish = if is_empty {
            String::new()
        } else {
            format!(
                include_str!("../../templates/packages_publish.html"),
                shell_base = shell_base
            )
        };
        let feed =
            "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"releases.atom\">\n";
        format!(
            include_str!("../../templates/packages.html"),
            head = views::head("Packages", feed),
            base = base,
            words = escape(&self.selection.words),
            shell_base = shell_base,
            summary = self.summary(is_empty),
            publish = publish,
            list = list,
            pages = self.pages(),
            script = views::SCRIPT,
        )
    }

    fn summary(&self, is_empty: bool) -> String {
        if is_empty {
            return "No packages".to_owned();
        }
        let order = match self.latest_by {
            LatestBy::Time => "newest first",
            LatestBy::Version => "highest version first",
        };
        let of_all = if self.packages.len() < self.total {
            format!(" of {}", self.total)
        } else {
            String::new()
        };
        let total = total(self.packages.iter().copied());
        format!("{}{of_all}, {total}, {order}", count(self.packages.len()))
    }

    fn groups(&self) -> String {
        let tag = |package: &Arc<Package>| without_v(tag_of(package.name.as_str())).to_owned();
        let releases = self.packages.chunk_by(|one, other| tag(one) == tag(other));
        releases.map(|packages| self.group(packages)).collect()
    }

    fn group(&self, packages: &[&Arc<Package>]) -> String {
        let tag = packages
            .first()
            .map_or("", |package| tag_of(package.name.as_str()));
        let tag = self
            .releases
            .by_tag(tag)
            .map_or(tag, |release| &release.tag);
        let mut rows = String::new();
        for package in packages {
            push_row(&mut rows, package, ".", self.count);
        }
        format!(
            include_str!("../../templates/packages_group.html"),
            version = escape(tag),
            count = count(packages.len()),
            total = total(packages.iter().copied()),
            page = escape(&format!("{REPOSITORY}/releases/tag/{}", segment(tag))),
            rows = rows,
        )
    }

    /// The links to the page before and after this one.
    fn pages(&self) -> String {
        let Some(page) = self.selection.page else {
            return String::new();
        };
        let link = |number: usize, text: &str| {
            let words = segment(&self.selection.words);
            let size = page.size;
            format!(
                "<a href=\"packages?per_page={size}&amp;page={number}&amp;q={words}\">{text}</a> "
            )
        };
        let last = self.total.div_ceil(page.size);
        let before = (page.number > 1).then(|| link(page.number - 1, "Previous page"));
        let after = (page.number < last).then(|| link(page.number + 1, "Next page"));
        let links: String = before.into_iter().chain(after).collect();
        format!("<nav>{links}</nav>\n")
    }
}
