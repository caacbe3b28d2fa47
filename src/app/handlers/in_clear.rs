//! Requests in clear to a server that speaks HTTPS: probes are answered, reads are sent to HTTPS,
//! writes are refused.
//!
//! Source: RFC 9110, section 15.4.2 (301).

use crate::app::error::ApiError;
use crate::app::router::{Endpoint, Route};
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;
use tiny_http::Method;

/// Whether this route answers in clear: those that machines ask about the server itself.
pub fn is_answered(route: Option<&Route<'_>>) -> bool {
    use Endpoint::{Health, Healthz, Metrics, Readyz};
    route.is_some_and(|route| matches!(route.endpoint, Health | Healthz | Metrics | Readyz))
}

pub fn redirect(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    if !matches!(request.method, Method::Get | Method::Head) {
        return Err(ApiError::WriteInClear);
    }
    let base = state.public_url.base_of_https(request);
    let (path, query) = (request.target.path, request.target.query);
    let location = match query {
        "" => format!("{base}{path}"),
        query => format!("{base}{path}?{query}"),
    };
    Ok(Response::new(301).header("Location", &location))
}
