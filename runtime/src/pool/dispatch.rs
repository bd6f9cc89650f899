//! Which request is where. One lock, no waiting inside it: requests go to the least loaded worker, and what a dead
//! worker had not begun goes to another one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::connection::Connection;
use super::frame::{Frame, Kind, encode};

/// A worker's socket may hold as much work as takes about this long: enough that the worker never waits for the
/// host, too little for a request to be stuck behind slow ones while other workers idle.
const AHEAD: Duration = Duration::from_millis(1);

/// Requests that a worker's socket holds at most beyond those that run.
const MOST_AHEAD: usize = 64;

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The tool's value, as JSON.
    Reply(Vec<u8>),
    /// One item of a stream, as JSON; it is not the last that is heard of it.
    Item(Vec<u8>),
    /// The worker's account of what went wrong, as JSON.
    Error(Vec<u8>),
    /// The worker ended while it had the request.
    Crashed { status: String, stderr: String },
    /// The pool ended first.
    ShutDown,
}

/// Who waits for what becomes of a request.
#[derive(Debug)]
pub(crate) enum Waiter {
    Call(oneshot::Sender<Outcome>),
    Stream {
        items: mpsc::UnboundedSender<Outcome>,
        /// How many more items the worker may send.
        credit: u32,
        /// Whether it has sent any.
        begun: bool,
    },
}

impl Waiter {
    fn finish(self, outcome: Outcome) {
        // Nobody waits any more for a request whose future was dropped.
        match self {
            Self::Call(reply) => drop(reply.send(outcome)),
            Self::Stream { items, .. } => drop(items.send(outcome)),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Call(reply) => reply.is_closed(),
            Self::Stream { items, .. } => items.is_closed(),
        }
    }
}

/// How often an idempotent request is tried again after a crash.
const RETRIES: u8 = 2;

/// One call.
#[derive(Debug)]
pub(crate) struct Request {
    ticket: u32,
    frame: Bytes,
    waiter: Waiter,
    /// When its time is over, whether or not anybody still waits for it.
    deadline: Instant,
    /// How often it may yet be tried again after a crash.
    retries: u8,
    /// The how-manieth request it is that its worker was sent.
    place: u64,
    cancelled: Cancelled,
}

/// Whether a worker was told to stop a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    No,
    /// Yes, and it has not begun it.
    Unbegun,
    /// Yes, and it should have stopped by then.
    Until(Instant),
}

impl Request {
    /// The frame carries the ticket.
    pub(crate) fn new(
        ticket: u32,
        frame: Bytes,
        deadline: Instant,
        idempotent: bool,
        waiter: Waiter,
    ) -> Self {
        Self {
            ticket,
            frame,
            waiter,
            deadline,
            retries: if idempotent { RETRIES } else { 0 },
            place: 0,
            cancelled: Cancelled::No,
        }
    }

    /// When its worker has to be looked at for its sake.
    fn alarm(&self) -> Option<Instant> {
        match self.cancelled {
            Cancelled::No => Some(self.deadline),
            Cancelled::Unbegun => None,
            Cancelled::Until(limit) => Some(limit),
        }
    }

    fn is_stuck(&self, now: Instant) -> bool {
        matches!(self.cancelled, Cancelled::Until(limit) if limit <= now)
    }
}

/// One worker, or its empty place.
#[derive(Debug)]
struct Seat {
    connection: Option<Arc<Connection>>,
    /// Sent and not answered, in the order in which they were sent.
    sent: VecDeque<Request>,
    /// Requests that this worker was ever sent.
    count: u64,
    /// Those among `sent` that were cancelled.
    cancelled: usize,
    /// When whoever serves the worker looks at it next, and how to be looked at sooner.
    alarm: Instant,
    wake: Arc<Notify>,
    /// When the worker last began to be busy, or answered.
    since: Option<Instant>,
    /// Running mean of the time that a request takes; unknown before the first reply.
    pace: Option<Duration>,
}

/// Why a request was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    QueueFull,
    ShutDown,
}

/// All requests and workers of a pool.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// Requests that one worker runs at a time.
    room: usize,
    queue_limit: usize,
    /// How long a worker may take to stop a cancelled request.
    cancel_timeout: Duration,
    seats: Vec<Seat>,
    queue: VecDeque<Request>,
    closed: bool,
    /// Seats that somebody still keeps.
    kept: usize,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) restarts: u64,
}

