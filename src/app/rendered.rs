//! Answers that are rendered from the listing and kept until it changes.
//!
//! Invariants: an answer is rendered once for each change and view, however many requests for it
//! arrive at once and whatever hosts and repositories they name: those are inserted while the
//! answer is sent. An answer belongs to the requested version or a later one. All texts together,
//! including those that slow clients still read, take no more memory than a bound that no client
//! can move; over it, the reading of the oldest replaced text ends first, then that of the views
//! that are asked for the least. No client is refused an answer.

use crate::app::answer::{Rendered, no_values};
use crate::app::downloads::Downloads;
use crate::app::negotiate::{Format, Page, Selection};
use crate::http::template::{Template, Values};
use crate::limits::{
    PAGE_ITEMS, RENDERED_BYTES_MAX, RENDERED_BYTES_PER_PACKAGE, RENDERED_USES_MAX,
    RENDERED_VIEWS_MAX, USUAL_VOTES_MAX, USUAL_VOTES_MIN,
};
use crate::storage::Listing;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The views of a listing that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// The release object `latest`.
    Latest,
    /// The list of packages.
    Packages(Format, Selection),
    /// The releases by version.
    Releases(Page),
    /// The tags of the releases.
    Tags(Page),
    /// The feed of releases.
    Feed,
    /// The page of the release with this id.
    ReleaseHtml(u64),
    /// The release with this id.
    Release(u64),
    /// The packages of the release with this id.
    ReleaseAssets(u64, Page),
    /// The checksums of the packages of the release with this id, or of all packages.
    Checksums(Option<u64>),
}

impl View {
    /// Whether clients that ask for nothing in particular get this view.
    fn is_usual(&self) -> bool {
        let first = Page {
            number: 1,
            size: PAGE_ITEMS,
        };
        match self {
            Self::Latest | Self::Feed => true,
            Self::Packages(_, selection) => selection.page.is_none() && selection.words.is_empty(),
            Self::Releases(page) => *page == first,
            Self::Checksums(release) => release.is_none(),
            Self::Tags(_) | Self::Release(_) => false,
            Self::ReleaseHtml(_) | Self::ReleaseAssets(..) => false,
        }
    }
}

/// The state that an answer is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The version of the listing, and that of the download counts where the answer depends on it.
    pub version: (u64, u64),
    /// The number of packages.
    pub packages: usize,
}

impl Source {
    /// For an answer without download counts, or with those of the last change.
    pub fn of(listing: &Listing) -> Self {
        Self {
            version: (listing.version, 0),
            packages: listing.packages().len(),
        }
    }

    /// For an answer with the current download counts.
    pub fn with_counts(listing: &Listing, downloads: &Downloads) -> Self {
        Self {
            version: (listing.version, downloads.version()),
            ..Self::of(listing)
        }
    }
}

#[derive(Debug, Default)]
pub struct RenderedCache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each with the number of its requests.
    slots: Vec<(Arc<Slot>, u32)>,
    /// Requests since the numbers were last halved.
    uses: u32,
    /// Replaced texts that slow clients still read, oldest first.
    replaced: Vec<Arc<Template>>,
}

#[derive(Debug)]
struct Slot {
    view: View,
    made: Mutex<Option<Made>>,
    /// Memory of the texts in `made`.
    held_bytes: AtomicUsize,
}

#[derive(Debug)]
struct Made {
    version: (u64, u64),
    template: Arc<Template>,
    usual: Usual,
}

/// The values that most requests have, found by majority vote: their body is kept composed.
#[derive(Debug)]
struct Usual {
    values: Values,
    votes: u32,
    composed: Option<Arc<Template>>,
}

