//! Calls that belong together: a session, its worker, and its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::call::{Ask, More, Place};
use super::dispatch::Dispatch;
use super::frame::{Kind, encode};
use super::recycle::Berth;
use super::request::{Answer, InSession, Outcome, Request, Waiter, after};
use super::sessions::Ended;
use super::{CallOptions, Error, Pool, Shared, ToolStream};
use crate::spec::Affinity;

/// Calls that belong together and want the same worker; see [`Pool::session`]. It is a cheap handle.
#[derive(Debug, Clone)]
pub struct Session {
    pool: Pool,
    session: InSession,
}

impl Session {
    pub(super) fn new(pool: &Pool, id: &str) -> Self {
        let affinity = pool.shared().spec.defaults.affinity;
        Self {
            pool: pool.clone(),
            session: InSession {
                id: id.into(),
                affinity,
            },
        }
    }

    /// The same session with another affinity than the pool's, for the calls of this handle.
    #[must_use]
    pub fn affinity(mut self, affinity: Affinity) -> Self {
        self.session.affinity = affinity;
        self
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.session.id
    }

    fn ask<'a>(&'a self, tool: &'a str, options: CallOptions) -> Ask<'a> {
        Ask::new(&self.pool, tool, options).in_session(&self.session)
    }

    /// [`Pool::execute`] in this session.
    ///
    /// # Errors
    /// Those of [`Pool::execute`]; [`Error::WorkerBusy`] and [`Error::SessionWorkerUnavailable`] as the affinity has it.
    pub async fn execute<A, R>(&self, tool: &str, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_with(tool, args, CallOptions::new()).await
    }

    /// [`Pool::execute_with`] in this session. With a strict affinity no call is tried again in another worker.
    ///
    /// # Errors
    /// Those of [`Session::execute`].
    pub async fn execute_with<A, R>(
        &self,
        tool: &str,
        args: &A,
        options: CallOptions,
    ) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.ask(tool, options).value(args).await
    }

    /// [`Pool::execute_stream`] in this session.
    pub fn execute_stream<A, R>(&self, tool: &str, args: &A) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_stream_with(tool, args, CallOptions::new())
    }

    /// [`Pool::execute_stream_with`] in this session.
    pub fn execute_stream_with<A, R>(
        &self,
        tool: &str,
        args: &A,
        options: CallOptions,
    ) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        ToolStream::start(self.ask(tool, options), args)
    }

    /// Ends the session: the adapter's hook (`on_session_end` of `snakepit_bridge`) runs in every worker that holds
    /// something of it, after the session's calls that are there already, and its store is dropped. A call after that
    /// begins the session anew. Dropping the future does not call it off.
    ///
    /// # Errors
    /// What the hook raised, and [`Error::TimedOut`] after the pool's `execute_timeout`. A worker that has gone is no
    /// error: what it held has gone with it.
    pub async fn end(&self) -> Result<(), Error> {
        let shared = self.pool.shared();
        let deadline = after(shared.execute_timeout);
        let mut outcomes = Vec::new();
        {
            let mut dispatch = shared.lock();
            if let Some(ended) = dispatch.end_session(&self.session.id) {
                send_ends(
                    shared,
                    &mut dispatch,
                    &ended,
                    "ended",
                    deadline,
                    |outcome| {
                        outcomes.push(outcome);
                    },
                );
            }
        }
        let place = Place {
            pool: shared.spec.pool,
            tool: "on_session_end",
            limit: shared.execute_timeout,
            session: Some(&self.session.id),
        };
        let mut result = Ok(());
        for outcome in outcomes {
            let error = match shared.timer(|| timeout_at(deadline, outcome)).await {
                Err(_) => place.timed_out(),
                Ok(answer) => match answer.map_or(Outcome::ShutDown, |(outcome, _)| outcome) {
                    Outcome::Reply(_) | Outcome::Crashed { .. } | Outcome::SessionLost => continue,
                    other => place.error(other),
                },
            };
            result = result.and(Err(error));
        }
        result
    }
}

/// Ends the sessions of a worker that have lain unused too long, cancels what it runs beyond its time, and tells when
/// to look again.
pub(super) fn look(shared: &Shared, berth: &Berth) -> Instant {
    let (over, next) = {
        let mut dispatch = shared.lock();
        let over = dispatch.expire_sessions(berth.get());
        let deadline = after(shared.execute_timeout);
        for ended in &over {
            send_ends(shared, &mut dispatch, ended, "expired", deadline, drop);
        }
        (over, dispatch.next_alarm(berth.get()))
    };
    for (id, _) in over {
        tracing::debug!(pool = shared.spec.pool, session = &*id, "session expired");
    }
    next
}

/// A worker that was replaced holds something of these sessions: that is over, as far as it is concerned.
pub(super) fn end_replaced(
    shared: &Shared,
    dispatch: &mut Dispatch,
    place: usize,
    sessions: Vec<Arc<str>>,
) {
    let deadline = after(shared.execute_timeout);
    for id in sessions {
        let ended = (id, vec![place]);
        send_ends(shared, dispatch, &ended, "replaced", deadline, drop);
    }
}

fn send_ends(
    shared: &Shared,
    dispatch: &mut Dispatch,
    (id, seats): &Ended,
    why: &str,
    deadline: Instant,
    mut outcome: impl FnMut(oneshot::Receiver<Answer>),
) {
    for seat in seats {
        let ticket = shared.tickets.fetch_add(1, Ordering::Relaxed);
        let more = More {
            session: Some(id),
            end: Some(why),
            ..More::default()
        };
        let frame = encode(ticket, Kind::Request, &((), (), more), None);
        let (sender, receiver) = oneshot::channel();
        let frame = frame.expect("texts have a JSON form");
        let request = Request::new(ticket, frame, Waiter::Call(sender), deadline);
        dispatch.send_end(*seat, request);
        outcome(receiver);
    }
}

impl Pool {
    /// A session: calls that belong together and want the same worker, such as those of one user.
    ///
    /// ```no_run
    /// # async fn f(pool: snakepit::Pool) -> Result<(), snakepit::Error> {
    /// let session = pool.session("user-42");
    /// let _: () = session.execute("load", "big.csv").await?;
    /// let rows: u64 = session.execute("count_rows", &()).await?;
    /// session.end().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It begins with its first call, in any worker, and belongs to that worker from then on. What the next calls do
    /// while that worker is busy, or after it has gone, is the pool's [`Affinity`] or that of
    /// [`Session::affinity`]. In the worker, `snakepit_bridge.session` is a store for what the calls of the session
    /// share. It ends with [`Session::end`], or after the pool's `session_timeout` without a call.
    pub fn session(&self, id: &str) -> Session {
        Session::new(self, id)
    }
}
