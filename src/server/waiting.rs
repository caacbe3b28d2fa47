//! The waiting phase: a head is complete, and what the application needs to decide on it is made
//! ready by another thread.
//!
//! Invariants: the connection is parked without a deadline and its socket is not watched; the head
//! stays in the inbox and is decided again, from its first byte, once the completion is completed
//! or dropped; nothing of a body has been asked for or read.

use super::answer::AnswerPhase;
use super::completions::Completions;
use super::conn_id::ConnId;
use super::context::Context;
use super::exchange::Exchange;
use super::wire::Wire;
use crate::http::service::Completion;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Begins the work that the decision needs.
pub type Begin = Box<dyn FnOnce(Completion<()>) + Send>;

pub struct WaitingPhase {
    /// Taken when the work begins.
    begin: Option<Begin>,
    is_ready: Arc<AtomicBool>,
}

pub enum WaitingOutcome {
    /// It is not ready yet.
    Incomplete(WaitingPhase),
    /// The head is to be decided again.
    Ready,
    /// Beginning the work panicked.
    Answer(Box<AnswerPhase>),
}

impl WaitingPhase {
    pub fn new(begin: Begin) -> Self {
        Self {
            begin: Some(begin),
            is_ready: Arc::default(),
        }
    }

    pub fn advance(mut self, id: ConnId, wire: &Wire, cx: &mut Context<'_>) -> WaitingOutcome {
        if let Some(begin) = self.begin.take() {
            let completion = completion(id, Arc::clone(&cx.env.completions), &self.is_ready);
            if catch_unwind(AssertUnwindSafe(|| begin(completion))).is_err() {
                let exchange = Exchange::without_head(wire.inbox(), wire, cx);
                return WaitingOutcome::Answer(AnswerPhase::panicked(exchange, wire, cx));
            }
        }
        if self.is_ready.load(Ordering::Acquire) {
            WaitingOutcome::Ready
        } else {
            WaitingOutcome::Incomplete(self)
        }
    }
}

/// Sends the connection back to a worker.
fn completion(
    id: ConnId,
    completions: Arc<Completions>,
    is_ready: &Arc<AtomicBool>,
) -> Completion<()> {
    let is_ready = Arc::clone(is_ready);
    Completion::new(move |_| {
        is_ready.store(true, Ordering::Release);
        completions.push(id);
    })
}
