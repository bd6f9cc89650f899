//! Workers that come and go: a new one takes its seat, what one that has gone had not begun goes to others.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::connection::Connection;
use super::super::memory::Interpreter;
use super::super::request::{Outcome, Request};
use super::super::restart::Trouble;
use super::super::seat::Seat;
use super::Dispatch;

impl Dispatch {
    /// A worker is ready.
    pub(crate) fn seat(
        &mut self,
        seat: usize,
        connection: Arc<Connection>,
        interpreter: Interpreter,
    ) {
        self.seats[seat].fill(connection, interpreter);
        self.trouble = None;
        self.fill();
    }

    /// A worker is ready that replaces another one, which drains from now on, at the place that is returned, with the
    /// sessions that it held something of. Somebody has to [`leave`](Dispatch::leave) that place too.
    pub(crate) fn reseat(
        &mut self,
        seat: usize,
        connection: Arc<Connection>,
        interpreter: Interpreter,
    ) -> (usize, Vec<Arc<str>>) {
        let size = self.limits.size;
        let free = self.seats[size..].iter().position(|seat| !seat.drains);
        let place = free.map_or(self.seats.len(), |index| size + index);
        let mut next = Seat::new(seat, self.limits.room, self.limits.cancel);
        next.past = self.seats[seat].past;
        next.past.recycles += 1;
        let mut old = std::mem::replace(&mut self.seats[seat], next);
        old.drains = true;
        old.trouble = None;
        old.wake.notify_one();
        if place == self.seats.len() {
            self.seats.push(old);
        } else {
            self.seats[place] = old;
        }
        let held = self.sessions.held_by(seat);
        self.sessions.lose(seat);
        self.kept += 1;
        self.seat(seat, connection, interpreter);
        (place, held)
    }

    /// Whether a worker drains and has answered everything.
    pub(crate) fn is_drained(&self, seat: usize) -> bool {
        self.seats[seat].is_drained()
    }

    /// A worker failed too often: it will be tried only now and then. If there is no other, nobody waits for one.
    pub(crate) fn degrade(&mut self, seat: usize, trouble: Arc<Trouble>) {
        self.seats[seat].trouble = Some(trouble.clone());
        let mut own = self.own().iter();
        if own.all(|seat| seat.connection.is_none() && seat.trouble.is_some()) {
            for request in self.queue.drain(..) {
                self.requests += 1;
                self.errors += 1;
                request.waiter.finish(Outcome::Degraded(trouble.clone()));
            }
            self.trouble = Some(trouble);
        }
    }

    /// A worker failed, or was ended because a tool did not stop: there will be another one.
    pub(crate) fn count_restart(&mut self, seat: usize) {
        self.seats[seat].past.restarts += 1;
    }

    /// A worker has shown that it can work; whether it was in trouble before.
    pub(crate) fn recover(&mut self, seat: usize) -> bool {
        self.seats[seat].trouble.take().is_some()
    }

    /// How many workers failed too often, and what one of them said, if there is no worker, the last of them.
    pub(crate) fn troubles(&self) -> (usize, Option<&Arc<Trouble>>) {
        let troubles = self.own().iter().filter_map(|seat| seat.trouble.as_ref());
        let any = self.trouble.as_ref().or_else(|| troubles.clone().next());
        (troubles.count(), any)
    }

    /// A worker is of no more use: it gets nothing more, and what it has not begun goes to others, before all that
    /// waits. What it may have begun fails with [`Dispatch::bury`], as soon as its end is known.
    pub(crate) fn retire(&mut self, seat: usize) {
        self.sessions.lose(seat);
        let seat = &mut self.seats[seat];
        seat.connection = None;
        let waiting = std::mem::take(&mut seat.pinned);
        let (pinned, rest): (VecDeque<_>, _) = seat
            .unbegun()
            .into_iter()
            .partition(|request| request.is_pinned);
        for request in pinned.into_iter().chain(waiting) {
            request.waiter.finish(if self.closed {
                Outcome::ShutDown
            } else {
                Outcome::SessionLost
            });
        }
        self.put_back(rest);
    }

    /// What a retired worker may have begun comes to its end, or is tried again where that does no harm.
    pub(crate) fn bury(&mut self, seat: usize, outcome: impl Fn() -> Outcome) {
        let mut again = VecDeque::new();
        for mut request in self.seats[seat].clear() {
            let outcome = outcome();
            if request.may_retry() && matches!(outcome, Outcome::Crashed { .. }) {
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
    pub(super) fn put_back(&mut self, requests: VecDeque<Request>) {
        // Whoever gave up meanwhile needs no second worker.
        for request in requests.into_iter().rev().filter(Request::is_wanted) {
            self.queue.push_front(request);
        }
        self.fill();
    }

    /// Nobody keeps a seat any more: the pool ends, or the runtime does. Without any seat nothing can be answered.
    pub(crate) fn leave(&mut self, seat: usize) {
        self.retire(seat);
        self.bury(seat, || Outcome::ShutDown);
        self.seats[seat].drains = false;
        self.kept -= 1;
        if self.kept == 0 {
            self.abandon();
        }
    }

    /// Whether all seats were left.
    pub(crate) fn is_deserted(&self) -> bool {
        self.kept == 0
    }
}
