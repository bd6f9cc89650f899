//! What a seat has been through: how long it waits before its next worker, and whether it fails too often.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Error, PythonException};
use crate::Supervision;

/// A worker that has been there so long, or has answered, shows that its start is not what is wrong.
pub(crate) const SETTLED: Duration = Duration::from_secs(1);

/// Why a worker is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: String,
    pub(crate) exception: Option<Box<PythonException>>,
    /// The last lines that it wrote.
    pub(crate) stderr: String,
}

impl Trouble {
    /// Of a start that failed.
    pub(crate) fn of(error: Error) -> Self {
        match error {
            Error::Startup {
                reason,
                exception,
                stderr,
                ..
            } => Self {
                reason,
                exception,
                stderr,
            },
            other => Self {
                reason: other.to_string(),
                exception: None,
                stderr: String::new(),
            },
        }
    }
}

/// What comes after a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) pause: Duration,
    pub(crate) too_often: bool,
}

/// The failures of one seat.
#[derive(Debug)]
pub(crate) struct Record {
    limits: Supervision,
    /// When, within the window.
    failures: VecDeque<Instant>,
    pause: Duration,
}

impl Record {
    pub(crate) fn new(limits: &Supervision) -> Self {
        Self {
            limits: *limits,
            failures: VecDeque::new(),
            pause: limits.restart_delay,
        }
    }

    /// A worker did not start, or ended and was not meant to; `settled`, if it had shown that it can work.
    pub(crate) fn failed(&mut self, now: Instant, settled: bool) -> Next {
        let window = self.limits.restart_window;
        while let Some(oldest) = self.failures.front()
            && now.duration_since(*oldest) > window
        {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        if settled {
            self.pause = self.limits.restart_delay;
        }
        let longest = self.limits.max_restart_delay;
        let too_often = self.failures.len() > self.limits.max_restarts as usize;
        let pause = if too_often {
            longest
        } else if settled {
            Duration::ZERO
        } else {
            let pause = self.pause.min(longest);
            self.pause = pause.saturating_mul(2);
            pause
        };
        Next { pause, too_often }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(max_restarts: u32) -> Record {
        Record::new(&Supervision {
            restart_delay: Duration::from_millis(100),
            max_restart_delay: Duration::from_secs(1),
            max_restarts,
            restart_window: Duration::from_secs(60),
            max_requests: None,
            max_age: None,
            max_memory: None,
            heartbeat_timeout: None,
            kill_timeout: Duration::ZERO,
        })
    }

    /// The pauses in milliseconds after failures at these seconds; 0 is a failure of a worker that had settled.
    fn pauses(record: &mut Record, failures: &[(u64, bool)]) -> Vec<(u128, bool)> {
        let begin = Instant::now();
        let next = |(second, settled): &(u64, bool)| {
            let next = record.failed(begin + Duration::from_secs(*second), *settled);
            (next.pause.as_millis(), next.too_often)
        };
        failures.iter().map(next).collect()
    }

    #[test]
    fn starts_that_fail_are_tried_again_after_longer_and_longer_pauses() {
        let failures: Vec<_> = (0..6).map(|second| (second, false)).collect();
        let wanted = [100, 200, 400, 800, 1000, 1000].map(|pause| (pause, false));
        assert_eq!(pauses(&mut record(100), &failures), wanted);
    }

    #[test]
    fn a_worker_that_had_settled_is_replaced_at_once_and_ends_the_growth() {
        let failures = [(0, false), (1, false), (2, true), (3, false)];
        let wanted = [(100, false), (200, false), (0, false), (100, false)];
        assert_eq!(pauses(&mut record(100), &failures), wanted);
    }

    #[test]
    fn more_failures_than_allowed_in_the_window_are_too_often_and_old_ones_do_not_count() {
        let failures = [(0, true), (1, true), (2, true), (62, true), (63, true)];
        let wanted = [(0, false), (0, false), (1000, true), (0, false), (0, false)];
        assert_eq!(pauses(&mut record(2), &failures), wanted);
        assert_eq!(pauses(&mut record(0), &[(0, true)]), [(1000, true)]);
    }
}
