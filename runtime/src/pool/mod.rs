//! Pools of workers. The layers, from below: `frame` cuts bytes, `connection` moves them (over `sockets`, of which
//! `readiness` tells, or a `passage`), `process` and `stderr` are the system's side of a worker, `dispatch` knows which
//! request is where, `worker` serves one worker, `supervision` keeps its seat filled, a caller may be `awake`, and here is
//! what a program calls.

mod awake;
mod bridge;
mod buffer;
mod builder;
mod call;
mod connection;
mod death_signal;
mod dispatch;
mod drivers;
mod error;
mod finite;
mod frame;
#[cfg(feature = "grpc")]
mod grpc;
mod health;
mod heartbeat;
mod host_calls;
mod host_tools;
mod latencies;
#[cfg(target_os = "linux")]
mod lifeline;
mod map;
mod mapping;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod options;
#[cfg(feature = "grpc")]
mod passage;
mod process;
mod readiness;
mod recycle;
mod request;
mod restart;
mod seat;
mod segment;
mod session;
mod sessions;
mod sockets;
mod stats;
mod stderr;
mod stream;
mod supervision;
mod tail;
mod told;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout_at;

pub use buffer::{Buffer, BufferError, DType, Element};
pub use builder::PoolBuilder;
pub use error::{Error, PythonException};
pub use health::Health;
pub use host_tools::HostTools;
pub use map::Map;
pub use options::CallOptions;
pub use session::Session;
pub use stats::{Failed, Latency, PoolStats, WorkerStats};
pub use stream::ToolStream;

use crate::spec::SpawnSpec;
use crate::{PoolConfig, Supervision};
use call::Ask;
use dispatch::Dispatch;
use request::after;
use segment::Segments;
use stats::Tally;

/// How far the pool has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Workers are told that nothing follows.
    Leaving,
    /// Workers are killed.
    Ended,
}

/// What the handles and the tasks of a pool share.
#[derive(Debug)]
struct Shared {
    spec: &'static SpawnSpec,
    /// The runtime that serves it.
    runtime: Handle,
    host_tools: HostTools,
    /// Requests that one worker runs at a time.
    room: u32,
    startup_timeout: Duration,
    execute_timeout: Duration,
    cancel_timeout: Duration,
    shutdown_timeout: Duration,
    queue_limit: u32,
    supervision: Supervision,
    dispatch: Mutex<Dispatch>,
    tally: Tally,
    /// The tools of the worker that became ready last, sorted.
    tools: Mutex<Vec<String>>,
    tickets: AtomicU32,
    /// Whether its workers share memory with the program: where they do, all of them do.
    shares: AtomicBool,
    /// The memory files for what they share.
    segments: Segments,
    phase: watch::Sender<Phase>,
    /// While the pool closes: an answer came, or a worker went.
    settled: Notify,
    /// Each process holds a receiver until it has been waited for, one that never became ready too.
    living: watch::Sender<()>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Dispatch> {
        self.dispatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, tools: Vec<String>) {
        *self.tools.lock().unwrap_or_else(PoisonError::into_inner) = tools;
    }

    /// Makes a timer: where whoever waits is in no runtime, as in another executor, one of the pool's.
    fn timer<T>(&self, make: impl FnOnce() -> T) -> T {
        let _own = Handle::try_current().is_err().then(|| self.runtime.enter());
        make()
    }

    /// A pool goes only forwards.
    fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let later = *now < phase;
            *now = (*now).max(phase);
            later
        });
    }

    /// Waits until something holds of a pool that closes.
    async fn until(&self, holds: impl Fn(&Dispatch) -> bool) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // Asked for before the look, so that nothing is missed between the two.
            settled.as_mut().enable();
            if holds(&self.lock()) {
                return;
            }
            settled.await;
        }
    }
}

/// A running pool of Python workers. It is a cheap handle; when the last one is dropped, the workers are ended.
///
/// ```no_run
/// # async fn f(spec: &'static snakepit::SpawnSpec) -> Result<(), snakepit::Error> {
/// use snakepit::{Pool, PoolConfig};
///
/// let pool = Pool::start(spec, &PoolConfig::default()).await?;
/// let echoed: String = pool.execute("echo", "hi").await?;
/// assert_eq!(echoed, "hi");
/// pool.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pool {
    handle: Arc<LastHandle>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("pool", &self.shared().spec.pool)
            .field("stats", &self.stats())
            .finish()
    }
}