impl RenderedCache {
    /// The answer of this view with these values; `render` makes its text, with
    /// [`crate::http::template::MARKS`] in place of the values, if it is not kept.
    pub fn get(
        &self,
        view: View,
        source: Source,
        values: Values,
        render: &dyn Fn() -> Vec<u8>,
    ) -> Rendered {
        let slot = self.kept().slot(view);
        // Held while rendering, so that each change is rendered once and not by every worker;
        // requests for other views do not wait.
        let mut guard = slot.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut replaced = Vec::new();
        let made = match guard.take() {
            Some(kept) if kept.version >= source.version => guard.insert(kept),
            old => {
                let usual = old.map_or_else(Usual::none, |old| {
                    replaced.push(old.template);
                    let Usual {
                        values,
                        votes,
                        composed,
                    } = old.usual;
                    replaced.extend(composed);
                    Usual {
                        values,
                        votes,
                        composed: None,
                    }
                });
                guard.insert(Made {
                    version: source.version,
                    template: Arc::new(Template::new(&render())),
                    usual,
                })
            }
        };
        replaced.extend(made.usual.vote(&made.template, &values));
        let rendered = match &made.usual.composed {
            Some(composed) if made.usual.values == values => {
                Rendered::new(Arc::clone(composed), no_values())
            }
            _ => Rendered::new(Arc::clone(&made.template), values),
        };
        let held_bytes = made.held_bytes();
        drop(guard);
        if slot.held_bytes.swap(held_bytes, Ordering::Relaxed) != held_bytes || !replaced.is_empty()
        {
            let for_packages = source.packages.saturating_mul(RENDERED_BYTES_PER_PACKAGE);
            let bytes_max = RENDERED_BYTES_MAX.saturating_add(for_packages);
            self.kept().make_room(&slot, replaced, bytes_max);
        }
        rendered
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    fn held_bytes(&self) -> usize {
        let composed = self.usual.composed.as_ref();
        self.template.held_bytes() + composed.map_or(0, |composed| composed.held_bytes())
    }
}

impl Usual {
    fn none() -> Self {
        Self {
            values: no_values(),
            votes: 0,
            composed: None,
        }
    }

    /// Counts a request with these values; returns the composed body that other values replace.
    fn vote(&mut self, template: &Template, values: &Values) -> Option<Arc<Template>> {
        if values.is_empty() {
            return None;
        }
        if self.values == *values {
            self.votes = (self.votes + 1).min(USUAL_VOTES_MAX);
        } else if self.votes > 0 {
            self.votes -= 1;
            return None;
        } else {
            self.values = Arc::clone(values);
            self.votes = 1;
            return self.composed.take();
        }
        if self.votes >= USUAL_VOTES_MIN && self.composed.is_none() {
            self.composed = Some(Arc::new(template.composed(values)));
        }
        None
    }
}

impl Kept {
    /// The slot of a view; counts the request.
    fn slot(&mut self, view: View) -> Arc<Slot> {
        self.age();
        if let Some((slot, uses)) = self.slots.iter_mut().find(|(slot, _)| slot.view == view) {
            *uses += 1;
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot {
            view,
            made: Mutex::default(),
            held_bytes: AtomicUsize::new(0),
        });
        self.slots.push((Arc::clone(&slot), 1));
        slot
    }

    /// Older requests count less and less.
    fn age(&mut self) {
        self.uses += 1;
        if self.uses == RENDERED_USES_MAX {
            self.uses = 0;
            for (_, uses) in &mut self.slots {
                *uses /= 2;
            }
        }
    }

    /// Drops texts until all fit: first replaced ones, then those of the views that are asked for
    /// the least, never those of the newest slot.
    fn make_room(&mut self, newest: &Arc<Slot>, replaced: Vec<Arc<Template>>, bytes_max: usize) {
        self.replaced.extend(replaced);
        self.replaced
            .retain(|template| Arc::weak_count(template) > 0);
        while self.slots.len() > RENDERED_VIEWS_MAX || self.held_bytes() > bytes_max {
            if !self.replaced.is_empty() {
                self.replaced.remove(0);
                continue;
            }
            let uses = self.slots.iter().enumerate();
            let others = uses.filter(|(_, (slot, _))| !Arc::ptr_eq(slot, newest));
            let Some((at, _)) =
                others.min_by_key(|(_, (slot, uses))| (slot.view.is_usual(), *uses))
            else {
                return;
            };
            self.slots.remove(at);
        }
    }

    fn held_bytes(&self) -> usize {
        let slots = self.slots.iter();
        let slots = slots.map(|(slot, _)| slot.held_bytes.load(Ordering::Relaxed));
        let replaced = self.replaced.iter().map(|template| template.held_bytes());
        slots.sum::<usize>() + replaced.sum::<usize>()
    }
}
