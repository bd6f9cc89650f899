//! When a worker has served enough. Its replacement is started first; then the old one gets nothing more, answers what
//! it has, and leaves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::memory::Interpreter;
use super::request::far;
use crate::Supervision;

/// How often its memory is looked at. One look reads two small files of the system.
const LOOK: Duration = Duration::from_secs(1);

/// Where a worker's requests stand in the dispatch: its seat, until its replacement sits there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Berth(Arc<AtomicUsize>);

impl Berth {
    pub(crate) fn new(seat: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(seat)))
    }

    /// It changes only under the dispatch's lock, and means something only there.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, seat: usize) {
        self.0.store(seat, Ordering::Relaxed);
    }
}

/// Why a worker is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worn {
    Requests(u32),
    Age(Duration),
    Memory { bytes: u64, limit: u64 },
}

impl fmt::Display for Worn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(limit) => write!(f, "it has answered {limit} requests"),
            Self::Age(limit) => write!(f, "it is {limit:?} old"),
            Self::Memory { bytes, limit } => {
                let mib = |bytes: u64| bytes >> 20;
                write!(
                    f,
                    "it takes {} MiB of memory, more than {} MiB",
                    mib(*bytes),
                    mib(*limit)
                )
            }
        }
    }
}

/// One worker's use, and whom to tell when it is enough.
#[derive(Debug)]
pub(crate) struct Wear {
    limits: Supervision,
    old: Instant,
    look: Instant,
    interpreter: Interpreter,
    tell: Option<oneshot::Sender<Worn>>,
}

impl Wear {
    pub(crate) fn new(
        limits: &Supervision,
        interpreter: Interpreter,
        tell: oneshot::Sender<Worn>,
    ) -> Self {
        let now = Instant::now();
        let old = limits.max_age.and_then(|age| now.checked_add(age));
        Self {
            limits: *limits,
            old: old.unwrap_or_else(far),
            look: limits.max_memory.map_or_else(far, |_| now + LOOK),
            interpreter,
            tell: Some(tell),
        }
    }

    /// When to look at it.
    pub(crate) fn next(&self) -> Instant {
        if self.tell.is_some() {
            self.old.min(self.look)
        } else {
            far()
        }
    }

    /// Tells, once, if it has answered enough requests.
    pub(crate) fn answered(&mut self, requests: u64) {
        if let Some(limit) = self.limits.max_requests
            && requests >= u64::from(limit)
        {
            self.enough(Worn::Requests(limit));
        }
    }

    /// Tells, once, if it is too old or too large.
    pub(crate) fn look(&mut self, now: Instant) {
        if self.old <= now {
            self.enough(Worn::Age(self.limits.max_age.unwrap_or_default()));
        }
        if self.look > now {
            return;
        }
        self.look = now + LOOK;
        if let (Some(bytes), Some(limit)) = (self.interpreter.resident(), self.limits.max_memory)
            && bytes > limit
        {
            self.enough(Worn::Memory { bytes, limit });
        }
    }

    fn enough(&mut self, why: Worn) {
        if let Some(tell) = self.tell.take() {
            let _ = tell.send(why);
        }
    }
}