/// What a worker sent and nobody asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    Answer(u32),
    Item(u32),
}

impl fmt::Display for Unasked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(request) => {
                write!(f, "it answered request {request}, which it did not have")
            }
            Self::Item(request) => write!(
                f,
                "it sent an item for request {request}, which had no room for one"
            ),
        }
    }
}

impl Dispatch {
    pub(crate) fn new(
        size: usize,
        room: usize,
        queue_limit: usize,
        cancel_timeout: Duration,
    ) -> Self {
        Self {
            room,
            queue_limit,
            cancel_timeout,
            seats: (0..size).map(|_| Seat::new(Arc::default())).collect(),
            queue: VecDeque::new(),
            closed: false,
            kept: size,
            requests: 0,
            errors: 0,
            restarts: 0,
        }
    }

    /// Wakes whoever serves the worker when it has to be looked at sooner than [`Dispatch::next_alarm`] said.
    pub(crate) fn wake(&self, seat: usize) -> Arc<Notify> {
        self.seats[seat].wake.clone()
    }

    pub(crate) fn submit(&mut self, request: Request) -> Result<(), Refused> {
        if self.closed {
            return Err(Refused::ShutDown);
        }
        // Whoever waits already goes first.
        if self.queue.is_empty()
            && let Some(seat) = self.roomiest()
        {
            self.seats[seat].send([request], self.room);
        } else if self.queue.len() < self.queue_limit {
            self.queue.push_back(request);
        } else {
            return Err(Refused::QueueFull);
        }
        Ok(())
    }

    /// The least loaded worker that has room.
    fn roomiest(&self) -> Option<usize> {
        let room = self.room;
        let (index, _) = self
            .seats
            .iter()
            .enumerate()
            .filter(|(_, seat)| seat.room(room) > 0)
            .min_by_key(|(_, seat)| seat.sent.len())?;
        Some(index)
    }

    /// Gives waiting requests to workers that have room.
    pub(crate) fn fill(&mut self) {
        while !self.queue.is_empty() {
            let Some(seat) = self.roomiest() else {
                return;
            };
            // A worker alone takes all that it has room for with one system call; beside others, each gets its turn.
            let share = if self.seats.len() == 1 {
                self.seats[seat].room(self.room).min(self.queue.len())
            } else {
                1
            };
            self.seats[seat].send(self.queue.drain(..share), self.room);
        }
    }

    /// A worker is ready.
    pub(crate) fn seat(&mut self, seat: usize, connection: Arc<Connection>) {
        self.seats[seat].connection = Some(connection);
        self.fill();
    }

    /// A worker answered. Workers get their next requests with [`Dispatch::fill`], once for all answers of a read.
    pub(crate) fn answered(&mut self, seat: usize, frame: Frame) -> Result<(), Unasked> {
        let outcome = match frame.kind {
            Kind::Reply => Outcome::Reply(frame.json),
            Kind::Error => Outcome::Error(frame.json),
            Kind::Item => return self.item(seat, frame),
            Kind::Request | Kind::Ready | Kind::Failed | Kind::Cancel | Kind::Credit => {
                return Err(Unasked::Answer(frame.request));
            }
        };
        let place = &mut self.seats[seat];
        // Requests are begun in order, so it is one of those that may run.
        let running = place.sent.iter().take(self.room);
        let index = running
            .enumerate()
            .find(|(_, request)| request.ticket == frame.request);
        let (index, _) = index.ok_or(Unasked::Answer(frame.request))?;
        let request = place.sent.remove(index).expect("the index was just found");
        place.keep_pace();
        place.forget(&request, self.room, self.cancel_timeout);
        self.requests += 1;
        self.errors += u64::from(matches!(outcome, Outcome::Error(_)));
        request.waiter.finish(outcome);
        Ok(())
    }

    /// A worker sent one item of a stream, for which there has to be room.
    fn item(&mut self, seat: usize, frame: Frame) -> Result<(), Unasked> {
        let mut running = self.seats[seat].sent.iter_mut().take(self.room);
        let request = running.find(|request| request.ticket == frame.request);
        let Some(Waiter::Stream {
            items,
            credit,
            begun,
        }) = request.map(|request| &mut request.waiter)
        else {
            return Err(Unasked::Item(frame.request));
        };
        *credit = credit.checked_sub(1).ok_or(Unasked::Item(frame.request))?;
        *begun = true;
        let _ = items.send(Outcome::Item(frame.json));
        Ok(())
    }

