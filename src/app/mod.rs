//! The application: what is answered to whom.
//!
//! Data flows one way: [`router`] says where a path leads, [`auth`], [`negotiate`] and [`public_url`] read what the
//! head says about it, `handlers` do it, [`error`] says what went wrong.
//!
//! Invariants: no socket and no file is opened here; whatever a handler says goes through a [`Response`]; a handler that
//! needs the body returns a sink and never waits.

pub mod auth;
pub mod error;
mod handlers;
pub mod metrics;
pub mod negotiate;
pub mod public_url;
pub mod release;
mod rendered;
pub mod router;
mod views;

use crate::config::token::Token;
use crate::http::head::Expectation;
use crate::http::response::Response;
use crate::http::service::{Decision, Reply, Request, Service};
use crate::storage::Store;
use error::ApiError;
use metrics::{Metrics, NO_ROUTE};
use public_url::PublicUrl;
use rendered::RenderedCache;
use router::Endpoint;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tiny_http::Method;

/// The application. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct App(Arc<State>);

/// What handlers share.
struct State {
    store: Arc<Store>,
    token: Token,
    public_url: PublicUrl,
    max_upload_bytes: Option<u64>,
    metrics: Arc<Metrics>,
    rendered: RenderedCache,
    draining: AtomicBool,
}

/// What the application needs to know.
pub struct Options {
    /// What writing needs.
    pub token: Token,
    /// How answers name this server.
    pub public_url: PublicUrl,
    /// The largest package, in bytes; `None` for no limit.
    pub max_upload_bytes: Option<u64>,
}

type Handled = Result<Reply, ApiError>;

impl App {
    /// An application over these packages.
    pub fn new(store: Arc<Store>, metrics: Arc<Metrics>, options: Options) -> Self {
        Self(Arc::new(State {
            store,
            token: options.token,
            public_url: options.public_url,
            max_upload_bytes: options.max_upload_bytes,
            metrics,
            rendered: RenderedCache::default(),
            draining: AtomicBool::new(false),
        }))
    }

    /// From now on `/readyz` says that no more requests should be sent here.
    pub fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    fn dispatch(&self, endpoint: Endpoint, name: &str, request: &Request<'_>) -> Handled {
        let state = &self.0;
        if !endpoint.allows(request.method) {
            return Err(ApiError::MethodNotAllowed(endpoint.allow()));
        }
        if !matches!(request.method, Method::Get | Method::Head) {
            auth::check(&state.token, &request.fields)?;
        }
        if request.expectation == Expectation::Unknown {
            return Err(ApiError::Expectation);
        }
        let now = |response: Result<Response, ApiError>| response.map(Reply::Now);
        match (endpoint, request.method) {
            (Endpoint::Root, _) => now(handlers::packages::root(state, request)),
            (Endpoint::Latest, _) => now(handlers::latest::get(state, request)),
            (Endpoint::Packages, _) => now(handlers::packages::get(state, request)),
            (Endpoint::Asset, Method::Put) => handlers::put::put(state, request, name),
            (Endpoint::Asset, Method::Delete) => now(handlers::delete::delete(state, name)),
            (Endpoint::Asset, _) => now(handlers::download::get(state, request, name)),
            (Endpoint::Upload, _) => handlers::upload::post(state, request),
            (Endpoint::Healthz, _) => Ok(Reply::Now(handlers::probes::healthz())),
            (Endpoint::Health, _) => Ok(Reply::Now(handlers::probes::health())),
            (Endpoint::Readyz, _) => now(handlers::probes::readyz(state)),
            (Endpoint::Metrics, _) => Ok(Reply::Now(handlers::probes::metrics(state))),
            (Endpoint::ContractYaml, _) => now(handlers::contract::yaml(request)),
            (Endpoint::ContractJson, _) => now(handlers::contract::json(request)),
        }
    }

    /// An error in the form that the client reads: a page in a browser, else JSON.
    fn explain(&self, error: ApiError, request: &Request<'_>) -> Response {
        if !negotiate::wants_page(request) {
            return error.into_response();
        }
        let base = self.0.public_url.base(request).ok();
        let way_back = base.map(|base| format!("{}/packages", public_url::path_of(&base)));
        error.into_page(way_back.as_deref())
    }
}

impl Service for App {
    fn respond(&self, request: &Request<'_>) -> Decision {
        let (route, handled) = match router::route(request.target.path) {
            Some((endpoint, name)) => (endpoint.pattern(), self.dispatch(endpoint, name, request)),
            None => (
                NO_ROUTE,
                Err(ApiError::NoSuchPath(request.target.path.to_owned())),
            ),
        };
        let reply = handled.unwrap_or_else(|error| Reply::Now(self.explain(error, request)));
        Decision { route, reply }
    }
}
