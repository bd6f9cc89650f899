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
//! them, or by a thread that makes one call after the other, while it waits. Handles may be used by many threads at a
//! time, each of which waits for its own call.
//!
//! Inside an async runtime these calls work as well, and do what every call that waits does there: they hold up the
//! thread that makes them, and so the other tasks of that thread. [`crate::Pool`] is for there.

mod driver;

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

use self::driver::Driver;
use crate::{
    Affinity, CallOptions, Error, Health, HostTools, PoolBuilder, PoolConfig, PoolStats, SpawnSpec,
    WorkerStats,
};

/// Of all these pools.
static DRIVER: LazyLock<Result<Arc<Driver>, String>> =
    LazyLock::new(|| Driver::start().map_err(|error| error.to_string()));

fn driver(pool: &'static str) -> Result<&'static Driver, Error> {
    DRIVER.as_deref().map_err(|why| Error::Config {
        pool,
        message: format!("the runtime of the blocking pools cannot be started: {why}"),
    })
}

/// A running pool of Python workers; see [`crate::Pool`]. It is a cheap handle; when the last one is dropped, the
/// workers are ended.
#[derive(Clone)]
pub struct Pool {
    pool: crate::Pool,
    driver: &'static Driver,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.fmt(f)
    }
}

impl PoolBuilder {
    /// [`PoolBuilder::start`] for programs without an async runtime. Host tools run on the pools' own thread,
    /// or on one that waits for a call.
    ///
    /// # Errors
    /// Those of [`PoolBuilder::start`], and [`Error::Config`] if that thread cannot be started.
    pub fn start_blocking(self, config: &PoolConfig) -> Result<Pool, Error> {
        let driver = driver(self.spec().pool)?;
        let pool = driver.call(self.start(config))?;
        Ok(Pool { pool, driver })
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
        self.driver
            .call(self.pool.execute_with(tool, args, options))
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
            driver: self.driver,
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
            driver: self.driver,
        }
    }

    /// [`crate::Pool::session`].
    pub fn session(&self, id: &str) -> Session {
        Session {
            session: self.pool.session(id),
            driver: self.driver,
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
        self.driver.call(self.pool.shutdown());
    }
}

/// The items of a tool that gives a stream, as an iterator; an error is the last of them.
#[must_use = "dropping it closes the generator"]
#[derive(Debug)]
pub struct ToolStream<R> {
    stream: crate::ToolStream<R>,
    driver: &'static Driver,
}

impl<R: DeserializeOwned> Iterator for ToolStream<R> {
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.driver.wait(self.stream.next())
    }
}

/// The outcomes of many calls of one tool, in the order of their arguments.
#[must_use = "nothing is called before it is asked for"]
#[derive(Debug)]
pub struct Map<I: Iterator, R> {
    map: crate::Map<I, R>,
    driver: &'static Driver,
}

impl<I, R> Iterator for Map<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.driver.wait(self.map.next())
    }
}

/// Calls that belong together and want the same worker; see [`crate::Session`].
#[derive(Debug, Clone)]
pub struct Session {
    session: crate::Session,
    driver: &'static Driver,
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
        self.driver.call(call)
    }

    /// [`crate::Session::execute_stream`], as an iterator.
    pub fn execute_stream<A, R>(&self, tool: &str, args: &A) -> ToolStream<R>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.execute_stream_with(tool, args, CallOptions::new())
    }

    /// [`crate::Session::execute_stream_with`], as an iterator.
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
            stream: self.session.execute_stream_with(tool, args, options),
            driver: self.driver,
        }
    }

    /// [`crate::Session::end`].
    ///
    /// # Errors
    /// Those of [`crate::Session::end`].
    pub fn end(&self) -> Result<(), Error> {
        self.driver.call(self.session.end())
    }
}

/// Starts pools side by side; the first that fails is told at once, and the others are ended.
#[doc(hidden)]
pub fn start_all<const N: usize>(
    pools: [(&'static SpawnSpec, &PoolConfig); N],
    host_tools: HostTools,
) -> Result<[Pool; N], Error> {
    let driver = driver(pools.first().map_or("", |(spec, _)| spec.pool))?;
    let started = driver.call(crate::pool::start_all(pools, host_tools))?;
    Ok(started.map(|pool| Pool { pool, driver }))
}

/// Ends pools side by side.
#[doc(hidden)]
pub fn shutdown_all<const N: usize>(pools: [Pool; N]) {
    if let Some(first) = pools.first() {
        let driver = first.driver;
        driver.call(crate::pool::shutdown_all(pools.map(|pool| pool.pool)));
    }
}
