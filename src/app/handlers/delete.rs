//! Deleting a package: `DELETE /assets/{filename}`, and by its id.
//!
//! Invariant: 204 is sent after the deletion is durable.

use crate::app::entity_tag::precondition;
use crate::app::error::ApiError;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::{Reply, Request};
use crate::storage::{Delete, PackageName, StorageError};
use crate::tokens::Grant;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Hands the deletion over to the storage, which answers later.
pub fn delete(
    state: &Arc<AppState>,
    request: &Request<'_>,
    name: PackageName,
    grant: &Arc<Grant>,
) -> Reply {
    let (state, grant) = (Arc::clone(state), Arc::clone(grant));
    let precondition = precondition(&request.fields);
    Reply::Later(Box::new(move |completion| {
        let answering = Arc::clone(&state);
        let about = name.clone();
        let done = move |result: Result<(), StorageError>| {
            completion.complete(match result {
                Ok(()) => {
                    answering.metrics.deleted.fetch_add(1, Ordering::Relaxed);
                    log::info!(
                        package = about.as_str(), token = grant.name.as_str(),
                        subject = grant.subject.as_deref();
                        "deleted"
                    );
                    Response::new(204)
                }
                Err(error) => ApiError::about(about.as_str(), error).into_response(),
            });
        };
        state.store.delete(Delete {
            name,
            precondition,
            done: Box::new(done),
        });
    }))
}
