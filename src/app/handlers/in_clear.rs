//! Requests in clear to a server that speaks HTTPS: probes are answered, reads are sent to HTTPS,
//! writes are refused.
//!
//! Source: RFC 9110, section 15.4.2 (301).

use crate::app::error::ApiError;
use crate::app::router::Endpoint;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;
use tiny_http::Method;

/// Whether this endpoint answers in clear: those that machines ask about the server itself.
pub fn is_answered(endpoint: Endpoint) -> bool {
    use Endpoint::{Health, Healthz, Metrics, Readyz};
    matches!(endpoint, Health | Healthz | Metrics | Readyz)
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