    /// The reader of a stream has room for more items.
    pub(crate) fn grant(&mut self, ticket: u32, count: u32) {
        for seat in &mut self.seats {
            let Some(request) = seat.sent.iter_mut().find(|sent| sent.ticket == ticket) else {
                continue;
            };
            if let (Waiter::Stream { credit, .. }, Some(connection)) =
                (&mut request.waiter, &seat.connection)
            {
                *credit += count;
                let frame = encode(ticket, Kind::Credit, &count);
                connection.control(frame.expect("a number has a JSON form"));
            }
            return;
        }
    }

    /// A worker is of no more use: it gets nothing more, and what it has not begun goes to others, before all that
    /// waits. What it may have begun fails with [`Dispatch::bury`], as soon as its end is known.
    pub(crate) fn retire(&mut self, seat: usize) {
        let seat = &mut self.seats[seat];
        seat.connection = None;
        let rest = seat.sent.split_off(self.room.min(seat.sent.len()));
        self.put_back(rest);
    }

    /// What a retired worker may have begun comes to its end, or is tried again where that does no harm.
    pub(crate) fn bury(&mut self, seat: usize, outcome: impl Fn() -> Outcome) {
        let wake = self.seats[seat].wake.clone();
        let begun = std::mem::replace(&mut self.seats[seat], Seat::new(wake)).sent;
        let mut again = VecDeque::new();
        for mut request in begun {
            let outcome = outcome();
            // A stream is not begun again once its reader has an item of it.
            let begun = matches!(request.waiter, Waiter::Stream { begun: true, .. });
            if request.retries > 0 && !begun && matches!(outcome, Outcome::Crashed { .. }) {
                request.retries -= 1;
                again.push_back(request);
            } else {
                self.requests += 1;
                self.errors += 1;
                request.waiter.finish(outcome);
            }
        }
        self.put_back(again);
    }

    /// Requests of a worker that has gone go to others, before all that waits.
    fn put_back(&mut self, requests: VecDeque<Request>) {
        // Whoever gave up meanwhile needs no second worker.
        let wanted =
            |request: &Request| request.cancelled == Cancelled::No && !request.waiter.is_closed();
        for request in requests.into_iter().rev().filter(wanted) {
            self.queue.push_front(request);
        }
        self.fill();
    }

    /// Nobody keeps a seat any more: the pool ends, or the runtime does. Without any seat nothing can be answered.
    pub(crate) fn leave(&mut self, seat: usize) {
        self.retire(seat);
        self.bury(seat, || Outcome::ShutDown);
        self.kept -= 1;
        if self.kept == 0 {
            self.abandon();
        }
    }

    /// Whether all seats were left.
    pub(crate) fn is_deserted(&self) -> bool {
        self.kept == 0
    }

    /// The caller no longer waits: a request that was not sent yet is forgotten, and the worker that has it is told.
    pub(crate) fn cancel(&mut self, ticket: u32) {
        let is_it = |request: &Request| request.ticket == ticket;
        if let Some(index) = self.queue.iter().position(is_it) {
            self.queue.remove(index);
            return;
        }
        for seat in &mut self.seats {
            if let Some(index) = seat.sent.iter().position(is_it) {
                seat.cancel(index, self.room, self.cancel_timeout);
                return;
            }
        }
    }

    /// Cancels what a worker runs beyond its time, and tells when to look again.
    pub(crate) fn next_alarm(&mut self, seat: usize) -> Instant {
        let now = Instant::now();
        let (room, grace) = (self.room, self.cancel_timeout);
        let seat = &mut self.seats[seat];
        for index in 0..room.min(seat.sent.len()) {
            let request = &seat.sent[index];
            if request.cancelled == Cancelled::No && request.deadline <= now {
                seat.cancel(index, room, grace);
            }
        }
        let running = seat.sent.iter().take(room);
        let next = running
            .filter_map(Request::alarm)
            .filter(|at| *at > now)
            .min();
        seat.alarm = next.unwrap_or_else(far);
        seat.alarm
    }