struct LastHandle(Arc<Shared>);

impl Drop for LastHandle {
    fn drop(&mut self) {
        self.0.lock().abandon();
        self.0.advance(Phase::Ended);
    }
}

impl Pool {
    /// Re-checks the environment, starts all workers side by side and waits until they are ready.
    ///
    /// It must be called inside a Tokio runtime with its I/O and time drivers enabled.
    ///
    /// # Errors
    /// [`Error::Drift`], [`Error::Spec`], [`Error::Config`], [`Error::Spawn`] or [`Error::Startup`]; workers that did start are ended.
    pub async fn start(spec: &'static SpawnSpec, config: &PoolConfig) -> Result<Self, Error> {
        Self::builder(spec).start(config).await
    }

    /// A pool that is given more than its spec and the operator's values.
    ///
    /// ```no_run
    /// # async fn f(spec: &'static snakepit::SpawnSpec) -> Result<(), snakepit::Error> {
    /// use snakepit::{Pool, PoolConfig};
    ///
    /// let pool = Pool::builder(spec)
    ///     .host_tool("rate", async |currency: String| match &*currency {
    ///         "EUR" => Ok(1.0),
    ///         other => Err(format!("no rate of {other}")),
    ///     })
    ///     .start(&PoolConfig::default())
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(spec: &'static SpawnSpec) -> PoolBuilder {
        PoolBuilder::new(spec)
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }

    /// Calls a tool and waits for its value.
    ///
    /// A map or struct becomes keyword arguments, a tuple or sequence positional ones, `()` none, anything else the
    /// one argument.
    ///
    /// Dropping the future cancels the call: what still waits is forgotten, and a tool that runs is interrupted, an
    /// `async def` one by the cancellation of its task, another one by the exception `snakepit_bridge.Cancelled`. A
    /// worker whose tool does not stop within the pool's `cancel_timeout` is replaced.
    ///
    /// # Errors
    /// Exactly one [`Error`] that says what happened. After [`Error::TimedOut`] and [`Error::WorkerCrashed`] it is not
    /// known what the tool had done.
    pub async fn execute<A, R>(&self, tool: &str, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_with(tool, args, CallOptions::new()).await
    }

