//! The runtime of the pools that block, and who drives it: the thread of its own, or a caller while it waits.
//!
//! A caller that waits for the thread is woken twice: the thread by the worker, and the caller by the thread. So who
//! calls again and again, and alone, drives the runtime itself while it waits, and the worker wakes it directly. When
//! others wait as well, the thread drives for all of them. It also does when nobody has called for a moment: then a
//! worker's end or its call of a host tool is noticed as soon as ever.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

/// After so many calls that met no other one, callers drive: to change who drives costs as much as a call.
const ALONE: u32 = 8;

/// When nobody has called for so long, the thread drives again.
const PAUSE: Duration = Duration::from_millis(5);

/// A runtime that is driven as long as the program lives.
#[derive(Debug)]
pub(super) struct Driver {
    runtime: Runtime,
    state: Mutex<State>,
    /// The thread is to look at the state.
    changed: Condvar,
    /// The thread is to let go of the runtime.
    wanted: Notify,
}

#[derive(Debug)]
struct State {
    drives: Drives,
    /// Callers that wait and do not drive.
    waiting: usize,
    /// Calls in a row that met no other one.
    alone: u32,
    /// All calls of callers that drove.
    calls: u64,
    /// Whether the thread looks at the state by itself, while it does not drive.
    looks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drives {
    Thread,
    Caller,
    /// A caller did a moment ago.
    Nobody,
}

impl Driver {
    /// Starts the thread. It never ends: whoever drops a pool does not wait for its workers, and somebody has to take
    /// note of their end.
    ///
    /// # Errors
    /// The system has no thread or no descriptor left.
    pub(super) fn start() -> io::Result<Arc<Self>> {
        let (sender, started) = mpsc::channel::<Arc<Self>>();
        let work = move || {
            let Ok(driver) = started.recv() else { return };
            loop {
                driver.runtime.block_on(driver.wanted.notified());
                driver.stand_by();
            }
        };
        let thread = thread::Builder::new().name("snakepit-runtime".to_owned());
        thread.spawn(work)?;
        let driver = Arc::new(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            state: Mutex::new(State {
                drives: Drives::Thread,
                waiting: 0,
                alone: 0,
                calls: 0,
                looks: false,
            }),
            changed: Condvar::new(),
            wanted: Notify::new(),
        });
        let _ = sender.send(driver.clone());
        Ok(driver)
    }

    /// Waits for a call.
    pub(super) fn call<F: Future>(&self, future: F) -> F::Output {
        // Tokio panics where one runtime would be driven inside another one.
        if Handle::try_current().is_ok() {
            return self.wait(future);
        }
        match self.take() {
            Some(_driving) => self.runtime.block_on(future),
            None => self.wait(future),
        }
    }

    /// Waits while others drive. For calls that go on between two waits, when this thread would not drive.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        let _inside = self.runtime.enter();
        let _waiting = Waiting::new(self);
        let bell = Arc::<Bell>::default();
        let waker = Waker::from(bell.clone());
        let mut context = Context::from_waker(&waker);
        // Inside a task the budget is the task's, and would not be renewed while we wait here.
        let mut future = pin!(tokio::task::unconstrained(future));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            bell.wait();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A caller's turn to drive, if it is one.
    fn take(&self) -> Option<Driving<'_>> {
        let mut state = self.state();
        match state.drives {
            Drives::Caller => {
                state.alone = 0;
                return None;
            }
            Drives::Thread if state.waiting > 0 => {
                state.alone = 0;
                return None;
            }
            Drives::Thread if state.alone < ALONE => {
                state.alone += 1;
                return None;
            }
            Drives::Thread => self.wanted.notify_one(),
            Drives::Nobody => {}
        }
        state.drives = Drives::Caller;
        state.calls += 1;
        Some(Driving(self))
    }

    /// The thread's time in which callers drive.
    fn stand_by(&self) {
        let mut state = self.state();
        while state.drives != Drives::Thread {
            let seen = state.calls;
            state.looks = true;
            state = self
                .changed
                .wait_timeout(state, PAUSE)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if state.calls != seen {
                continue;
            }
            match state.drives {
                Drives::Nobody => state.drives = Drives::Thread,
                // One long call: its end is told.
                Drives::Caller => {
                    state.looks = false;
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Drives::Thread => {}
            }
        }
        state.alone = 0;
    }
}

/// While it is there, its caller drives.
struct Driving<'a>(&'a Driver);

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.drives = if state.waiting > 0 {
            Drives::Thread
        } else {
            Drives::Nobody
        };
        if state.drives == Drives::Thread || !state.looks {
            self.0.changed.notify_one();
        }
    }
}

/// While it is there, somebody else than its caller drives.
struct Waiting<'a>(&'a Driver);

impl<'a> Waiting<'a> {
    fn new(driver: &'a Driver) -> Self {
        let mut state = driver.state();
        state.waiting += 1;
        if state.drives == Drives::Nobody {
            state.drives = Drives::Thread;
            driver.changed.notify_one();
        }
        Self(driver)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// Wakes a thread that waits. `park` would do, were it not the program's own as well.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = self
                .changed
                .wait(rung)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
