//! Pools of workers. The layers, from below: `frame` cuts bytes, `connection` moves them, `process` and `stderr` are
//! the system's side of a worker, `dispatch` knows which request is where, `worker` keeps one seat filled, and here
//! is what a program calls.

mod connection;
mod dispatch;
mod error;
mod frame;
mod process;
mod stderr;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

pub use error::{Error, PythonException};

use crate::PoolConfig;
use crate::spec::{Profile, SpawnSpec};
use dispatch::{Dispatch, Outcome, Refused};
use frame::Kind;
use worker::Fault;

/// Most workers of a pool.
const MOST_WORKERS: u32 = 1024;

/// How far the pool has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    threads: u32,
    startup_timeout: Duration,
    execute_timeout: Duration,
    shutdown_timeout: Duration,
    queue_limit: u32,
    dispatch: Mutex<Dispatch>,
    tickets: AtomicU32,
    phase: watch::Sender<Phase>,
    /// One for each seat: its worker runs a request whose time is over.
    stops: Vec<Notify>,
    /// While the pool closes: an answer came, or a worker went.
    settled: Notify,
    seats: Mutex<Vec<JoinHandle<()>>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Dispatch> {
        self.dispatch.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.0.phase.send_replace(Phase::Ended);
    }
}

/// A pool in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Workers that the pool keeps.
    pub workers: usize,
    /// Workers that are ready now.
    pub ready: usize,
    /// Requests that are with a worker.
    pub in_flight: usize,
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Requests that came to an end, errors included.
    pub requests: u64,
    /// Requests that ended with an error on the worker's side.
    pub errors: u64,
    /// Workers that were replaced.
    pub restarts: u64,
}

impl Pool {
    /// Re-checks the environment, starts all workers side by side and waits until they are ready.
    ///
    /// It must be called inside a Tokio runtime with its I/O and time drivers enabled.
    ///
    /// # Errors
    /// [`Error::Drift`], [`Error::Config`], [`Error::Spawn`] or [`Error::Startup`]; workers that did start are ended.
    pub async fn start(spec: &'static SpawnSpec, config: &PoolConfig) -> Result<Self, Error> {
        let defaults = &spec.defaults;
        let size = config.size.unwrap_or(defaults.size);
        if size == 0 || size > MOST_WORKERS {
            return Err(Error::Config {
                pool: spec.pool,
                message: format!("`size` is {size}, wanted is 1 to {MOST_WORKERS}"),
            });
        }
        if Handle::try_current().is_err() {
            return Err(Error::Config {
                pool: spec.pool,
                message: "it is started outside a Tokio runtime".to_owned(),
            });
        }
        spec.recheck()?;
        let threads = match defaults.profile {
            Profile::Process => 1,
            Profile::Thread { threads } => threads.max(1),
        };
        let queue_limit = config.queue_limit.unwrap_or(defaults.queue_limit);
        let shared = Arc::new(Shared {
            spec,
            threads,
            startup_timeout: config.startup_timeout.unwrap_or(defaults.startup_timeout),
            execute_timeout: config.execute_timeout.unwrap_or(defaults.execute_timeout),
            shutdown_timeout: config.shutdown_timeout.unwrap_or(defaults.shutdown_timeout),
            queue_limit,
            dispatch: Mutex::new(Dispatch::new(
                size as usize,
                threads as usize,
                queue_limit as usize,
            )),
            tickets: AtomicU32::new(0),
            phase: watch::Sender::new(Phase::Running),
            stops: (0..size).map(|_| Notify::new()).collect(),
            settled: Notify::new(),
            seats: Mutex::new(Vec::new()),
        });
        let pool = Self {
            handle: Arc::new(LastHandle(shared.clone())),
        };
        let mut firsts = Vec::new();
        for seat in 0..size as usize {
            let (sender, first) = oneshot::channel();
            let task = tokio::spawn(worker::keep_seat(shared.clone(), seat, sender));
            pool.seats().push(task);
            firsts.push(first);
        }
        for first in firsts {
            // A sender that is gone went with its runtime.
            first
                .await
                .unwrap_or(Err(Error::ShutDown { pool: spec.pool }))?;
        }
        Ok(pool)
    }

    fn shared(&self) -> &Shared {
        &self.handle.0
    }

