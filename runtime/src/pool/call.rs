//! One call: from its arguments to a request of the dispatch, and from what became of that to a value or an error.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_core::de::{DeserializeOwned, Error as _};
use serde_core::ser::{Serialize, SerializeMap, Serializer};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::awake;
use super::connection::Lent;
use super::dispatch::Refused;
use super::finite::Root;
use super::frame::{Kind, encode};
use super::request::{Answer, InSession, Outcome, Request, Waiter, after};
use super::restart::Trouble;
use super::tail::Body;
use super::told::Told;
use super::{CallOptions, Error, Pool, PythonException, Shared};

/// What a request says beside its tool and its arguments.
#[derive(Debug, Default)]
pub(super) struct More<'a> {
    /// How many items of a stream may be on their way.
    pub(super) credit: Option<u32>,
    /// The session that it belongs to.
    pub(super) session: Option<&'a str>,
    /// That the session is over, and why.
    pub(super) end: Option<&'a str>,
}

impl Serialize for More<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(credit) = self.credit {
            map.serialize_entry("credit", &credit)?;
        }
        for (name, text) in [("session", self.session), ("end", self.end)] {
            if let Some(text) = text {
                map.serialize_entry(name, text)?;
            }
        }
        map.end()
    }
}

/// What is asked for, but for the arguments.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) pool: &'a Pool,
    pub(super) tool: &'a str,
    pub(super) options: CallOptions,
    pub(super) session: Option<&'a InSession>,
    /// Whether it will be waited for at once.
    is_awaited: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn new(pool: &'a Pool, tool: &'a str, options: CallOptions) -> Self {
        Self {
            pool,
            tool,
            options,
            session: None,
            is_awaited: false,
        }
    }

    pub(super) fn in_session(mut self, session: &'a InSession) -> Self {
        self.session = Some(session);
        self
    }

    /// Calls for one value, and waits for it.
    pub(super) async fn value<A, R>(mut self, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.is_awaited = true;
        self.call(args)?.value(self.tool).await
    }

    /// Calls for one value that is waited for later.
    pub(super) fn call<A: Serialize + ?Sized>(self, args: &A) -> Result<Call, Error> {
        let limit = self.limit();
        let deadline = after(limit);
        let (sender, reply) = oneshot::channel();
        let ticket = self.submit(args, None, Waiter::Call(sender), deadline)?;
        Ok(Call {
            ticket,
            reply,
            limit,
            deadline,
            session: self.session.map(|session| session.id.clone()),
        })
    }

    /// Sends a request, or puts it in the queue.
    pub(super) fn submit<A: Serialize + ?Sized>(
        self,
        args: &A,
        credit: Option<u32>,
        waiter: Waiter,
        deadline: Instant,
    ) -> Result<Ticket, Error> {
        let submitted = self.try_submit(args, credit, waiter, deadline);
        submitted.inspect_err(|error| self.pool.shared().tally.failed(error))
    }

    fn try_submit<A: Serialize + ?Sized>(
        self,
        args: &A,
        credit: Option<u32>,
        waiter: Waiter,
        deadline: Instant,
    ) -> Result<Ticket, Error> {
        let shared = self.pool.shared();
        let number = shared.tickets.fetch_add(1, Ordering::Relaxed);
        let segments = &shared.segments;
        let segments = shared.shares.load(Ordering::Relaxed).then_some(segments);
        let frame = if credit.is_none() && self.session.is_none() {
            encode(number, Kind::Request, &(self.tool, Root(args)), segments)
        } else {
            let more = More {
                credit,
                session: self.session.map(|session| &*session.id),
                end: None,
            };
            encode(
                number,
                Kind::Request,
                &(self.tool, Root(args), more),
                segments,
            )
        };
        let frame = frame.map_err(|message| Error::Encoding {
            pool: shared.spec.pool,
            tool: self.tool.to_owned(),
            message,
        })?;
        let request = Request::new(number, frame, waiter, deadline)
            .idempotent(self.options.idempotent)
            .awaited(self.is_awaited)
            .in_session(self.session.cloned());
        let submitted = shared.lock().submit(request);
        let lent = submitted.map_err(|refused| self.refusal(refused))?;
        Ok(Ticket {
            pool: self.pool.clone(),
            number,
            lent,
            is_answered: false,
            is_over: false,
        })
    }

    fn refusal(self, refused: Refused) -> Error {
        let shared = self.pool.shared();
        let pool = shared.spec.pool;
        let session = self.session.map(|session| session.id.to_string());
        match refused {
            Refused::QueueFull => Error::QueueFull {
                pool,
                limit: shared.queue_limit,
            },
            Refused::Busy => Error::WorkerBusy {
                pool,
                session: session.unwrap_or_default(),
            },
            Refused::SessionLost => Error::SessionWorkerUnavailable {
                pool,
                session: session.unwrap_or_default(),
            },
            Refused::Degraded(trouble) => degraded(pool, &trouble),
            Refused::ShutDown => Error::ShutDown { pool },
        }
    }

    pub(super) fn limit(self) -> Duration {
        let limit = self.options.time_limit;
        limit.unwrap_or(self.pool.shared().execute_timeout)
    }
}

/// A request that the pool has taken; dropping it before it is answered cancels it.
pub(super) struct Ticket {
    pool: Pool,
    number: u32,
    /// Where its caller stays awake for the reply.
    lent: Option<Lent>,
    pub(super) is_answered: bool,
    /// Its time is over, and so nobody waits.
    pub(super) is_over: bool,
}

