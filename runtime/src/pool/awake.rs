//! Waiting for a reply without sleeping, where it comes sooner than a thread that sleeps is woken.
//!
//! To wake a processor that sleeps takes some 20 µs on a virtual machine, as long as a small call takes in all, and a
//! call through the runtime sleeps on both sides. So whoever calls a worker that has nothing else to do, and whose last
//! calls were short, stays awake for a moment and reads the worker's socket itself: neither a task nor the runtime's
//! driver is woken. Each look that finds nothing offers the processor to others, the worker on the same one above all.
//!
//! A caller that never sleeps never lets the runtime's thread go on to other tasks, which may be about to call as well.
//! After a [`TURN`] it therefore waits once as usual, whatever it did between its calls and whichever workers they were
//! for; requests that then meet one another end it.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot::{self, error::TryRecvError};

use super::Shared;
use super::connection::{Connection, Lent};
use super::frame::Kind;
use super::request::{Answer, Outcome};

/// How long a reply is worth staying awake for. Small calls take less also where both sides sleep.
const MOMENT: Duration = Duration::from_micros(100);

/// How long a thread's callers stay awake, what they do between their calls included, before one waits as usual.
const TURN: Duration = Duration::from_micros(100);

/// So many more calls have to have been short than were not.
const FEWEST: u32 = 8;

/// However often it was in vain, so many will do.
const MOST: u32 = 1024;

/// What is known of a worker's replies.
#[derive(Debug)]
pub(crate) struct Awake {
    /// Grows with every short call to a worker without any other, and falls with others.
    score: u32,
    /// From which score on callers stay awake.
    wanted: u32,
    /// Whether the caller of what the worker runs is awake.
    is_on: bool,
}

/// What is known of a thread.
#[derive(Debug, Default)]
struct Turn {
    /// When a caller first stayed awake since one waited as usual.
    since: Option<Instant>,
}

thread_local! {
    static OWN: RefCell<Turn> = RefCell::default();
}

impl Turn {
    /// Whether it goes on.
    fn goes_on(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.duration_since(since) <= TURN)
    }
}

impl Default for Awake {
    fn default() -> Self {
        Self {
            score: 0,
            wanted: FEWEST,
            is_on: false,
        }
    }
}

impl Awake {
    /// Whether this thread, which calls, is to stay awake for a request that will be the only one of its worker.
    pub(crate) fn begin(&mut self) -> bool {
        OWN.with_borrow_mut(|turn| self.begin_in(turn, Instant::now()))
    }

    fn begin_in(&mut self, turn: &mut Turn, now: Instant) -> bool {
        self.is_on = self.score >= self.wanted && turn.goes_on(now);
        turn.since = self.is_on.then(|| turn.since.unwrap_or(now));
        self.is_on
    }

    /// A call came back.
    pub(crate) fn answered(&mut self, took: Duration, is_alone: bool) {
        if !is_alone {
            self.score = 0;
        } else if took > MOMENT {
            self.score = self.score.saturating_sub(2);
        } else {
            self.score = (self.score + 1).min(2 * self.wanted);
            if self.is_on {
                self.wanted = FEWEST.max(self.wanted - 1);
            }
        }
    }

    /// No reply came while its caller was awake.
    pub(crate) fn failed(&mut self) {
        self.is_on = false;
        self.score = 0;
        self.wanted = MOST.min(self.wanted * 2);
    }
}

/// Stays awake until the reply has come, or something else has, or the moment is over.
pub(super) fn wait(
    shared: &Shared,
    connection: &Lent,
    ticket: u32,
    reply: &mut oneshot::Receiver<Answer>,
) -> Option<Answer> {
    let begin = Instant::now();
    // Whoever serves the worker may hear it first.
    loop {
        let has_heard = hear(shared, connection, ticket);
        match reply.try_recv() {
            Ok(answer) => return Some(answer),
            // It may not be asked again.
            Err(TryRecvError::Closed) => return Some((Outcome::ShutDown, None)),
            Err(TryRecvError::Empty) => {}
        }
        if has_heard {
            return None;
        }
        if begin.elapsed() > MOMENT {
            let mut dispatch = shared.lock();
            if let Some(seat) = dispatch.at(connection) {
                dispatch.was_awake_in_vain(seat);
            }
            return None;
        }
        thread::yield_now();
    }
}