    fn seats(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.shared()
            .seats
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a tool and waits for its value.
    ///
    /// A map or struct becomes keyword arguments, a tuple or sequence positional ones, `()` none, anything else the
    /// one argument.
    ///
    /// # Errors
    /// Exactly one [`Error`] that says what happened. After [`Error::TimedOut`] and [`Error::WorkerCrashed`] it is not
    /// known what the tool had done.
    pub async fn execute<A, R>(&self, tool: &str, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let shared = self.shared();
        let pool = shared.spec.pool;
        let ticket = shared.tickets.fetch_add(1, Ordering::Relaxed);
        let frame = frame::encode(ticket, Kind::Request, &(tool, args)).map_err(|message| {
            Error::Encoding {
                pool,
                tool: tool.to_owned(),
                message,
            }
        })?;
        let (sender, receiver) = oneshot::channel();
        let submitted = shared.lock().submit(ticket, frame, sender);
        submitted.map_err(|refused| match refused {
            Refused::QueueFull => Error::QueueFull {
                pool,
                limit: shared.queue_limit,
            },
            Refused::ShutDown => Error::ShutDown { pool },
        })?;
        let mut call = Call {
            shared,
            ticket,
            answered: false,
        };
        let outcome = timeout(shared.execute_timeout, receiver).await;
        let tool = tool.to_owned();
        let Ok(outcome) = outcome else {
            call.expire();
            return Err(Error::TimedOut {
                pool,
                tool,
                limit: shared.execute_timeout,
            });
        };
        call.answered = true;
        match outcome.unwrap_or(Outcome::ShutDown) {
            Outcome::Reply(json) => {
                serde_json::from_slice(&json).map_err(|error| Error::Decoding {
                    pool,
                    tool,
                    message: error.to_string(),
                })
            }
            Outcome::Error(json) => Err(fault(pool, tool, &json)),
            Outcome::Crashed { status, stderr } => Err(Error::WorkerCrashed {
                pool,
                tool,
                status,
                stderr,
            }),
            Outcome::ShutDown => Err(Error::ShutDown { pool }),
        }
    }

    /// The pool in numbers, at this moment.
    pub fn stats(&self) -> PoolStats {
        let dispatch = self.shared().lock();
        let (in_flight, queued) = dispatch.load();
        PoolStats {
            workers: self.shared().stops.len(),
            ready: dispatch.ready(),
            in_flight,
            queued,
            requests: dispatch.requests,
            errors: dispatch.errors,
            restarts: dispatch.restarts,
        }
    }

    /// Ends the pool: takes no more requests, finishes those that it has, lets the workers leave, and after the
    /// pool's `shutdown_timeout` kills what is still there. All handles see it; a second call finds nothing to do.
    pub async fn shutdown(&self) {
        let shared = self.shared();
        let end = Instant::now() + shared.shutdown_timeout;
        shared.lock().close();
        let finished = async {
            loop {
                let settled = shared.settled.notified();
                tokio::pin!(settled);
                // Asked for before the look, so that nothing is missed between the two.
                settled.as_mut().enable();
                if shared.lock().load() == (0, 0) {
                    return;
                }
                settled.await;
            }
        };
        let in_time = timeout_at(end, finished).await.is_ok();
        let phase = if in_time {
            Phase::Leaving
        } else {
            Phase::Ended
        };
        shared.phase.send_replace(phase);
        let seats = std::mem::take(&mut *self.seats());
        for mut seat in seats {
            if timeout_at(end, &mut seat).await.is_err() {
                shared.phase.send_replace(Phase::Ended);
                let _ = seat.await;
            }
        }
        shared.lock().abandon();
    }
}

/// A call that is under way. Dropping it takes it out of the queue.
struct Call<'a> {
    shared: &'a Shared,
    ticket: u32,
    answered: bool,
}

impl Call<'_> {
    /// Its time is over: a worker that runs it is ended, since Python cannot be made to stop.
    fn expire(&mut self) {
        self.answered = true;
        let running = self.shared.lock().expire(self.ticket);
        if let Some(seat) = running {
            self.shared.stops[seat].notify_one();
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shared.lock().cancel(self.ticket);
        }
    }
}

fn fault(pool: &'static str, tool: String, json: &[u8]) -> Error {
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
        Ok(Fault::UnknownTool { tools }) => Error::UnknownTool {
            pool,
            tool,
            known: tools,
        },
        Err(error) => Error::Decoding {
            pool,
            tool,
            message: format!("the worker's error cannot be read: {error}"),
        },
    }
}

/// Starts pools side by side; if one fails, the others are ended.
#[doc(hidden)]
pub async fn start_all<const N: usize>(
    pools: [(&'static SpawnSpec, &PoolConfig); N],
) -> Result<[Pool; N], Error> {
    let starting = pools.map(|(spec, config)| {
        let config = config.clone();
        Start(tokio::spawn(
            async move { Pool::start(spec, &config).await },
        ))
    });
    let mut started = Vec::with_capacity(N);
    for (start, (spec, _)) in starting.into_iter().zip(pools) {
        let mut start = start;
        let pool = (&mut start.0).await;
        started.push(pool.unwrap_or(Err(Error::ShutDown { pool: spec.pool }))?);
    }
    Ok(<[Pool; N]>::try_from(started).expect("every pool was started"))
}

/// Ends pools side by side.
#[doc(hidden)]
pub async fn shutdown_all<const N: usize>(pools: [Pool; N]) {
    let ending = pools.map(|pool| tokio::spawn(async move { pool.shutdown().await }));
    for end in ending {
        let _ = end.await;
    }
}

/// A start that is given up when nobody waits for it any more.
struct Start(JoinHandle<Result<Pool, Error>>);

impl Drop for Start {
    fn drop(&mut self) {
        self.0.abort();
    }
}
