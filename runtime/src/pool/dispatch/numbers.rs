//! The dispatch in numbers.

use super::super::memory::Interpreter;
use super::super::seat::Seat;
use super::super::stats::{PoolStats, WorkerStats};
use super::Dispatch;

impl Dispatch {
    /// The seats that the pool keeps filled.
    pub(super) fn own(&self) -> &[Seat] {
        &self.seats[..self.limits.size]
    }

    pub(super) fn queued(&self) -> usize {
        let pinned: usize = self.seats.iter().map(|seat| seat.pinned.len()).sum();
        self.queue.len() + pinned
    }

    /// Requests with a worker, and requests that wait for one.
    pub(crate) fn load(&self) -> (usize, usize) {
        let sent = self.seats.iter().map(|seat| seat.sent.len()).sum();
        (sent, self.queued())
    }

    /// Workers that the pool keeps.
    pub(crate) fn size(&self) -> usize {
        self.limits.size
    }

    /// The pool in numbers, as far as they are known here.
    pub(crate) fn stats(&self) -> PoolStats {
        let (in_flight, queued) = self.load();
        let own = self.own().iter();
        PoolStats {
            workers: self.limits.size,
            ready: own.clone().filter(|seat| seat.connection.is_some()).count(),
            in_flight,
            queued,
            requests: self.requests,
            errors: self.errors,
            latency: self.latencies.read(),
            restarts: own.clone().map(|seat| seat.past.restarts).sum(),
            recycles: own.map(|seat| seat.past.recycles).sum(),
            degraded: self.troubles().0,
            ..PoolStats::default()
        }
    }

    /// The interpreters of all workers that are there.
    pub(crate) fn interpreters(&self) -> Vec<Interpreter> {
        self.seats.iter().filter_map(Seat::interpreter).collect()
    }

    /// Each worker in numbers, with what tells its memory.
    pub(crate) fn workers(&self) -> Vec<(WorkerStats, Option<Interpreter>)> {
        let (own, behind) = self.seats.split_at(self.limits.size);
        let there = behind.iter().filter(|seat| seat.drains);
        own.iter()
            .chain(there)
            .map(|seat| (seat.stats(), seat.interpreter()))
            .collect()
    }
}