/// Hears the reply, if it is there and nothing else. Whether anything is there: whoever serves the worker hears the rest.
fn hear(shared: &Shared, connection: &Arc<Connection>, ticket: u32) -> bool {
    let mut inbox = connection.inbox();
    if !connection.peek(&mut inbox) {
        return false;
    }
    let is_answer = inbox.only().is_some_and(|frame| {
        frame.request == ticket && matches!(frame.kind, Kind::Reply | Kind::Error)
    });
    let mut dispatch = shared.lock();
    let Some(seat) = dispatch.at(connection) else {
        return true;
    };
    if is_answer
        && dispatch.runs(seat, ticket)
        && let Some(frame) = inbox.unheard.pop()
    {
        let asked = dispatch.answered(seat, frame);
        debug_assert!(asked.is_ok(), "its worker runs it");
        dispatch.fill();
        if dispatch.is_closed() {
            shared.settled.notify_waiters();
        }
        let worn = shared.supervision.max_requests;
        let is_worn = worn.is_some_and(|limit| dispatch.answers(seat) >= u64::from(limit));
        if !is_worn && !dispatch.is_drained(seat) && !shared.segments.take_used() {
            return true;
        }
    }
    dispatch.wake(seat).notify_one();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(20);

    /// A thread that calls again and again, and does something in between.
    struct Caller {
        turn: Turn,
        now: Instant,
        pause: Duration,
    }

    impl Caller {
        fn pausing(pause: Duration) -> Self {
            Self {
                turn: Turn::default(),
                now: Instant::now(),
                pause,
            }
        }

        /// Whether it stayed awake for a call.
        fn calls(&mut self, awake: &mut Awake) -> bool {
            let is_awake = awake.begin_in(&mut self.turn, self.now);
            awake.answered(SHORT, true);
            self.now += SHORT + self.pause;
            is_awake
        }

        /// Calls until one waits as usual; how many did not, of at most 1,000.
        fn in_a_row(&mut self, awake: &mut Awake) -> usize {
            (0..1000).take_while(|_| self.calls(awake)).count()
        }
    }

    fn learn(awake: &mut Awake, took: Duration, is_alone: bool, count: u32) {
        for _ in 0..count {
            awake.answered(took, is_alone);
        }
    }

    #[test]
    fn callers_stay_awake_once_calls_are_short_and_alone() {
        let mut awake = Awake::default();
        assert!(!awake.begin());
        learn(&mut awake, SHORT, true, FEWEST);
        assert!(awake.begin());
        for (took, is_alone) in [(2 * MOMENT, true), (SHORT, false)] {
            let mut awake = Awake::default();
            learn(&mut awake, took, is_alone, 1000);
            assert!(!awake.begin());
        }
    }

    #[test]
    fn one_caller_in_a_turn_waits_as_usual() {
        let mut awake = Awake::default();
        learn(&mut awake, SHORT, true, 100);
        for (pause, row) in [(Duration::ZERO, 6), (SHORT, 3), (2 * TURN, 1)] {
            let mut caller = Caller::pausing(pause);
            for _ in 0..3 {
                assert_eq!(caller.in_a_row(&mut awake), row, "{pause:?}");
            }
        }
    }

    #[test]
    fn a_turn_is_that_of_the_thread_whichever_workers_it_calls() {
        let mut caller = Caller::pausing(Duration::ZERO);
        let row = (0..100).take_while(|_| {
            let mut worker = Awake::default();
            learn(&mut worker, SHORT, true, 100);
            caller.calls(&mut worker)
        });
        assert_eq!(row.count(), 6);
    }

    #[test]
    fn what_is_in_vain_becomes_rare_and_is_forgotten_when_it_no_longer_is() {
        let mut awake = Awake::default();
        let mut caller = Caller::pausing(Duration::ZERO);
        let mut awake_in_vain = 0;
        for _ in 0..10_000 {
            if caller.calls(&mut awake) {
                awake_in_vain += 1;
                awake.failed();
            }
        }
        assert!(awake_in_vain < 20, "{awake_in_vain}");
        learn(&mut awake, SHORT, true, MOST);
        for _ in 0..2 * MOST {
            caller.calls(&mut awake);
        }
        awake.failed();
        learn(&mut awake, SHORT, true, 2 * FEWEST);
        assert!(awake.begin_in(&mut Turn::default(), caller.now));
    }

    #[test]
    fn calls_at_once_end_it_at_once() {
        let mut awake = Awake::default();
        learn(&mut awake, SHORT, true, 1000);
        awake.answered(SHORT, false);
        assert!(!awake.begin());
    }
}
