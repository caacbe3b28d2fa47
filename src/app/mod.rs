//! The application: the policy that turns requests into replies.
//!
//! Data flows one way: [`router`] resolves the path, [`auth`], [`negotiate`] and [`public_url`]
//! read the head, `handlers` act, [`error`] describes failures.
//!
//! Invariants: no socket and no file is opened here; every answer is a [`Response`]; a handler that
//! needs the body returns a sink and never waits.

mod answer;
pub mod auth;
pub mod catalog;
mod catalog_views;
mod downloads;
mod entity_tag;
pub mod error;
mod feed;
mod file_head;
mod handlers;
mod links;
pub mod negotiate;
pub mod packages_page;
pub mod public_url;
mod recognised;
pub mod release;
mod release_page;
pub mod rendered;
pub mod repository;
pub mod router;
mod state;
mod user;
pub mod views;

use crate::clock::Clock;
use crate::config::LatestBy;
use crate::http::head::Expectation;
use crate::http::response::Response;
use crate::http::service::{Channel, Decision, Refusal, Reply, Request, Service};
use crate::manifest::kind::Kind;
use crate::metrics::{Metrics, NO_ROUTE};
use crate::storage::Store;
use crate::tokens::{Grant, Right, Tokens};
use auth::Authenticated;
use downloads::Downloads;
use error::{ApiError, NotFound, ReleaseError};
use file_head::FileHeads;
use public_url::PublicUrl;
use rendered::RenderedCache;
use router::{Endpoint, Route};
use state::AppState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tiny_http::Method;

/// The application. Clones share one state.
#[derive(Clone)]
pub struct App(Arc<AppState>);

pub struct Options {
    /// The tokens of which writes require one.
    pub tokens: Arc<Tokens>,
    /// The source of the URLs in answers.
    pub public_url: PublicUrl,
    /// The largest package, in bytes; `None` for no limit.
    pub max_upload_bytes: Option<u64>,
    pub latest_by: LatestBy,
    /// The clock that download counts are timed by.
    pub clock: Clock,
}

type Handled = Result<Reply, ApiError>;

impl App {
    pub fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>, options: Options) -> Self {
        Self(Arc::new(AppState {
            store,
            tokens: options.tokens,
            public_url: options.public_url,
            max_upload_bytes: options.max_upload_bytes,
            latest_by: options.latest_by,
            metrics,
            downloads: Downloads::new(options.clock),
            file_heads: FileHeads::default(),
            rendered: RenderedCache::default(),
            warned_of_http: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        }))
    }

    /// From now on `/readyz` answers 503.
    pub fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Answers a request to a known path. `writer` gets the grant of an accepted token.
    fn dispatch(
        &self,
        route: &Route<'_>,
        request: &Request<'_>,
        writer: &mut Option<Arc<Grant>>,
    ) -> Handled {
        let (state, endpoint) = (&self.0, route.endpoint);
        if !endpoint.allows(request.method) {
            return Err(ApiError::MethodNotAllowed(endpoint.allow()));
        }
        let is_read = matches!(request.method, Method::Get | Method::Head);
        if !is_read {
            let grant = match auth::authenticate(state, request)? {
                Authenticated::Granted(grant) => writer.insert(grant),
                Authenticated::Again(keys) => return Ok(Reply::Again(keys)),
            };
            auth::check_method(state, grant, request.method)?;
        }
        if request.expectation == Expectation::Unknown {
            return Err(ApiError::Expectation);
        }
        match writer {
            Some(grant) => write(state, route, request, grant),
            None => read(state, route, request).map(Reply::Now),
        }
    }

    /// The answer for an error: a page for a browser, otherwise JSON.
    fn explain(&self, error: ApiError, request: &Request<'_>) -> Response {
        if !negotiate::wants_page(request) {
            return error.into_response();
        }
        let base = self.0.public_url.base(request).ok();
        let way_back = base.map(|base| format!("{}/packages", public_url::path_of(&base)));
        error.into_page(way_back.as_deref())
    }
}

