//! One tool for many arguments: several calls at a time, their outcomes in order.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

use super::call::Ask;
use super::{CallOptions, Error, Pool};

type UnderWay<R> = Pin<Box<dyn Future<Output = Result<R, Error>> + Send>>;

/// The outcomes of many calls of one tool, in the order of their arguments; see [`Pool::map`].
#[must_use = "nothing is called before it is polled"]
pub struct Map<I: Iterator, R> {
    pool: Pool,
    tool: Arc<str>,
    args: I,
    /// An argument that the queue had no room for.
    held: Option<I::Item>,
    under_way: VecDeque<UnderWay<R>>,
    most: usize,
}

impl<I: Iterator, R> fmt::Debug for Map<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("tool", &self.tool)
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}

// Only what is boxed is ever pinned.
impl<I: Iterator, R> Unpin for Map<I, R> {}

impl<I, R> Map<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned + 'static,
{
    pub(super) fn new(pool: &Pool, tool: &str, args: I) -> Self {
        let shared = pool.shared();
        let running = shared.lock().size() * shared.room as usize;
        Self {
            pool: pool.clone(),
            tool: tool.into(),
            args,
            held: None,
            under_way: VecDeque::new(),
            // Workers that answer soon are sent several requests ahead.
            most: (2 * running).max(64),
        }
    }

    /// The next outcome; none after the last one. It may be dropped and called again, and nothing is lost.
    pub async fn next(&mut self) -> Option<Result<R, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn begin(&mut self) {
        while self.under_way.len() < self.most {
            let Some(arg) = self.held.take().or_else(|| self.args.next()) else {
                return;
            };
            let started = Ask::new(&self.pool, &self.tool, CallOptions::new()).call(&arg);
            // Its own calls are in the queue, and will be out of it.
            if matches!(started, Err(Error::QueueFull { .. })) && !self.under_way.is_empty() {
                self.held = Some(arg);
                return;
            }
            let tool = self.tool.clone();
            let call = Box::pin(async move { started?.value(&tool).await });
            self.under_way.push_back(call);
        }
    }
}

impl<I, R> Stream for Map<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let map = self.get_mut();
        map.begin();
        let Some(first) = map.under_way.front_mut() else {
            return Poll::Ready(None);
        };
        let outcome = ready!(first.as_mut().poll(context));
        map.under_way.pop_front();
        Poll::Ready(Some(outcome))
    }
}
