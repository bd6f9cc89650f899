//! What can be seen of a pool from outside: counts, latencies, workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::memory::Interpreter;
use super::{Error, Pool, Shared};

/// A pool in numbers; see [`Pool::stats`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Workers that the pool keeps.
    pub workers: usize,
    /// Workers that are ready now.
    pub ready: usize,
    /// Requests that are with a worker.
    pub in_flight: usize,
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Requests that workers brought to an end, errors and crashes included.
    pub requests: u64,
    /// Requests that ended with an error on the worker's side.
    pub errors: u64,
    /// What calls ended with instead of a value, by kind.
    pub failed: Failed,
    /// From a call to its answer, waiting included; not of streams, whose time is their reader's.
    pub latency: Latency,
    /// Workers that were replaced because they failed, or because a cancelled tool did not stop.
    pub restarts: u64,
    /// Workers that were replaced because they had served enough: `max_requests`, `max_age`, `max_memory`.
    pub recycles: u64,
    /// Workers that failed too often and are tried only now and then; see [`Pool::health`].
    pub degraded: usize,
    /// Resident memory of all interpreters in bytes, without those in containers.
    pub memory: u64,
}

/// How many calls and streams ended with which [`Error`], or were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// [`Error::Python`].
    pub python: u64,
    /// [`Error::TimedOut`].
    pub timed_out: u64,
    /// [`Error::WorkerCrashed`].
    pub worker_crashed: u64,
    /// [`Error::QueueFull`] and [`Error::WorkerBusy`].
    pub refused: u64,
    /// [`Error::Degraded`] and [`Error::SessionWorkerUnavailable`].
    pub unavailable: u64,
    /// [`Error::Encoding`] and [`Error::Decoding`].
    pub codec: u64,
    /// [`Error::UnknownTool`], [`Error::IsStream`] and [`Error::NoStream`].
    pub misuse: u64,
    /// [`Error::ShutDown`].
    pub shut_down: u64,
    /// Dropped before the answer came.
    pub dropped: u64,
}

/// How long calls took, within one percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// Calls that were answered.
    pub count: u64,
    /// Their mean.
    pub mean: Duration,
    /// Half of them took at most so long.
    pub p50: Duration,
    /// 90 percent.
    pub p90: Duration,
    /// 99 percent.
    pub p99: Duration,
    /// 99.9 percent.
    pub p999: Duration,
    /// The longest one.
    pub max: Duration,
}

/// One worker in numbers; see [`Pool::workers`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// Its number, from 0. A worker that is being replaced and the one that replaces it have the same.
    pub worker: usize,
    /// What the interpreter calls itself; in a container it is a number of the container's. None while there is none.
    pub pid: Option<u32>,
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether its replacement is there, and it only finishes what it has.
    pub draining: bool,
    /// Requests that are with it.
    pub in_flight: usize,
    /// Requests that it has answered.
    pub requests: u64,
    /// Those of them that it answered with an error.
    pub errors: u64,
    /// How long it has been ready.
    pub age: Duration,
    /// Resident memory in bytes; none where the system does not tell, as in a container.
    pub memory: Option<u64>,
    /// How often the worker of this number was replaced because it failed.
    pub restarts: u64,
    /// How often because it had served enough.
    pub recycles: u64,
}

/// Counts of what calls ended with.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    python: AtomicU64,
    timed_out: AtomicU64,
    worker_crashed: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
    codec: AtomicU64,
    misuse: AtomicU64,
    shut_down: AtomicU64,
    dropped: AtomicU64,
}

impl Tally {
    pub(crate) fn failed(&self, error: &Error) {
        let counter = match error {
            Error::Python { .. } => &self.python,
            Error::TimedOut { .. } => &self.timed_out,
            Error::WorkerCrashed { .. } => &self.worker_crashed,
            Error::QueueFull { .. } | Error::WorkerBusy { .. } => &self.refused,
            Error::Degraded { .. } | Error::SessionWorkerUnavailable { .. } => &self.unavailable,
            Error::Encoding { .. } | Error::Decoding { .. } => &self.codec,
            Error::UnknownTool { .. } | Error::IsStream { .. } | Error::NoStream { .. } => {
                &self.misuse
            }
            Error::ShutDown { .. } => &self.shut_down,
            // No call ends with these.
            Error::Drift(_)
            | Error::Spec(_)
            | Error::Config { .. }
            | Error::Spawn { .. }
            | Error::Startup { .. } => {
                return;
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Failed {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Failed {
            python: read(&self.python),
            timed_out: read(&self.timed_out),
            worker_crashed: read(&self.worker_crashed),
            refused: read(&self.refused),
            unavailable: read(&self.unavailable),
            codec: read(&self.codec),
            misuse: read(&self.misuse),
            shut_down: read(&self.shut_down),
            dropped: read(&self.dropped),
        }
    }
}

impl Shared {
    pub(super) fn stats(&self) -> PoolStats {
        let (mut stats, interpreters) = {
            let dispatch = self.lock();
            (dispatch.stats(), dispatch.interpreters())
        };
        stats.failed = self.tally.read();
        let resident = interpreters.iter().filter_map(Interpreter::resident);
        stats.memory = resident.sum();
        stats
    }
}

impl Pool {
    /// The pool in numbers, at this moment. It reads two small files of the system for each worker, for its memory.
    ///
    /// ```no_run
    /// # fn f(pool: snakepit::Pool) {
    /// let stats = pool.stats();
    /// println!("{} requests, 99 % within {:?}", stats.requests, stats.latency.p99);
    /// println!("{} timed out, {} wait", stats.failed.timed_out, stats.queued);
    /// # }
    /// ```
    pub fn stats(&self) -> PoolStats {
        self.shared().stats()
    }

    /// Each worker in numbers, at this moment; those that are being replaced come last.
    ///
    /// ```no_run
    /// # fn f(pool: snakepit::Pool) {
    /// for worker in pool.workers() {
    ///     println!("{}: {:?}, {:?} bytes", worker.worker, worker.pid, worker.memory);
    /// }
    /// # }
    /// ```
    pub fn workers(&self) -> Vec<WorkerStats> {
        let workers = self.shared().lock().workers();
        let measured = workers.into_iter().map(|(mut stats, interpreter)| {
            stats.memory = interpreter.and_then(|interpreter| interpreter.resident());
            stats
        });
        measured.collect()
    }
}
