//! The values of a tool that gives many, as they come.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep_until};

use super::Error;
use super::call::{Ask, Place, Ticket};
use super::request::{Outcome, Waiter, after, far};

/// How many items may be ahead of the reader.
const AHEAD: u32 = 16;

/// The items of a tool that gives a stream; see [`Pool::execute_stream`](crate::Pool::execute_stream). An error is the last of them.
#[must_use = "dropping it closes the generator"]
pub struct ToolStream<R> {
    pool: &'static str,
    tool: String,
    session: Option<Arc<str>>,
    limit: Duration,
    items: mpsc::UnboundedReceiver<(Outcome, Option<usize>)>,
    state: State,
    /// Items that were read since the worker heard of it.
    read: u32,
    /// While the reader waits for an item.
    alarm: Option<Pin<Box<Sleep>>>,
    span: tracing::Span,
    item: PhantomData<fn() -> R>,
}

enum State {
    /// It was not taken.
    Refused(Error),
    Running(Ticket),
    Ended,
}

impl<R> fmt::Debug for ToolStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolStream")
            .field("pool", &self.pool)
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

impl<R: DeserializeOwned> ToolStream<R> {
    pub(super) fn start<A: Serialize + ?Sized>(ask: Ask<'_>, args: &A) -> Self {
        let (sender, items) = mpsc::unbounded_channel();
        let waiter = Waiter::Stream {
            items: sender,
            credit: AHEAD,
            begun: false,
        };
        // How long it may take is its reader's to say: one who does not ask for an item does not wait for it.
        let state = match ask.submit(args, Some(AHEAD), waiter, far()) {
            Ok(ticket) => State::Running(ticket),
            Err(error) => State::Refused(error),
        };
        let span = match &state {
            State::Running(ticket) => ticket.span(ask.tool),
            State::Refused(_) | State::Ended => tracing::Span::none(),
        };
        Self {
            pool: ask.pool.shared().spec.pool,
            tool: ask.tool.to_owned(),
            session: ask.session.map(|session| session.id.clone()),
            limit: ask.limit(),
            items,
            state,
            read: 0,
            alarm: None,
            span,
            item: PhantomData,
        }
    }

    /// The next item; none after the last one. It may be dropped and called again, and nothing is lost.
    pub async fn next(&mut self) -> Option<Result<R, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn place(&self) -> Place<'_> {
        Place {
            pool: self.pool,
            tool: &self.tool,
            limit: self.limit,
            session: self.session.as_deref(),
        }
    }

    /// The next outcome, or none if the time is over.
    fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        if let Poll::Ready(came) = self.items.poll_recv(context) {
            self.alarm = None;
            let (outcome, worker) = came.unwrap_or((Outcome::ShutDown, None));
            if let Some(worker) = worker {
                self.span.record("worker", worker);
            }
            return Poll::Ready(Some(outcome));
        }
        let limit = self.limit;
        let state = &self.state;
        let alarm = self.alarm.get_or_insert_with(|| {
            let alarm = || Box::pin(sleep_until(after(limit)));
            match state {
                State::Running(ticket) => ticket.shared().timer(alarm),
                State::Refused(_) | State::Ended => alarm(),
            }
        });
        ready!(alarm.as_mut().poll(context));
        Poll::Ready(None)
    }

    /// Tells the worker when there is room for more; half the room at a time, so that neither waits for the other.
    fn count(&mut self) {
        self.read += 1;
        if self.read >= AHEAD / 2
            && let State::Running(ticket) = &self.state
        {
            ticket.grant(self.read);
            self.read = 0;
        }
    }
}

impl<R: DeserializeOwned> Stream for ToolStream<R> {
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        let span = stream.span.clone();
        let _inside = span.enter();
        match std::mem::replace(&mut stream.state, State::Ended) {
            State::Ended => return Poll::Ready(None),
            State::Refused(error) => return Poll::Ready(Some(Err(error))),
            running @ State::Running(_) => stream.state = running,
        }
        let outcome = ready!(stream.poll_outcome(context));
        let value = match outcome {
            Some(Outcome::Item(body)) => {
                stream.count();
                let value = stream.place().decode(body);
                if value.is_ok() {
                    return Poll::Ready(Some(value));
                }
                // Its generator is of no more use, and dropping the ticket closes it.
                Some(value)
            }
            None => {
                if let State::Running(ticket) = &mut stream.state {
                    ticket.is_over = true;
                }
                Some(Err(stream.place().timed_out()))
            }
            Some(last) => {
                if let State::Running(ticket) = &mut stream.state {
                    ticket.is_answered = true;
                }
                match last {
                    Outcome::Reply(_) => None,
                    other => Some(Err(stream.place().error(other))),
                }
            }
        };
        if let (State::Running(ticket), Some(Err(error))) = (&stream.state, &value) {
            stream.place().failed(ticket.shared(), error);
        }
        stream.state = State::Ended;
        Poll::Ready(value)
    }
}
