//! Which request is where. One lock, no waiting inside it: requests go to the least loaded worker, or to that of their
//! session, first come, first served; what a dead worker had not begun goes to another one.

mod answers;
mod numbers;
mod seating;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::answers::Unasked;
use super::connection::Lent;
use super::latencies::Latencies;
use super::request::{Outcome, Request};
use super::restart::Trouble;
use super::seat::Seat;
use super::sessions::{Ended, Home, Sessions};
use crate::spec::Affinity;

/// Why a request was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    QueueFull,
    /// The worker of its session is busy, and it does not want to wait.
    Busy,
    /// The worker of its session has gone.
    SessionLost,
    /// No worker is to be had.
    Degraded(Arc<Trouble>),
    ShutDown,
}

/// All requests and workers of a pool.
#[derive(Debug)]
pub(crate) struct Dispatch {
    limits: Limits,
    /// Behind the pool's own seats stand those of workers that drain.
    seats: Vec<Seat>,
    /// Requests that wait for any worker.
    queue: VecDeque<Request>,
    sessions: Sessions,
    closed: bool,
    /// Seats that somebody still keeps.
    kept: usize,
    /// While no worker is to be had: why.
    trouble: Option<Arc<Trouble>>,
    /// Requests that were taken.
    count: u64,
    requests: u64,
    errors: u64,
    latencies: Latencies,
}

/// What a pool's dispatch is told of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Workers.
    pub(crate) size: usize,
    /// Requests that one worker runs at a time.
    pub(crate) room: usize,
    /// Requests that may wait.
    pub(crate) queue: usize,
    /// How long a worker may take to stop a cancelled request.
    pub(crate) cancel: Duration,
    /// How long a session may lie unused.
    pub(crate) session: Duration,
}

/// Which workers will do for a request.
enum Way {
    Any,
    /// Any, and this one rather than others.
    Rather(usize),
    Only(usize),
    /// None any more.
    Lost,
}

impl Dispatch {
    pub(crate) fn new(limits: Limits) -> Self {
        let seat = |number| Seat::new(number, limits.room, limits.cancel);
        Self {
            limits,
            seats: (0..limits.size).map(seat).collect(),
            queue: VecDeque::new(),
            sessions: Sessions::new(limits.session, limits.size),
            closed: false,
            kept: limits.size,
            trouble: None,
            count: 0,
            requests: 0,
            errors: 0,
            latencies: Latencies::new(),
        }
    }

    /// Wakes whoever serves the worker: when it has to be looked at sooner than [`Dispatch::next_alarm`] said, and when a
    /// caller that was [awake](super::awake) has read what is not for it.
    pub(crate) fn wake(&self, seat: usize) -> Arc<Notify> {
        self.seats[seat].wake.clone()
    }

    /// Some: its caller is to [stay awake](super::awake::wait) for the reply.
    pub(crate) fn submit(&mut self, mut request: Request) -> Result<Option<Lent>, Refused> {
        if self.closed {
            return Err(Refused::ShutDown);
        }
        if let Some(trouble) = &self.trouble {
            return Err(Refused::Degraded(trouble.clone()));
        }
        self.count += 1;
        request.order = self.count;
        let seat = match self.way(&request) {
            Way::Lost => return Err(Refused::SessionLost),
            Way::Only(seat) => return self.submit_pinned(seat, request),
            // Whoever waits already goes first.
            _ if !self.queue.is_empty() => None,
            Way::Rather(seat) if self.seats[seat].is_free() => Some(seat),
            Way::Any | Way::Rather(_) => self.roomiest(),
        };
        match seat {
            Some(seat) => {
                let lent = self.lend(seat, &request);
                self.give(seat, [request]);
                Ok(lent)
            }
            None if self.queued() < self.limits.queue => {
                self.queue.push_back(request);
                Ok(None)
            }
            None => Err(Refused::QueueFull),
        }
    }

