//! One request: what is sent, who waits for it, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::frame::Message;
use super::restart::Trouble;
use super::tail::Body;
use crate::spec::Affinity;

/// How often an idempotent request is tried again after a crash.
const RETRIES: u8 = 2;

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The tool's value.
    Reply(Body),
    /// One item of a stream; it is not the last that is heard of it.
    Item(Body),
    /// The worker's account of what went wrong, as JSON.
    Error(Vec<u8>),
    /// The worker ended while it had the request.
    Crashed { status: String, stderr: String },
    /// The worker of its session has gone, and nothing else will do.
    SessionLost,
    /// No worker is to be had.
    Degraded(Arc<Trouble>),
    /// The pool ended first.
    ShutDown,
}

/// What became of a request, and the number of the worker that answered it.
pub(crate) type Answer = (Outcome, Option<usize>);

/// Who waits for what becomes of a request.
#[derive(Debug)]
pub(crate) enum Waiter {
    Call(oneshot::Sender<Answer>),
    Stream {
        items: mpsc::UnboundedSender<(Outcome, Option<usize>)>,
        /// How many more items the worker may send.
        credit: u32,
        /// Whether it has sent any.
        begun: bool,
    },
}

impl Waiter {
    pub(crate) fn finish(self, outcome: Outcome) {
        self.give(outcome, None);
    }

    /// A worker has answered.
    pub(crate) fn answer(self, outcome: Outcome, worker: usize) {
        self.give(outcome, Some(worker));
    }

    fn give(self, outcome: Outcome, worker: Option<usize>) {
        // Nobody waits any more for a request whose future was dropped.
        match self {
            Self::Call(reply) => drop(reply.send((outcome, worker))),
            Self::Stream { items, .. } => drop(items.send((outcome, worker))),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Call(reply) => reply.is_closed(),
            Self::Stream { items, .. } => items.is_closed(),
        }
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ticket: u32,
    pub(crate) frame: Message,
    pub(crate) waiter: Waiter,
    /// When its time is over, whether or not anybody still waits for it.
    pub(crate) deadline: Instant,
    /// When it was made.
    pub(crate) made: Instant,
    /// How often it may yet be tried again after a crash.
    pub(crate) retries: u8,
    pub(crate) session: Option<InSession>,
    /// Whether only the worker that it was given to will do.
    pub(crate) is_pinned: bool,
    /// The how-manieth request of the pool it is.
    pub(crate) order: u64,
    /// The how-manieth request it is that its worker was sent.
    pub(crate) place: u64,
    pub(crate) cancelled: Cancelled,
    /// Whether its caller waits for nothing else, and at once.
    pub(crate) is_awaited: bool,
}

/// The session that a request belongs to.
#[derive(Debug, Clone)]
pub(crate) struct InSession {
    pub(crate) id: Arc<str>,
    pub(crate) affinity: Affinity,
}

/// Whether a worker was told to stop a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    No,
    /// Yes, and it has not begun it.
    Unbegun,
    /// Yes, and it should have stopped by then.
    Until(Instant),
}

impl Request {
    /// The frame carries the ticket.
    pub(crate) fn new(ticket: u32, frame: Message, waiter: Waiter, deadline: Instant) -> Self {
        Self {
            ticket,
            frame,
            waiter,
            deadline,
            made: Instant::now(),
            retries: 0,
            session: None,
            is_pinned: false,
            order: 0,
            place: 0,
            cancelled: Cancelled::No,
            is_awaited: false,
        }
    }

    pub(crate) fn idempotent(mut self, idempotent: bool) -> Self {
        self.retries = if idempotent { RETRIES } else { 0 };
        self
    }

    pub(crate) fn awaited(mut self, is_awaited: bool) -> Self {
        self.is_awaited = is_awaited;
        self
    }

    pub(crate) fn in_session(mut self, session: Option<InSession>) -> Self {
        self.session = session;
        self
    }

    /// Whether somebody still wants it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.cancelled == Cancelled::No && !self.waiter.is_closed()
    }

    /// Whether it may be run again after a crash. A stream is not begun again once its reader has an item of it.
    pub(crate) fn may_retry(&self) -> bool {
        let begun = matches!(self.waiter, Waiter::Stream { begun: true, .. });
        self.retries > 0 && !begun && !self.is_pinned
    }

    /// When its worker has to be looked at for its sake.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        match self.cancelled {
            Cancelled::No => Some(self.deadline),
            Cancelled::Unbegun => None,
            Cancelled::Until(limit) => Some(limit),
        }
    }

    pub(crate) fn is_stuck(&self, now: Instant) -> bool {
        matches!(self.cancelled, Cancelled::Until(limit) if limit <= now)
    }
}

/// Later than anything that is waited for.
pub(crate) fn far() -> Instant {
    const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    Instant::now() + YEARS
}

/// The end of a time limit; one too long to be told is none.
pub(crate) fn after(limit: Duration) -> Instant {
    Instant::now().checked_add(limit).unwrap_or_else(far)
}
