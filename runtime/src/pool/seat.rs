//! One worker as the dispatch sees it, or its empty place: what it was sent, and how much more it may be sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::awake::Awake;
use super::connection::{Connection, Lent};
use super::frame::{Kind, encode};
use super::memory::Interpreter;
use super::request::{Cancelled, Outcome, Request, after, far};
use super::restart::Trouble;
use super::stats::WorkerStats;

/// A worker's socket may hold as much work as takes about this long: enough that the worker never waits for the
/// host, too little for a request to be stuck behind slow ones while other workers idle.
const AHEAD: Duration = Duration::from_millis(1);

/// Requests that a worker's socket holds at most beyond those that run.
const MOST_AHEAD: usize = 64;

#[derive(Debug)]
pub(crate) struct Seat {
    /// The worker's number.
    number: usize,
    pub(crate) connection: Option<Arc<Connection>>,
    /// Requests that the worker runs at a time.
    most: usize,
    /// How long it may take to stop a cancelled request.
    grace: Duration,
    /// Sent and not answered, in the order in which they were sent.
    pub(crate) sent: VecDeque<Request>,
    /// Requests that wait for this worker and no other.
    pub(crate) pinned: VecDeque<Request>,
    /// Requests that this worker was ever sent.
    count: u64,
    /// Those among `sent` that were cancelled.
    cancelled: usize,
    /// When whoever serves the worker looks at it next, and how to be looked at sooner.
    alarm: Instant,
    pub(crate) wake: Arc<Notify>,
    /// When the worker last began to be busy, or answered.
    since: Option<Instant>,
    /// Running mean of the time that a request takes; unknown before the first reply.
    pace: Option<Duration>,
    /// Whether what it has is one request that was sent to it while it had none.
    is_alone: bool,
    pub(crate) awake: Awake,
    /// Requests that this worker answered.
    pub(crate) answered: u64,
    /// Those of them that it answered with an error.
    errors: u64,
    /// While a worker is there: who it is, and since when it is ready.
    worker: Option<(Interpreter, Instant)>,
    pub(crate) past: Past,
    /// Why its worker is tried only now and then, or was until it shows that it can work.
    pub(crate) trouble: Option<Arc<Trouble>>,
    /// Its replacement has its seat: it leaves when all that is its own is answered.
    pub(crate) drains: bool,
}

/// How often the worker of a seat was replaced.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Past {
    pub(crate) restarts: u64,
    pub(crate) recycles: u64,
}

impl Seat {
    pub(crate) fn new(number: usize, most: usize, grace: Duration) -> Self {
        Self {
            number,
            connection: None,
            most,
            grace,
            sent: VecDeque::new(),
            pinned: VecDeque::new(),
            count: 0,
            cancelled: 0,
            // Nobody looks at it yet.
            alarm: far(),
            wake: Arc::default(),
            since: None,
            pace: None,
            is_alone: false,
            awake: Awake::default(),
            answered: 0,
            errors: 0,
            worker: None,
            past: Past::default(),
            trouble: None,
            drains: false,
        }
    }

    /// The place of a worker that has gone, and what it had been sent.
    pub(crate) fn clear(&mut self) -> VecDeque<Request> {
        let wake = self.wake.clone();
        let empty = Self {
            wake,
            trouble: self.trouble.take(),
            // Until it is left, nobody else gets its place.
            drains: self.drains,
            past: self.past,
            ..Self::new(self.number, self.most, self.grace)
        };
        std::mem::replace(self, empty).sent
    }

