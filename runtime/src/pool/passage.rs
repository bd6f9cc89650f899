//! Frames between the pool and a task of the program that speaks with a worker: from hand to hand. Through sockets the
//! system would have to wake the program twice more in each call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::connection::Arrival;
use super::frame::{Frame, Message};

/// Frames that one look takes at most.
const BATCH: usize = 64;

/// One end: what it sends, the other end takes, in order. It never waits; how much lies there is limited by what the
/// pool has under way. The other end learns when this one is dropped.
#[derive(Debug)]
pub(crate) struct End<S, T> {
    out: Arc<Way<S>>,
    back: Arc<Way<T>>,
}

/// It sends frames that are ready for a socket: a request may have to be sent again, to another worker.
pub(crate) type PoolEnd = End<Message, Frame>;

/// The end of the task.
pub(crate) type TaskEnd = End<Frame, Message>;

/// Both ends of a passage.
pub(crate) fn passage() -> (PoolEnd, TaskEnd) {
    let (out, back) = (Arc::<Way<Message>>::default(), Arc::<Way<Frame>>::default());
    let pool = End {
        out: out.clone(),
        back: back.clone(),
    };
    let task = End {
        out: back,
        back: out,
    };
    (pool, task)
}

/// One direction.
#[derive(Debug)]
struct Way<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    frames: VecDeque<T>,
    is_closed: bool,
}

impl<T> State<T> {
    fn is_quiet(&self) -> bool {
        self.frames.is_empty() && !self.is_closed
    }
}

impl<T> Default for Way<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                frames: VecDeque::new(),
                is_closed: false,
            }),
            changed: Notify::new(),
        }
    }
}

impl<T> Way<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, T> End<S, T> {
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = S>) {
        self.out.state().frames.extend(frames);
        self.out.changed.notify_one();
    }

    /// Nothing follows.
    pub(crate) fn finish(&self) {
        self.out.state().is_closed = true;
        self.out.changed.notify_one();
    }

    /// How many frames the other end has not taken yet.
    pub(crate) fn unread(&self) -> usize {
        self.out.state().frames.len()
    }

    /// Waits until something can be taken, or nothing follows. One task waits at a time.
    pub(crate) async fn readable(&self) {
        while self.back.state().is_quiet() {
            self.back.changed.notified().await;
        }
    }

    /// Hands what is there to `take`.
    pub(crate) fn receive(&self, take: &mut impl FnMut(T)) -> Arrival {
        let mut state = self.back.state();
        let count = state.frames.len().min(BATCH);
        let some: Vec<T> = state.frames.drain(..count).collect();
        let arrival = match (state.frames.is_empty(), state.is_closed) {
            (false, _) => Arrival::More,
            (true, true) if count == 0 => Arrival::End,
            (true, _) => Arrival::Frames,
        };
        drop(state);
        some.into_iter().for_each(take);
        arrival
    }
}

impl<S, T> Drop for End<S, T> {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Kind, encode};
    use super::super::tail::Body;
    use super::*;

    fn numbers(task: &TaskEnd) -> (Vec<u32>, Arrival) {
        let mut numbers = Vec::new();
        let arrival = task.receive(&mut |message| numbers.push(message.request()));
        (numbers, arrival)
    }

    #[tokio::test]
    async fn frames_come_in_order_and_then_the_end() {
        let (pool, task) = passage();
        let all: Vec<u32> = (0..BATCH as u32 + 1).collect();
        pool.send(
            all.iter()
                .map(|number| encode(*number, Kind::Request, &1, None).unwrap()),
        );
        assert_eq!(pool.unread(), all.len());
        pool.finish();
        task.readable().await;
        let (some, arrival) = numbers(&task);
        assert!(some == all[..BATCH] && matches!(arrival, Arrival::More));
        let (rest, arrival) = numbers(&task);
        assert!(rest == all[BATCH..] && matches!(arrival, Arrival::Frames));
        task.readable().await;
        assert!(matches!(numbers(&task).1, Arrival::End));
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_a_frame_and_by_an_end_that_is_dropped() {
        let (pool, task) = passage();
        let waits = tokio::spawn(async move {
            let mut count = 0;
            loop {
                pool.readable().await;
                match pool.receive(&mut |_| count += 1) {
                    Arrival::End => return count,
                    Arrival::Frames | Arrival::More => {}
                }
            }
        });
        tokio::task::yield_now().await;
        for request in 0..3 {
            task.send([Frame {
                request,
                kind: Kind::Reply,
                body: Body::default(),
            }]);
            tokio::task::yield_now().await;
        }
        drop(task);
        assert_eq!(waits.await.unwrap(), 3);
    }
}