fn read(state: &AppState, route: &Route<'_>, request: &Request<'_>) -> Result<Response, ApiError> {
    use handlers::{catalog, contract, download, latest, packages, probes, releases, website};
    match route.endpoint {
        Endpoint::Root => packages::root(state, request),
        Endpoint::Latest => latest::get(state, request),
        Endpoint::Packages => packages::get(state, request),
        Endpoint::Catalog => catalog::get(state, request, None),
        Endpoint::CatalogOfKind => match Kind::of_plural(route.name) {
            Some(kind) => catalog::get(state, request, Some(kind)),
            None => Err(NotFound::Path(request.target.path.to_owned()).into()),
        },
        Endpoint::StepFile => catalog::step_file(state, request, route.name),
        Endpoint::Asset => download::get(state, request, route.name),
        Endpoint::LatestDownload => download::newest(state, request, route.name),
        Endpoint::Releases => releases::list(state, request, route),
        Endpoint::LatestRelease => releases::latest(state, request, route),
        Endpoint::TaggedRelease => releases::tagged(state, request, route),
        Endpoint::Release => releases::numbered(state, request, route),
        Endpoint::ReleaseAssets => releases::assets(state, request, route),
        Endpoint::ReleaseAsset => releases::asset(state, request, route),
        Endpoint::ReleaseDownload => download::of_release(state, request, route),
        Endpoint::Repository => releases::repository(state, request, route),
        Endpoint::Tags => releases::tags(state, request, route),
        Endpoint::ApiRoot => releases::root(state, request),
        Endpoint::LatestPage => website::latest(state, request, route),
        Endpoint::ReleasePage => website::release(state, request, route),
        Endpoint::LatestReleaseDownload => download::of_latest(state, request, route),
        Endpoint::Feed => website::feed(state, request),
        Endpoint::LatestSlash => packages::without_slash(state, request, "/latest"),
        Endpoint::PackagesSlash => packages::without_slash(state, request, "/packages"),
        Endpoint::Healthz => Ok(probes::healthz()),
        Endpoint::Health => Ok(probes::health()),
        Endpoint::Readyz => probes::readyz(state),
        Endpoint::Metrics => probes::metrics(state),
        Endpoint::ContractYaml => contract::yaml(request),
        Endpoint::ContractJson => contract::json(request),
        // The endpoint has no method that reads.
        Endpoint::Upload => Err(ApiError::MethodNotAllowed(route.endpoint.allow())),
    }
}

fn write(
    state: &Arc<AppState>,
    route: &Route<'_>,
    request: &Request<'_>,
    grant: &Arc<Grant>,
) -> Handled {
    use handlers::{publish, release_writes};
    match (route.endpoint, request.method) {
        (Endpoint::Asset, Method::Put) => publish::raw::put(state, request, route.name, grant),
        (Endpoint::Upload, _) => publish::form::post(state, request, grant),
        (Endpoint::Releases, _) => release_writes::create(state, request, route),
        (Endpoint::ReleaseAssets, _) => release_writes::upload(state, request, route, grant),
        (Endpoint::Asset | Endpoint::ReleaseAsset, Method::Delete) => {
            delete(state, route, request, grant)
        }
        (Endpoint::Release, Method::Delete) => Err(ReleaseError::DeleteRelease.into()),
        (Endpoint::Release | Endpoint::ReleaseAsset, _) => Err(ReleaseError::Change.into()),
        // The endpoint has no method that writes.
        _ => Err(ApiError::MethodNotAllowed(route.endpoint.allow())),
    }
}

fn delete(
    state: &Arc<AppState>,
    route: &Route<'_>,
    request: &Request<'_>,
    grant: &Arc<Grant>,
) -> Handled {
    let name = match route.endpoint {
        Endpoint::Asset => handlers::lookup::existing_name(route.name)?,
        _ => handlers::lookup::package(state, route.name)?.name.clone(),
    };
    auth::permit(state, grant, Right::Delete, &name)?;
    Ok(handlers::delete::delete(state, request, name, grant))
}

impl Service for App {
    fn respond(&self, request: &Request<'_>) -> Decision {
        let mut writer = None;
        let is_redirected = request.channel == Channel::ClearBesideTls;
        let (route, handled) = match router::route(request.target.path) {
            route if is_redirected && !handlers::in_clear::is_answered(route.as_ref()) => {
                let redirect = handlers::in_clear::redirect(&self.0, request);
                (NO_ROUTE, redirect.map(Reply::Now))
            }
            Some(route) => {
                let handled = self.dispatch(&route, request, &mut writer);
                (route.endpoint.pattern(), handled)
            }
            None => (
                NO_ROUTE,
                Err(NotFound::Path(request.target.path.to_owned()).into()),
            ),
        };
        let mut reply = match handled {
            Ok(reply) => reply,
            Err(ApiError::Pending(awaited)) => Reply::Again(awaited),
            Err(error) => Reply::Now(self.explain(error, request)),
        };
        if matches!(request.method, Method::Get | Method::Head)
            && let Reply::Now(response) = reply
        {
            reply = Reply::Now(response.with_lines(b"Access-Control-Allow-Origin: *\r\n"));
        }
        Decision {
            route,
            token: writer.map(|grant| grant.name.clone()),
            reply,
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        ApiError::from(refusal).into_response()
    }
}