    /// What may have begun: requests are begun in order, and a reply is written before the next one begins.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Request> {
        self.sent.iter().take(self.most)
    }

    /// A worker is ready.
    pub(crate) fn fill(&mut self, connection: Arc<Connection>, interpreter: Interpreter) {
        self.connection = Some(connection);
        self.worker = Some((interpreter, Instant::now()));
    }

    /// Hands on what a worker answered.
    pub(crate) fn answer(&mut self, request: Request, outcome: Outcome) {
        self.errors += u64::from(matches!(outcome, Outcome::Error(_)));
        request.waiter.answer(outcome, self.number);
    }

    /// Who its worker is.
    pub(crate) fn interpreter(&self) -> Option<Interpreter> {
        self.worker.map(|(interpreter, _)| interpreter)
    }

    /// The worker in numbers, but for its memory.
    pub(crate) fn stats(&self) -> WorkerStats {
        WorkerStats {
            worker: self.number,
            pid: self.interpreter().map(|interpreter| interpreter.pid),
            ready: self.connection.is_some() && !self.drains,
            draining: self.drains,
            in_flight: self.sent.len(),
            requests: self.answered,
            errors: self.errors,
            age: self
                .worker
                .map_or(Duration::ZERO, |(_, since)| since.elapsed()),
            memory: None,
            restarts: self.past.restarts,
            recycles: self.past.recycles,
        }
    }

    /// Whether it drains and has answered everything.
    pub(crate) fn is_drained(&self) -> bool {
        self.drains && self.sent.is_empty() && self.pinned.is_empty()
    }

    /// How many requests more it may be sent.
    pub(crate) fn room(&self) -> usize {
        if self.connection.is_none() || self.is_stuck() {
            return 0;
        }
        let ahead = self.pace.map_or(0, |pace| {
            // A request that takes longer than those before it shows here first.
            let busy = self.since.filter(|_| !self.sent.is_empty());
            let pace = pace.max(busy.map_or(Duration::ZERO, |since| since.elapsed()));
            let fit = AHEAD.as_nanos() / pace.as_nanos().max(1);
            usize::try_from(fit).map_or(MOST_AHEAD, |fit| fit.min(MOST_AHEAD))
        });
        (self.most + ahead).saturating_sub(self.sent.len())
    }

    /// Whether it would begin a request at once.
    pub(crate) fn is_free(&self) -> bool {
        self.sent.len() < self.most && self.room() > 0
    }

    pub(crate) fn send(&mut self, requests: impl IntoIterator<Item = Request>) {
        let first = self.sent.len();
        for mut request in requests {
            self.count += 1;
            request.place = self.count;
            self.look_by(request.deadline);
            self.sent.push_back(request);
        }
        self.is_alone = first == 0 && self.sent.len() == 1;
        if first < self.most {
            self.since = Some(Instant::now());
        }
        if let Some(connection) = &self.connection {
            connection.send(
                self.sent
                    .range(first..)
                    .map(|request| request.frame.clone()),
            );
        }
    }

    /// Sends what the worker is to hear while it is busy.
    pub(crate) fn control(&self, ticket: u32, kind: Kind, number: u64) {
        if let Some(connection) = &self.connection {
            let frame = encode(ticket, kind, &number, None);
            connection.control(frame.expect("a number has a JSON form"));
        }
    }

    /// Takes the request that was answered; none if it was not sent or cannot have begun.
    pub(crate) fn take(&mut self, ticket: u32) -> Option<Request> {
        let index = self
            .running()
            .position(|request| request.ticket == ticket)?;
        let request = self.sent.remove(index)?;
        self.keep_pace();
        self.awake.answered(request.made.elapsed(), self.is_alone);
        self.answered += 1;
        if request.cancelled != Cancelled::No {
            self.cancelled -= 1;
        }
        // Another one may have been begun in its place.
        if self.cancelled > 0 {
            self.give_grace();
        }
        Some(request)
    }

    /// The connection, if whoever sends it a request now had best stay awake for the reply.
    pub(crate) fn lend(&mut self) -> Option<Lent> {
        let connection = self.connection.as_ref()?;
        let is_idle = self.sent.is_empty() && self.pinned.is_empty() && !self.drains;
        (is_idle && connection.can_be_lent() && self.awake.begin()).then(|| connection.lend())
    }

    /// Whether its worker is at the other end.
    pub(crate) fn is_at(&self, connection: &Arc<Connection>) -> bool {
        let own = self.connection.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(own, connection))
    }

    /// What of it has not begun.
    pub(crate) fn unbegun(&mut self) -> VecDeque<Request> {
        self.sent.split_off(self.most.min(self.sent.len()))
    }

    /// Tells the worker to stop a request.
    pub(crate) fn cancel(&mut self, index: usize) {
        let request = &mut self.sent[index];
        if request.cancelled != Cancelled::No {
            return;
        }
        self.cancelled += 1;
        request.cancelled = Cancelled::Unbegun;
        let (ticket, place) = (request.ticket, request.place);
        self.control(ticket, Kind::Cancel, place);
        self.give_grace();
    }

    /// A cancelled request has so long to stop, from when the worker may have begun it.
    fn give_grace(&mut self) {
        let limit = after(self.grace);
        let mut given = false;
        for request in self.sent.iter_mut().take(self.most) {
            if request.cancelled == Cancelled::Unbegun {
                request.cancelled = Cancelled::Until(limit);
                given = true;
            }
        }
        if given {
            self.look_by(limit);
        }
    }

    /// Cancels what runs beyond its time, and tells when to look again: at `other` at the latest.
    pub(crate) fn next_alarm(&mut self, other: Option<Instant>) -> Instant {
        let now = Instant::now();
        for index in 0..self.most.min(self.sent.len()) {
            let request = &self.sent[index];
            if request.cancelled == Cancelled::No && request.deadline <= now {
                self.cancel(index);
            }
        }
        let running = self.running().filter_map(Request::alarm);
        let next = running.chain(other).filter(|at| *at > now).min();
        self.alarm = next.unwrap_or_else(far);
        self.alarm
    }

    /// Has the worker looked at by then.
    pub(crate) fn look_by(&mut self, limit: Instant) {
        if limit < self.alarm {
            self.alarm = limit;
            self.wake.notify_one();
        }
    }

    /// Whether it runs something that was cancelled and does not stop.
    fn is_stuck(&self) -> bool {
        self.cancelled > 0 && {
            let now = Instant::now();
            self.running().any(|request| request.is_stuck(now))
        }
    }

    /// Whether the worker is of no more use, because everything that it runs was cancelled and does not stop. While it
    /// runs anything else it is left alone, and gets nothing more.
    pub(crate) fn is_spent(&self) -> bool {
        let mut running = self.running();
        self.is_stuck() && running.all(|request| request.cancelled != Cancelled::No)
    }

    /// Learns from a reply how long a request takes.
    fn keep_pace(&mut self) {
        let now = Instant::now();
        if let Some(since) = self.since.replace(now) {
            let took = now.duration_since(since);
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 7 + took) / 8));
        }
    }
}
