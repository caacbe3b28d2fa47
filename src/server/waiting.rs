//! The waiting phase: the application cannot decide on the request yet, and another thread finds
//! out what it needs.
//!
//! Invariants: the request stays in the inbox, and each turn of the connection asks the application
//! again; so neither an event that arrives too early nor one that is lost keeps a client waiting.

use super::completions::Completions;
use super::conn_id::ConnId;
use super::context::Context;
use super::exchange::Exchange;
use crate::awaited::Awaited;
use crate::limits::WAITING_RECHECK_INTERVAL;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

pub struct WaitingPhase {
    exchange: Exchange,
    /// Taken when the connection is about to be parked.
    awaited: Option<Arc<dyn Awaited>>,
    recheck_at: Instant,
}

pub enum WaitingOutcome {
    Incomplete(Box<WaitingPhase>),
    /// The application is to be asked again; it was asked first at this time.
    Again(Instant),
}

impl WaitingPhase {
    pub fn new(awaited: Arc<dyn Awaited>, exchange: Exchange, cx: &Context<'_>) -> Box<Self> {
        Box::new(Self {
            exchange,
            awaited: Some(awaited),
            recheck_at: cx.now() + WAITING_RECHECK_INTERVAL,
        })
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Ends the wait without an answer of the application.
    pub fn abandon(self) -> Exchange {
        self.exchange
    }

    pub fn recheck_at(&self) -> Instant {
        self.recheck_at
    }

    pub fn advance(mut self: Box<Self>, id: ConnId, cx: &Context<'_>) -> WaitingOutcome {
        match self.awaited.take() {
            Some(awaited) => {
                awaited.wake(waker(id, cx));
                WaitingOutcome::Incomplete(self)
            }
            None => WaitingOutcome::Again(self.exchange.started),
        }
    }
}

struct ConnectionWaker {
    id: ConnId,
    completions: Arc<Completions>,
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.completions.push(self.id);
    }
}

/// Gives a connection a turn, from any thread.
pub fn waker(id: ConnId, cx: &Context<'_>) -> Waker {
    let completions = Arc::clone(&cx.env.completions);
    Waker::from(Arc::new(ConnectionWaker { id, completions }))
}
