//! One call: from its arguments to a request of the dispatch, and from what became of that to a value or an error.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::dispatch::{Outcome, Refused, Request, Waiter};
use super::frame::{Kind, encode};
use super::{CallOptions, Error, Pool, PythonException, Shared, after};

/// What a request says beside its tool and its arguments.
#[derive(Debug, Default, Serialize)]
pub(super) struct More {
    /// How many items of a stream may be on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credit: Option<u32>,
}

/// A request that the pool has taken; dropping it before it is answered cancels it.
pub(super) struct Ticket {
    pool: Pool,
    number: u32,
    pub(super) is_answered: bool,
}

impl Ticket {
    /// Sends a request, or puts it in the queue.
    pub(super) fn submit<A: Serialize + ?Sized>(
        pool: &Pool,
        tool: &str,
        args: &A,
        more: &More,
        options: CallOptions,
        waiter: Waiter,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let shared = pool.shared();
        let name = shared.spec.pool;
        let number = shared.tickets.fetch_add(1, Ordering::Relaxed);
        let frame = if more.credit.is_none() {
            encode(number, Kind::Request, &(tool, args))
        } else {
            encode(number, Kind::Request, &(tool, args, more))
        };
        let frame = frame.map_err(|message| Error::Encoding {
            pool: name,
            tool: tool.to_owned(),
            message,
        })?;
        let request = Request::new(number, frame, deadline, options.idempotent, waiter);
        let submitted = shared.lock().submit(request);
        submitted.map_err(|refused| match refused {
            Refused::QueueFull => Error::QueueFull {
                pool: name,
                limit: shared.queue_limit,
            },
            Refused::ShutDown => Error::ShutDown { pool: name },
        })?;
        Ok(Self {
            pool: pool.clone(),
            number,
            is_answered: false,
        })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.pool.shared()
    }

    /// The reader of a stream has room for more items.
    pub(super) fn grant(&self, items: u32) {
        self.shared().lock().grant(self.number, items);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let shared = self.pool.shared();
        let mut dispatch = shared.lock();
        dispatch.cancel(self.number);
        if dispatch.is_closed() {
            shared.settled.notify_waiters();
        }
    }
}

/// A call for one value that is under way.
pub(super) struct Call {
    ticket: Ticket,
    reply: oneshot::Receiver<Outcome>,
    limit: Duration,
    deadline: Instant,
}

impl Call {
    pub(super) fn start<A: Serialize + ?Sized>(
        pool: &Pool,
        tool: &str,
        args: &A,
        options: CallOptions,
    ) -> Result<Self, Error> {
        let limit = options.time_limit.unwrap_or(pool.shared().execute_timeout);
        let deadline = after(limit);
        let (sender, reply) = oneshot::channel();
        let waiter = Waiter::Call(sender);
        let more = More::default();
        let ticket = Ticket::submit(pool, tool, args, &more, options, waiter, deadline)?;
        Ok(Self {
            ticket,
            reply,
            limit,
            deadline,
        })
    }

    pub(super) async fn value<R: DeserializeOwned>(mut self, tool: &str) -> Result<R, Error> {
        let pool = self.ticket.shared().spec.pool;
        let place = Place {
            pool,
            tool,
            limit: self.limit,
        };
        let Ok(outcome) = timeout_at(self.deadline, &mut self.reply).await else {
            return Err(place.timed_out());
        };
        self.ticket.is_answered = true;
        match outcome.unwrap_or(Outcome::ShutDown) {
            Outcome::Reply(json) => place.decode(&json),
            other => Err(place.error(other)),
        }
    }
}

/// Where an error belongs.
pub(super) struct Place<'a> {
    pub(super) pool: &'static str,
    pub(super) tool: &'a str,
    pub(super) limit: Duration,
}

impl Place<'_> {
    pub(super) fn decode<R: DeserializeOwned>(&self, json: &[u8]) -> Result<R, Error> {
        serde_json::from_slice(json).map_err(|error| self.undecodable(error.to_string()))
    }

    pub(super) fn timed_out(&self) -> Error {
        Error::TimedOut {
            pool: self.pool,
            tool: self.tool.to_owned(),
            limit: self.limit,
        }
    }

    fn undecodable(&self, message: String) -> Error {
        Error::Decoding {
            pool: self.pool,
            tool: self.tool.to_owned(),
            message,
        }
    }

    /// The error that an outcome without a value is.
    pub(super) fn error(&self, outcome: Outcome) -> Error {
        let pool = self.pool;
        match outcome {
            Outcome::Error(json) => self.fault(&json),
            Outcome::Crashed { status, stderr } => Error::WorkerCrashed {
                pool,
                tool: self.tool.to_owned(),
                status,
                stderr,
            },
            Outcome::ShutDown => Error::ShutDown { pool },
            Outcome::Reply(_) | Outcome::Item(_) => {
                self.undecodable("a value came where none was expected".to_owned())
            }
        }
    }

    fn fault(&self, json: &[u8]) -> Error {
        let (pool, tool) = (self.pool, self.tool.to_owned());
        match serde_json::from_slice(json) {
            Ok(Fault::Exception(exception)) => Error::Python {
                pool,
                tool,
                exception,
            },
            Ok(Fault::Encoding(exception)) => Error::Encoding {
                pool,
                tool,
                message: format!("its value cannot be sent: {exception}"),
            },
            Ok(Fault::Cancelled) => self.timed_out(),
            Ok(Fault::Stream) => Error::IsStream { pool, tool },
            Ok(Fault::NoStream { found }) => Error::NoStream { pool, tool, found },
            Ok(Fault::UnknownTool { tools }) => Error::UnknownTool {
                pool,
                tool,
                known: tools,
            },
            Err(error) => self.undecodable(format!("the worker's error cannot be read: {error}")),
        }
    }
}

/// The worker's account of a request that went wrong.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Fault {
    Exception(PythonException),
    Encoding(PythonException),
    /// It was cancelled: if anybody still waits, its time is over.
    Cancelled,
    /// A stream was called for one value.
    Stream,
    /// One value was called for a stream; the type of what the tool returned.
    NoStream {
        found: String,
    },
    UnknownTool {
        tools: Vec<String>,
    },
}