    /// [`Pool::execute`] with a time limit of its own, or for a tool that may run twice.
    ///
    /// ```no_run
    /// # async fn f(pool: snakepit::Pool) -> Result<(), snakepit::Error> {
    /// use snakepit::CallOptions;
    /// use std::time::Duration;
    ///
    /// let options = CallOptions::new().time_limit(Duration::from_secs(300)).idempotent();
    /// let rows: u64 = pool.execute_with("count_rows", "big.csv", options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Pool::execute`].
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
        Ask::new(self, tool, options).value(args).await
    }

    /// Calls a tool that gives a stream of values: a generator, an asynchronous generator or any other iterator.
    ///
    /// ```no_run
    /// # async fn f(pool: snakepit::Pool) -> Result<(), snakepit::Error> {
    /// let mut lines = pool.execute_stream::<_, String>("lines_of", "big.txt");
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", line?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The tool runs at most 16 items ahead of the reader, and waits for it then. Dropping the stream closes the
    /// generator, whose `finally` runs. A stream has the place of one request in its worker until it ends.
    ///
    /// An error is the last item: those of [`Pool::execute`], or [`Error::NoStream`].
    pub fn execute_stream<A, R>(&self, tool: &str, args: &A) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_stream_with(tool, args, CallOptions::new())
    }

    /// [`Pool::execute_stream`] with [`CallOptions`]. The time limit, else the pool's `execute_timeout`, is the longest
    /// time that the reader waits for the next item.
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
        ToolStream::start(Ask::new(self, tool, options), args)
    }

    /// Calls a tool once for each of many arguments, several at a time, and gives the outcomes in their order.
    ///
    /// ```no_run
    /// # async fn f(pool: snakepit::Pool) -> Result<(), snakepit::Error> {
    /// let mut squares = pool.map::<_, _, u64>("square", 0..1_000_000_u64);
    /// while let Some(square) = squares.next().await {
    ///     println!("{}", square?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It takes arguments from the iterator only as the reader and the workers come on, about twice as many as the
    /// workers run at a time. An outcome that is an error ends nothing: the others follow. Dropping it cancels what
    /// is under way.
    pub fn map<I, A, R>(&self, tool: &str, args: I) -> Map<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize,
        R: DeserializeOwned + 'static,
    {
        Map::new(self, tool, args.into_iter())
    }

    /// Whether the pool can keep its workers.
    ///
    /// ```no_run
    /// # fn f(pool: snakepit::Pool) {
    /// use snakepit::Health;
    ///
    /// if let Health::Degraded { workers, reason, .. } = pool.health() {
    ///     eprintln!("{workers} workers fail again and again, the last one: {reason}");
    /// }
    /// # }
    /// ```
    pub fn health(&self) -> Health {
        let dispatch = self.shared().lock();
        match dispatch.troubles() {
            _ if dispatch.is_closed() => Health::ShutDown,
            (workers, Some(trouble)) => Health::Degraded {
                workers,
                reason: trouble.reason.clone(),
                exception: trouble.exception.clone(),
                stderr: trouble.stderr.clone(),
            },
            (_, None) => Health::Healthy,
        }
    }

    /// The names of the tools that the workers offer, sorted, with those of every pool (`ping` and others): what the
    /// worker that became ready last has found when it imported the adapter. What the build read in the adapter's
    /// source is [`SpawnSpec::tools`].
    ///
    /// ```no_run
    /// # fn f(pool: &snakepit::Pool) {
    /// if !pool.tools().iter().any(|name| name == "predict") {
    ///     eprintln!("the workers offer {}", pool.tools().join(", "));
    /// }
    /// # }
    /// ```
    pub fn tools(&self) -> Vec<String> {
        let tools = self.shared().tools.lock();
        tools.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the pool: takes no more requests, finishes those that it has and lets the workers leave. What is still there
    /// after the pool's `shutdown_timeout`, workers and all that they started, gets `SIGTERM`, and `kill_timeout` later
    /// `SIGKILL`. All handles see it; a second call finds nothing to do.
    pub async fn shutdown(&self) {
        let shared = self.shared();
        let end = after(shared.shutdown_timeout);
        shared.lock().close();
        let finished = shared.until(|dispatch| dispatch.load() == (0, 0));
        let in_time = shared.timer(|| timeout_at(end, finished)).await.is_ok();
        shared.advance(if in_time {
            Phase::Leaving
        } else {
            Phase::Ended
        });
        let deserted = shared.until(Dispatch::is_deserted);
        if shared.timer(|| timeout_at(end, deserted)).await.is_err() {
            shared.advance(Phase::Ended);
            shared.until(Dispatch::is_deserted).await;
        }
        shared.living.closed().await;
    }
}

/// What a task gave; its panic goes on here.
async fn joined<T>(end: Result<T, JoinError>) -> T {
    match end.map_err(JoinError::try_into_panic) {
        Ok(value) => value,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Only a runtime that ends cancels it, and nobody is left to be told.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// Starts pools side by side; the first that fails is told at once, and the others are ended.
#[doc(hidden)]
pub async fn start_all<const N: usize>(
    pools: [(&'static SpawnSpec, &PoolConfig); N],
    host_tools: HostTools,
) -> Result<[Pool; N], Error> {
    // The tasks of the start need a runtime themselves.
    if let Some((spec, _)) = pools.first() {
        drivers::demand(spec.pool)?;
    }
    let mut starting = JoinSet::new();
    for (index, (spec, config)) in pools.into_iter().enumerate() {
        let config = config.clone();
        let builder = Pool::builder(spec).host_tools(host_tools.clone());
        starting.spawn(async move { (index, builder.start(&config).await) });
    }
    let mut started = [const { None }; N];
    while let Some(start) = starting.join_next().await {
        let (index, pool) = joined(start).await;
        started[index] = Some(pool?);
    }
    Ok(started.map(|pool| pool.expect("every start was joined")))
}

/// Ends pools side by side.
#[doc(hidden)]
pub async fn shutdown_all<const N: usize>(pools: [Pool; N]) {
    let ending = pools.map(|pool| tokio::spawn(async move { pool.shutdown().await }));
    for end in ending {
        let _ = end.await;
    }
}
