//! Pools for programs without an async runtime: the same calls, which wait.
//!
//! ```no_run
//! # fn f(spec: &'static snakepit::SpawnSpec) -> Result<(), snakepit::Error> {
//! use snakepit::{PoolConfig, blocking::Pool};
//!
//! let pool = Pool::start(spec, &PoolConfig::default())?;
//! let echoed: String = pool.execute("echo", "hi")?;
//! assert_eq!(echoed, "hi");
//! pool.shutdown();
//! # Ok(())
//! # }
//! ```
//!
//! The workers of all these pools are looked after by one thread of the program, which is started with the first of
//! them. Handles may be used by many threads at a time, each of which waits for its own call.
//!
//! Inside an async runtime these calls work as well, and do what every call that waits does there: they hold up the
//! thread that makes them, and so the other tasks of that thread. [`crate::Pool`] is for there.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle};

use crate::{
    Affinity, CallOptions, Error, Health, HostTools, PoolBuilder, PoolConfig, PoolStats, SpawnSpec,
    WorkerStats,
};

/// The runtime of all these pools. It never ends: whoever drops a pool does not wait for its workers, and somebody has
/// to take note of their end.
static RUNTIME: LazyLock<Result<Handle, String>> =
    LazyLock::new(|| start_runtime().map_err(|error| error.to_string()));

fn start_runtime() -> io::Result<Handle> {
    let (sender, started) = mpsc::channel();
    let work = move || match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let _ = sender.send(Ok(runtime.handle().clone()));
            runtime.block_on(std::future::pending::<()>());
        }
        Err(error) => drop(sender.send(Err(error))),
    };
    let thread = thread::Builder::new().name("snakepit-runtime".to_owned());
    thread.spawn(work)?;
    let gone = || io::Error::other("its thread ended");
    started.recv().map_err(|_| gone())?
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

/// Waits for a future of the pools, in any thread: Tokio's own way panics inside a runtime.
fn wait<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let _inside = runtime.enter();
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

fn runtime(pool: &'static str) -> Result<&'static Handle, Error> {
    RUNTIME.as_ref().map_err(|why| Error::Config {
        pool,
        message: format!("the runtime of the blocking pools cannot be started: {why}"),
    })
}

/// A running pool of Python workers; see [`crate::Pool`]. It is a cheap handle; when the last one is dropped, the
/// workers are ended.
#[derive(Clone)]
pub struct Pool {
    pool: crate::Pool,
    runtime: &'static Handle,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.fmt(f)
    }
}

impl PoolBuilder {
    /// [`PoolBuilder::start`] for programs without an async runtime. Host tools run on the pools' own thread.
    ///
    /// # Errors
    /// Those of [`PoolBuilder::start`], and [`Error::Config`] if that thread cannot be started.
    pub fn start_blocking(self, config: &PoolConfig) -> Result<Pool, Error> {
        let runtime = runtime(self.spec().pool)?;
        let pool = wait(runtime, self.start(config))?;
        Ok(Pool { pool, runtime })
    }
}

impl Pool {
    /// [`crate::Pool::start`].
    ///
    /// # Errors
    /// Those of [`PoolBuilder::start_blocking`].
    pub fn start(spec: &'static SpawnSpec, config: &PoolConfig) -> Result<Self, Error> {
        crate::Pool::builder(spec).start_blocking(config)
    }

    /// [`crate::Pool::execute`].
    ///
    /// # Errors
    /// Those of [`crate::Pool::execute`].
    pub fn execute<A, R>(&self, tool: &str, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_with(tool, args, CallOptions::new())
    }

