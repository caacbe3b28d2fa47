//! Kept answers: those that were asked for long ago make room first.

use release_server::app::rendered::{RenderedCache, Source, View};
use release_server::http::template::Values;
use release_server::limits::{RENDERED_USES_MAX, RENDERED_VIEWS_MAX};
use std::cell::Cell;

/// Asks for a view; whether it had to be rendered.
fn ask(cache: &RenderedCache, view: u64) -> bool {
    let is_rendered = Cell::new(false);
    let source = Source {
        version: (1, 0),
        packages: 0,
    };
    let render = || {
        is_rendered.set(true);
        b"text".to_vec()
    };
    cache.get(View::Release(view), source, Values::default(), &render);
    is_rendered.get()
}

#[test]
fn uses_of_long_ago_do_not_keep_an_answer() {
    const OLD: u64 = 0;
    const RECENT: u64 = 1;
    let cache = RenderedCache::default();
    let views = RENDERED_VIEWS_MAX as u64;
    for _ in 0..RENDERED_USES_MAX / 2 {
        ask(&cache, OLD);
    }
    for _ in 0..16 * RENDERED_USES_MAX {
        ask(&cache, RECENT);
    }
    for view in 2..views {
        assert!(ask(&cache, view));
        assert!(!ask(&cache, view));
    }
    assert!(!ask(&cache, RECENT));
    assert!(ask(&cache, views), "one view too many");
    assert!(!ask(&cache, RECENT));
    assert!(ask(&cache, OLD), "it was asked for more, but long ago");
}