    /// Before the request is sent: the reply may be there before the call returns.
    fn lend(&mut self, seat: usize, request: &Request) -> Option<Lent> {
        if request.is_awaited {
            self.seats[seat].lend()
        } else {
            None
        }
    }

    fn submit_pinned(&mut self, seat: usize, request: Request) -> Result<Option<Lent>, Refused> {
        let fails_fast = matches!(
            &request.session,
            Some(session) if session.affinity == Affinity::StrictFailFast
        );
        let place = &self.seats[seat];
        if fails_fast && !(place.pinned.is_empty() && place.is_free()) {
            return Err(Refused::Busy);
        }
        if self.queued() >= self.limits.queue && place.room() == 0 {
            return Err(Refused::QueueFull);
        }
        let lent = self.lend(seat, &request);
        self.pin(seat, request);
        Ok(lent)
    }

    /// Sends a request to this worker and no other, as soon as it has room.
    fn pin(&mut self, seat: usize, mut request: Request) {
        request.is_pinned = true;
        let place = &mut self.seats[seat];
        if place.pinned.is_empty() && place.room() > 0 {
            self.give(seat, [request]);
        } else {
            let after = place
                .pinned
                .partition_point(|other| other.order < request.order);
            place.pinned.insert(after, request);
        }
    }

    /// Which workers will do for a request.
    fn way(&mut self, request: &Request) -> Way {
        let Some(session) = &request.session else {
            return Way::Any;
        };
        let strict = session.affinity != Affinity::Hint;
        match self.sessions.home(&session.id) {
            Home::Seat(seat) if strict => Way::Only(seat),
            Home::Seat(seat) => Way::Rather(seat),
            Home::Lost if strict => Way::Lost,
            Home::Lost | Home::None => Way::Any,
        }
    }

    /// Sends requests to a worker.
    fn give(&mut self, seat: usize, requests: impl IntoIterator<Item = Request>) {
        // To a worker that drains its sessions do not come back.
        if self.sessions.is_empty() || seat >= self.limits.size {
            self.seats[seat].send(requests);
            return;
        }
        let requests = requests.into_iter().map(|mut request| {
            if let Some(session) = &request.session {
                request.is_pinned = session.affinity != Affinity::Hint;
            }
            request
        });
        let requests: Vec<Request> = requests.collect();
        for session in requests
            .iter()
            .filter_map(|request| request.session.as_ref())
        {
            if let Some(end) = self.sessions.settle(&session.id, seat) {
                self.seats[seat].look_by(end);
            }
        }
        self.seats[seat].send(requests);
    }

    /// The least loaded worker that has room.
    fn roomiest(&self) -> Option<usize> {
        let seats = self.own().iter().enumerate();
        let (index, _) = seats
            .filter(|(_, seat)| seat.room() > 0)
            // Sessions are spread: those that are idle now may all want their workers in a moment.
            .min_by_key(|(index, seat)| (seat.sent.len(), self.sessions.at_home(*index)))?;
        Some(index)
    }

    /// Gives waiting requests to workers that have room.
    pub(crate) fn fill(&mut self) {
        if !self.sessions.is_empty() || self.seats.iter().any(|seat| !seat.pinned.is_empty()) {
            self.fill_in_order();
            return;
        }
        while !self.queue.is_empty() {
            let Some(seat) = self.roomiest() else {
                return;
            };
            // A worker alone takes all that it has room for with one system call; beside others, each gets its turn.
            let share = if self.limits.size == 1 {
                self.seats[seat].room().min(self.queue.len())
            } else {
                1
            };
            self.seats[seat].send(self.queue.drain(..share));
        }
    }