    /// Whether a worker is of no more use, because everything that it runs was cancelled and does not stop. While it
    /// runs anything else it is left alone, and gets nothing more.
    pub(crate) fn is_stuck(&self, seat: usize) -> bool {
        let seat = &self.seats[seat];
        let mut running = seat.sent.iter().take(self.room);
        seat.is_stuck(self.room) && running.all(|request| request.cancelled != Cancelled::No)
    }

    /// No new requests; those that are here go on.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Everything that still waits fails.
    pub(crate) fn abandon(&mut self) {
        self.closed = true;
        let sent = self.seats.iter_mut().flat_map(|seat| seat.sent.drain(..));
        for request in self.queue.drain(..).chain(sent) {
            request.waiter.finish(Outcome::ShutDown);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Requests with a worker, and requests that wait for one.
    pub(crate) fn load(&self) -> (usize, usize) {
        let sent = self.seats.iter().map(|seat| seat.sent.len()).sum();
        (sent, self.queue.len())
    }

    /// Workers that the pool keeps.
    pub(crate) fn size(&self) -> usize {
        self.seats.len()
    }

    /// Workers that are ready.
    pub(crate) fn ready(&self) -> usize {
        self.seats
            .iter()
            .filter(|seat| seat.connection.is_some())
            .count()
    }
}

impl Seat {
    fn new(wake: Arc<Notify>) -> Self {
        Self {
            connection: None,
            sent: VecDeque::new(),
            count: 0,
            cancelled: 0,
            // Nobody looks at it yet.
            alarm: far(),
            wake,
            since: None,
            pace: None,
        }
    }

    /// How many requests more it may be sent.
    fn room(&self, room: usize) -> usize {
        if self.connection.is_none() || self.is_stuck(room) {
            return 0;
        }
        let ahead = self.pace.map_or(0, |pace| {
            // A request that takes longer than those before it shows here first.
            let busy = self.since.filter(|_| !self.sent.is_empty());
            let pace = pace.max(busy.map_or(Duration::ZERO, |since| since.elapsed()));
            let fit = AHEAD.as_nanos() / pace.as_nanos().max(1);
            usize::try_from(fit).map_or(MOST_AHEAD, |fit| fit.min(MOST_AHEAD))
        });
        (room + ahead).saturating_sub(self.sent.len())
    }

    fn send(&mut self, requests: impl IntoIterator<Item = Request>, room: usize) {
        let first = self.sent.len();
        for mut request in requests {
            self.count += 1;
            request.place = self.count;
            if request.deadline < self.alarm {
                self.alarm = request.deadline;
                self.wake.notify_one();
            }
            self.sent.push_back(request);
        }
        if first < room {
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

    /// Tells the worker to stop a request.
    fn cancel(&mut self, index: usize, room: usize, grace: Duration) {
        let request = &mut self.sent[index];
        if request.cancelled != Cancelled::No {
            return;
        }
        self.cancelled += 1;
        request.cancelled = Cancelled::Unbegun;
        if let Some(connection) = &self.connection {
            let frame = encode(request.ticket, Kind::Cancel, &request.place);
            connection.control(frame.expect("a number has a JSON form"));
        }
        self.give_grace(room, grace);
    }

    /// A cancelled request has so long to stop, from when the worker may have begun it.
    fn give_grace(&mut self, room: usize, grace: Duration) {
        let limit = Instant::now().checked_add(grace).unwrap_or_else(far);
        for request in self.sent.iter_mut().take(room) {
            if request.cancelled == Cancelled::Unbegun {
                request.cancelled = Cancelled::Until(limit);
                if limit < self.alarm {
                    self.alarm = limit;
                    self.wake.notify_one();
                }
            }
        }
    }

    /// A request was answered; others may have been begun in its place.
    fn forget(&mut self, request: &Request, room: usize, grace: Duration) {
        if request.cancelled != Cancelled::No {
            self.cancelled -= 1;
        }
        if self.cancelled > 0 {
            self.give_grace(room, grace);
        }
    }

    /// Whether it runs something that was cancelled and does not stop.
    fn is_stuck(&self, room: usize) -> bool {
        self.cancelled > 0 && {
            let now = Instant::now();
            self.sent
                .iter()
                .take(room)
                .any(|request| request.is_stuck(now))
        }
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

/// Later than anything that is waited for.
pub(crate) fn far() -> Instant {
    const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    Instant::now() + YEARS
}