impl Ticket {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.pool.shared()
    }

    /// What is traced of it. The worker is known when it has answered.
    pub(super) fn span(&self, tool: &str) -> tracing::Span {
        let spec = self.shared().spec;
        tracing::debug_span!(
            "call",
            pool = spec.pool,
            environment = spec.metadata.environment,
            tool,
            request = self.number,
            worker = tracing::field::Empty,
        )
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
        if !self.is_over {
            shared.tally.dropped();
        }
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
    reply: oneshot::Receiver<Answer>,
    limit: Duration,
    deadline: Instant,
    session: Option<Arc<str>>,
}

impl Call {
    /// Waits for the value, in a span of its own where somebody listens.
    pub(super) async fn value<R: DeserializeOwned>(self, tool: &str) -> Result<R, Error> {
        let span = self.ticket.span(tool);
        if span.is_disabled() {
            return self.answer(tool, &span).await;
        }
        self.answer(tool, &span).instrument(span.clone()).await
    }

    async fn answer<R: DeserializeOwned>(
        mut self,
        tool: &str,
        span: &tracing::Span,
    ) -> Result<R, Error> {
        let shared = self.ticket.shared().clone();
        let place = Place {
            pool: shared.spec.pool,
            tool,
            limit: self.limit,
            session: self.session.as_deref(),
        };
        let lent = self.ticket.lent.take();
        let number = self.ticket.number;
        let answer = lent.and_then(|lent| awake::wait(&shared, &lent, number, &mut self.reply));
        let answer = match answer {
            Some(answer) => Ok(Ok(answer)),
            None => {
                let reply = shared.timer(|| timeout_at(self.deadline, &mut self.reply));
                reply.await
            }
        };
        let value = match answer {
            Err(_) => {
                self.ticket.is_over = true;
                Err(place.timed_out())
            }
            Ok(answer) => {
                self.ticket.is_answered = true;
                let (outcome, worker) = answer.unwrap_or((Outcome::ShutDown, None));
                if let Some(worker) = worker {
                    span.record("worker", worker);
                }
                match outcome {
                    Outcome::Reply(body) => place.decode(body),
                    other => Err(place.error(other)),
                }
            }
        };
        value.inspect_err(|error| {
            place.failed(&shared, error);
        })
    }
}

fn degraded(pool: &'static str, trouble: &Trouble) -> Error {
    let Trouble {
        reason,
        exception,
        stderr,
    } = trouble.clone();
    Error::Degraded {
        pool,
        reason,
        exception,
        stderr,
    }
}

/// Where an error belongs.
pub(super) struct Place<'a> {
    pub(super) pool: &'static str,
    pub(super) tool: &'a str,
    pub(super) limit: Duration,
    pub(super) session: Option<&'a str>,
}

impl Place<'_> {
    /// How a call or a stream that failed is counted and told.
    pub(super) fn failed(&self, shared: &Shared, error: &Error) {
        shared.tally.failed(error);
        tracing::debug!(pool = self.pool, tool = self.tool, "{error}");
    }

    pub(super) fn decode<R: DeserializeOwned>(&self, body: Body) -> Result<R, Error> {
        body.decode().map_err(|message| self.undecodable(message))
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
            Outcome::SessionLost => Error::SessionWorkerUnavailable {
                pool,
                session: self.session.unwrap_or_default().to_owned(),
            },
            Outcome::Degraded(trouble) => degraded(pool, &trouble),
            Outcome::ShutDown => Error::ShutDown { pool },
            Outcome::Reply(_) | Outcome::Item(_) => {
                self.undecodable("a value came where none was expected".to_owned())
            }
        }
    }

    fn fault(&self, json: &[u8]) -> Error {
        let (pool, tool) = (self.pool, self.tool.to_owned());
        match Fault::read(json) {
            Ok(Fault::Exception(exception)) => Error::Python {
                pool,
                tool,
                exception,
            },
            Ok(Fault::Encoding(exception)) => Error::Encoding {
                pool,
                tool,
                // What the bridge itself raises for that has no name that a user would know.
                message: match exception.type_name.as_str() {
                    "Unencodable" => format!("its value cannot be sent: {}", exception.message),
                    _ => format!("its value cannot be sent: {exception}"),
                },
            },
            Ok(Fault::Arguments { message }) => Error::Encoding {
                pool,
                tool,
                message,
            },
            Ok(Fault::Answer { message }) => self.undecodable(message),
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
enum Fault {
    Exception(PythonException),
    Encoding(PythonException),
    /// Its worker takes no such arguments.
    Arguments {
        message: String,
    },
    /// Its answer is none.
    Answer {
        message: String,
    },
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

impl Fault {
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        let mut told = Told::read(json)?;
        let kind: String = told.take("kind")?;
        Ok(match kind.as_str() {
            "exception" => Self::Exception(PythonException::of(told)?),
            "encoding" => Self::Encoding(PythonException::of(told)?),
            "arguments" => Self::Arguments {
                message: told.take("message")?,
            },
            "answer" => Self::Answer {
                message: told.take("message")?,
            },
            "cancelled" => Self::Cancelled,
            "stream" => Self::Stream,
            "no_stream" => Self::NoStream {
                found: told.take("found")?,
            },
            "unknown_tool" => Self::UnknownTool {
                tools: told.take("tools")?,
            },
            _ => {
                return Err(serde_json::Error::custom(format!(
                    "there is no kind `{kind}`"
                )));
            }
        })
    }
}