    /// The same where some wait for a certain worker: whoever came first and can be served goes first.
    fn fill_in_order(&mut self) {
        loop {
            let roomiest = self.roomiest();
            let any = roomiest.and(self.queue.front()).map(|first| first.order);
            let seats = self.seats.iter().enumerate();
            let pinned = seats
                .filter(|(_, seat)| seat.room() > 0)
                .filter_map(|(index, seat)| Some((seat.pinned.front()?.order, index)))
                .min();
            match (any, pinned) {
                (None, None) => return,
                (any, Some((order, seat))) if any.is_none_or(|any| order < any) => {
                    if let Some(request) = self.seats[seat].pinned.pop_front() {
                        self.give(seat, [request]);
                    }
                }
                _ => {
                    if let (Some(request), Some(roomiest)) = (self.queue.pop_front(), roomiest) {
                        self.route(request, roomiest);
                    }
                }
            }
        }
    }

    /// Sends a request that waited, to `roomiest` if any will do: its session may have found a worker meanwhile.
    fn route(&mut self, request: Request, roomiest: usize) {
        match self.way(&request) {
            Way::Lost => request.waiter.finish(Outcome::SessionLost),
            Way::Only(seat) => self.pin(seat, request),
            Way::Rather(seat) if self.seats[seat].is_free() => self.give(seat, [request]),
            Way::Any | Way::Rather(_) => self.give(roomiest, [request]),
        }
    }

    /// The caller no longer waits: a request that was not sent yet is forgotten, and the worker that has it is told.
    pub(crate) fn cancel(&mut self, ticket: u32) {
        let is_it = |request: &Request| request.ticket == ticket;
        let queues = self.seats.iter_mut().map(|seat| &mut seat.pinned);
        for queue in std::iter::once(&mut self.queue).chain(queues) {
            if let Some(index) = queue.iter().position(is_it) {
                queue.remove(index);
                return;
            }
        }
        for seat in &mut self.seats {
            if let Some(index) = seat.sent.iter().position(is_it) {
                seat.cancel(index);
                return;
            }
        }
    }

    /// Cancels what a worker runs beyond its time, and tells when to look again.
    pub(crate) fn next_alarm(&mut self, seat: usize) -> Instant {
        let end = self.sessions.next_end(seat);
        self.seats[seat].next_alarm(end)
    }

    /// Whether a worker is of no more use; see [`Seat::is_spent`].
    pub(crate) fn is_spent(&self, seat: usize) -> bool {
        self.seats[seat].is_spent()
    }

    /// A session is over; tells which workers hold something of it.
    pub(crate) fn end_session(&mut self, id: &Arc<str>) -> Option<Ended> {
        self.sessions.end(id)
    }

    /// The sessions of a worker that have lain unused too long.
    pub(crate) fn expire_sessions(&mut self, seat: usize) -> Vec<Ended> {
        if self.sessions.is_empty() {
            return Vec::new();
        }
        let (queue, seats) = (&self.queue, &self.seats);
        let all = || {
            let sent = seats
                .iter()
                .flat_map(|seat| seat.sent.iter().chain(&seat.pinned));
            queue.iter().chain(sent)
        };
        self.sessions.expire(seat, |id| {
            all().any(|request| {
                request
                    .session
                    .as_ref()
                    .is_some_and(|session| *session.id == *id)
            })
        })
    }

    /// Sends the end of a session to a worker that holds something of it, if it is still there.
    pub(crate) fn send_end(&mut self, seat: usize, mut request: Request) {
        self.count += 1;
        request.order = self.count;
        if self.seats[seat].connection.is_none() {
            request.waiter.finish(Outcome::SessionLost);
        } else {
            self.pin(seat, request);
        }
    }

    /// No new requests; those that are here go on.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Everything that still waits fails.
    pub(crate) fn abandon(&mut self) {
        self.closed = true;
        let seats = self.seats.iter_mut();
        let sent = seats.flat_map(|seat| seat.sent.drain(..).chain(seat.pinned.drain(..)));
        for request in self.queue.drain(..).chain(sent) {
            request.waiter.finish(Outcome::ShutDown);
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}