    /// [`crate::Pool::execute_with`].
    ///
    /// # Errors
    /// Those of [`crate::Pool::execute`].
    pub fn execute_with<A, R>(&self, tool: &str, args: &A, options: CallOptions) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        wait(self.runtime, self.pool.execute_with(tool, args, options))
    }

    /// [`crate::Pool::execute_stream`], as an iterator.
    ///
    /// ```no_run
    /// # fn f(pool: snakepit::blocking::Pool) -> Result<(), snakepit::Error> {
    /// for line in pool.execute_stream::<_, String>("lines_of", "big.txt") {
    ///     println!("{}", line?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute_stream<A, R>(&self, tool: &str, args: &A) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_stream_with(tool, args, CallOptions::new())
    }

    /// [`crate::Pool::execute_stream_with`], as an iterator.
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
        ToolStream {
            stream: self.pool.execute_stream_with(tool, args, options),
            runtime: self.runtime,
        }
    }

    /// [`crate::Pool::map`], as an iterator. Calls go on while nobody asks for an outcome, but none are begun.
    pub fn map<I, A, R>(&self, tool: &str, args: I) -> Map<I::IntoIter, R>
    where
        I: IntoIterator<Item = A>,
        A: Serialize,
        R: DeserializeOwned + 'static,
    {
        Map {
            map: self.pool.map(tool, args),
            runtime: self.runtime,
        }
    }

    /// [`crate::Pool::session`].
    pub fn session(&self, id: &str) -> Session {
        Session {
            session: self.pool.session(id),
            runtime: self.runtime,
        }
    }

    /// [`crate::Pool::stats`].
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// [`crate::Pool::workers`].
    pub fn workers(&self) -> Vec<WorkerStats> {
        self.pool.workers()
    }

    /// [`crate::Pool::health`].
    pub fn health(&self) -> Health {
        self.pool.health()
    }

    /// [`crate::Pool::tools`].
    pub fn tools(&self) -> Vec<String> {
        self.pool.tools()
    }

    /// [`crate::Pool::shutdown`].
    pub fn shutdown(&self) {
        wait(self.runtime, self.pool.shutdown());
    }
}

/// The items of a tool that gives a stream, as an iterator; an error is the last of them.
#[must_use = "dropping it closes the generator"]
#[derive(Debug)]
pub struct ToolStream<R> {
    stream: crate::ToolStream<R>,
    runtime: &'static Handle,
}

impl<R: DeserializeOwned> Iterator for ToolStream<R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        wait(self.runtime, self.stream.next())
    }
}

/// The outcomes of many calls of one tool, in the order of their arguments.
#[must_use = "nothing is called before it is asked for"]
#[derive(Debug)]
pub struct Map<I: Iterator, R> {
    map: crate::Map<I, R>,
    runtime: &'static Handle,
}

impl<I, R> Iterator for Map<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        wait(self.runtime, self.map.next())
    }
}

/// Calls that belong together and want the same worker; see [`crate::Session`].
#[derive(Debug, Clone)]
pub struct Session {
    session: crate::Session,
    runtime: &'static Handle,
}

impl Session {
    /// [`crate::Session::affinity`].
    #[must_use]
    pub fn affinity(mut self, affinity: Affinity) -> Self {
        self.session = self.session.affinity(affinity);
        self
    }

    /// [`crate::Session::id`].
    pub fn id(&self) -> &str {
        self.session.id()
    }

    /// [`crate::Session::execute`].
    ///
    /// # Errors
    /// Those of [`crate::Session::execute`].
    pub fn execute<A, R>(&self, tool: &str, args: &A) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_with(tool, args, CallOptions::new())
    }

    /// [`crate::Session::execute_with`].
    ///
    /// # Errors
    /// Those of [`crate::Session::execute`].
    pub fn execute_with<A, R>(&self, tool: &str, args: &A, options: CallOptions) -> Result<R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let call = self.session.execute_with(tool, args, options);
        wait(self.runtime, call)
    }

    /// [`crate::Session::execute_stream`], as an iterator.
    pub fn execute_stream<A, R>(&self, tool: &str, args: &A) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        ToolStream {
            stream: self.session.execute_stream(tool, args),
            runtime: self.runtime,
        }
    }

    /// [`crate::Session::end`].
    ///
    /// # Errors
    /// Those of [`crate::Session::end`].
    pub fn end(&self) -> Result<(), Error> {
        wait(self.runtime, self.session.end())
    }
}

/// Starts pools side by side; the first that fails is told at once, and the others are ended.
#[doc(hidden)]
pub fn start_all<const N: usize>(
    pools: [(&'static SpawnSpec, &PoolConfig); N],
    host_tools: HostTools,
) -> Result<[Pool; N], Error> {
    let runtime = runtime(pools.first().map_or("", |(spec, _)| spec.pool))?;
    let started = wait(runtime, crate::pool::start_all(pools, host_tools))?;
    Ok(started.map(|pool| Pool { pool, runtime }))
}

/// Ends pools side by side.
#[doc(hidden)]
pub fn shutdown_all<const N: usize>(pools: [Pool; N]) {
    if let Some(first) = pools.first() {
        let runtime = first.runtime;
        wait(
            runtime,
            crate::pool::shutdown_all(pools.map(|pool| pool.pool)),
        );
    }
}
