//! The storing phase: the request is complete, and another thread makes its answer.
//!
//! Invariants: the connection is parked without a deadline and its socket is not watched, so a
//! client that leaves does not undo the change; the answer is delivered once, by whichever thread
//! completes the request; a request that is dropped without an answer gets 500.

use super::answer::AnswerPhase;
use super::completions::Completions;
use super::conn_id::ConnId;
use super::context::Context;
use super::exchange::Exchange;
use super::skip::Unread;
use super::wire::Wire;
use crate::http::response::Response;
use crate::http::service::{Completion, Refusal};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Begins the work that makes the answer.
pub type Start = Box<dyn FnOnce(Completion) + Send>;

pub struct StoringPhase {
    exchange: Exchange,
    unread: Unread,
    /// Taken when the work begins.
    start: Option<Start>,
    slot: Arc<Slot>,
}

pub enum StoringOutcome {
    /// The answer is not made yet.
    Incomplete(Box<StoringPhase>),
    Answer(Box<AnswerPhase>),
}

/// The place where the answer is delivered.
#[derive(Default)]
struct Slot(Mutex<Option<Delivery>>);

enum Delivery {
    Answer(Response),
    /// The completion was dropped.
    Dropped,
}

impl StoringPhase {
    pub fn new(start: Start, exchange: Exchange, unread: Unread) -> Box<Self> {
        Box::new(Self {
            exchange,
            unread,
            start: Some(start),
            slot: Arc::default(),
        })
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub fn advance(
        mut self: Box<Self>,
        id: ConnId,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> StoringOutcome {
        if let Some(start) = self.start.take() {
            let completion = completion(id, Arc::clone(&cx.env.completions), &self.slot);
            if catch_unwind(AssertUnwindSafe(|| start(completion))).is_err() {
                let answer = AnswerPhase::panicked(self.exchange, wire, cx);
                return StoringOutcome::Answer(answer);
            }
        }
        let Some(delivery) = self.slot.take() else {
            return StoringOutcome::Incomplete(self);
        };
        let Self {
            exchange, unread, ..
        } = *self;
        let answer = match delivery {
            Delivery::Answer(response) => AnswerPhase::new(response, exchange, unread, wire, cx),
            Delivery::Dropped => {
                log::error!(path = exchange.path(); "a request was dropped without an answer");
                AnswerPhase::refusal(Refusal::Panic, exchange, wire, cx)
            }
        };
        StoringOutcome::Answer(answer)
    }
}

/// Delivers into the slot, and sends the connection back to a worker.
fn completion(id: ConnId, completions: Arc<Completions>, slot: &Arc<Slot>) -> Completion {
    let slot = Arc::clone(slot);
    Completion::new(move |response| {
        slot.put(response.map_or(Delivery::Dropped, Delivery::Answer));
        completions.push(id);
    })
}

impl Slot {
    fn put(&self, delivery: Delivery) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(delivery);
    }

    fn take(&self) -> Option<Delivery> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
