//! Which request is where. One lock, no waiting inside it: requests go to the least loaded worker, and what a dead
//! worker had not begun goes to another one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::connection::Connection;
use super::frame::{Frame, Kind};

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
    /// The worker's account of what went wrong, as JSON.
    Error(Vec<u8>),
    /// The worker ended while it had the request.
    Crashed { status: String, stderr: String },
    /// The pool ended first.
    ShutDown,
}

/// One call.
#[derive(Debug)]
struct Request {
    ticket: u32,
    frame: Bytes,
    reply: oneshot::Sender<Outcome>,
    /// When its time is over, whether or not anybody still waits for it.
    deadline: Instant,
}

/// One worker, or its empty place.
#[derive(Debug, Default)]
struct Seat {
    connection: Option<Arc<Connection>>,
    /// Sent and not answered, in the order in which they were sent.
    sent: VecDeque<Request>,
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
    seats: Vec<Seat>,
    queue: VecDeque<Request>,
    closed: bool,
    /// Seats that somebody still keeps.
    kept: usize,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) restarts: u64,
}

/// An answer that nobody asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unasked;

impl Dispatch {
    pub(crate) fn new(size: usize, room: usize, queue_limit: usize) -> Self {
        Self {
            room,
            queue_limit,
            seats: (0..size).map(|_| Seat::default()).collect(),
            queue: VecDeque::new(),
            closed: false,
            kept: size,
            requests: 0,
            errors: 0,
            restarts: 0,
        }
    }

    /// Takes a request: its frame carries the ticket.
    pub(crate) fn submit(
        &mut self,
        ticket: u32,
        frame: Bytes,
        deadline: Instant,
        reply: oneshot::Sender<Outcome>,
    ) -> Result<(), Refused> {
        if self.closed {
            return Err(Refused::ShutDown);
        }
        let request = Request {
            ticket,
            frame,
            reply,
            deadline,
        };
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
        self.seats[seat] = Seat {
            connection: Some(connection),
            ..Seat::default()
        };
        self.fill();
    }

    /// A worker answered. Workers get their next requests with [`Dispatch::fill`], once for all answers of a read.
    pub(crate) fn answered(&mut self, seat: usize, frame: Frame) -> Result<(), Unasked> {
        let outcome = match frame.kind {
            Kind::Reply => Outcome::Reply(frame.json),
            Kind::Error => Outcome::Error(frame.json),
            Kind::Request | Kind::Ready | Kind::Failed | Kind::Cancel => return Err(Unasked),
        };
        let place = &mut self.seats[seat];
        // Requests are begun in order, so it is one of those that may run.
        let running = place.sent.iter().take(self.room);
        let index = running
            .enumerate()
            .find(|(_, request)| request.ticket == frame.request);
        let (index, _) = index.ok_or(Unasked)?;
        let request = place.sent.remove(index).expect("the index was just found");
        place.keep_pace();
        self.requests += 1;
        self.errors += u64::from(matches!(outcome, Outcome::Error(_)));
        // Nobody waits any more for a request whose future was dropped.
        let _ = request.reply.send(outcome);
        Ok(())
    }

    /// A worker is of no more use: it gets nothing more, and what it has not begun goes to others, before all that
    /// waits. What it may have begun fails with [`Dispatch::bury`], as soon as its end is known.
    pub(crate) fn retire(&mut self, seat: usize) {
        let seat = &mut self.seats[seat];
        seat.connection = None;
        let rest = seat.sent.split_off(self.room.min(seat.sent.len()));
        // Whoever gave up meanwhile needs no second worker.
        for request in rest
            .into_iter()
            .rev()
            .filter(|rest| !rest.reply.is_closed())
        {
            self.queue.push_front(request);
        }
        self.fill();
    }

    /// What a retired worker may have begun comes to its end.
    pub(crate) fn bury(&mut self, seat: usize, outcome: impl Fn() -> Outcome) {
        for request in std::mem::take(&mut self.seats[seat]).sent {
            self.requests += 1;
            self.errors += 1;
            let _ = request.reply.send(outcome());
        }
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

    /// The caller no longer waits: a request that was not sent yet is forgotten. Gives the worker that may be
    /// running it, if one is.
    pub(crate) fn cancel(&mut self, ticket: u32) -> Option<usize> {
        if let Some(index) = self
            .queue
            .iter()
            .position(|request| request.ticket == ticket)
        {
            self.queue.remove(index);
            return None;
        }
        let room = self.room;
        self.seats.iter().position(|seat| {
            let mut running = seat.sent.iter().take(room);
            running.any(|request| request.ticket == ticket)
        })
    }

    /// When the time of the first request that a worker runs is over.
    pub(crate) fn deadline(&self, seat: usize) -> Option<Instant> {
        let running = self.seats[seat].sent.iter().take(self.room);
        running.map(|request| request.deadline).min()
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
            let _ = request.reply.send(Outcome::ShutDown);
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

    /// Workers that are ready.
    pub(crate) fn ready(&self) -> usize {
        self.seats
            .iter()
            .filter(|seat| seat.connection.is_some())
            .count()
    }
}

impl Seat {
    /// How many requests more it may be sent.
    fn room(&self, room: usize) -> usize {
        if self.connection.is_none() {
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
        self.sent.extend(requests);
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

    /// Learns from a reply how long a request takes.
    fn keep_pace(&mut self) {
        let now = Instant::now();
        if let Some(since) = self.since.replace(now) {
            let took = now.duration_since(since);
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 7 + took) / 8));
        }
    }
}
