//! Signs of life of one worker. The bridge's own thread answers, not a request: a tool may run as long as it likes, and
//! only an interpreter that is stopped, or whose GIL nobody gives back, is silent.
//!
//! A worker is not hung because the *host* was busy or stopped for a while: its silence counts from a ping on, and
//! whoever asks has read all that it sent before.

use std::time::Duration;

use tokio::time::Instant;

use super::dispatch::Unasked;
use super::request::far;

/// What one worker was asked, and when.
#[derive(Debug)]
pub(crate) struct Heart {
    timeout: Option<Duration>,
    /// The next ping; while one is unanswered, when that is too long.
    next: Instant,
    /// The ping that was not answered yet.
    asked: Option<u32>,
    count: u32,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    Wait,
    Ping(u32),
    /// It has been silent for so long.
    Hung(Duration),
}

impl Heart {
    pub(crate) fn new(timeout: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            timeout,
            next: timeout.map_or_else(far, |timeout| later(now, timeout / 2)),
            asked: None,
            count: 0,
        }
    }

    /// When to look at it.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        let Some(timeout) = self.timeout.filter(|_| self.next <= now) else {
            return Beat::Wait;
        };
        if self.asked.is_some() {
            return Beat::Hung(timeout);
        }
        self.count = self.count.wrapping_add(1);
        self.asked = Some(self.count);
        self.next = later(now, timeout);
        Beat::Ping(self.count)
    }

    /// It answered a ping.
    pub(crate) fn heard(&mut self, ping: u32, now: Instant) -> Result<(), Unasked> {
        let (Some(timeout), true) = (self.timeout, self.asked == Some(ping)) else {
            return Err(Unasked::Pong(ping));
        };
        self.asked = None;
        self.next = later(now, timeout / 2);
        Ok(())
    }
}

fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or_else(far)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_that_is_answered_is_followed_by_the_next_and_one_that_is_not_is_a_hang() {
        let timeout = Duration::from_secs(10);
        let mut heart = Heart::new(Some(timeout));
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        assert_eq!(heart.beat(at(1)), Beat::Wait);
        assert_eq!(heart.beat(at(6)), Beat::Ping(1));
        assert_eq!(heart.beat(at(15)), Beat::Wait);
        assert_eq!(heart.heard(2, at(15)), Err(Unasked::Pong(2)));
        assert_eq!(heart.heard(1, at(15)), Ok(()));
        assert_eq!(heart.heard(1, at(15)), Err(Unasked::Pong(1)));
        assert_eq!(heart.beat(at(19)), Beat::Wait);
        assert_eq!(heart.beat(at(20)), Beat::Ping(2));
        assert_eq!(heart.beat(at(30)), Beat::Hung(timeout));
    }

    #[test]
    fn without_a_timeout_nothing_is_asked_and_no_answer_expected() {
        let mut heart = Heart::new(None);
        let late = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        assert_eq!(heart.beat(late), Beat::Wait);
        assert_eq!(heart.heard(0, late), Err(Unasked::Pong(0)));
    }
}
