//! The start of a pool, with what it is given beside its spec and the operator's values.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};

use super::dispatch::{Dispatch, Limits};
use super::segment::Segments;
use super::stats::Tally;
use super::{Error, HostTools, LastHandle, Phase, Pool, Shared, drivers, joined, supervision};
use crate::PoolConfig;
use crate::recheck::Recheck;
use crate::spec::{Profile, SpawnSpec};

/// Most workers of a pool.
const MOST_WORKERS: u32 = 1024;

/// A pool that is about to be started; see [`Pool::builder`].
#[derive(Debug, Clone)]
#[must_use = "`start` starts the pool"]
pub struct PoolBuilder {
    spec: &'static SpawnSpec,
    host_tools: HostTools,
}

impl PoolBuilder {
    pub(super) fn new(spec: &'static SpawnSpec) -> Self {
        Self {
            spec,
            host_tools: HostTools::new(),
        }
    }

    pub(crate) fn spec(&self) -> &'static SpawnSpec {
        self.spec
    }

    /// Adds a function of the program that the pool's Python may call; see [`HostTools::tool`].
    pub fn host_tool<A, R, E, F>(
        mut self,
        name: impl Into<String>,
        function: impl Fn(A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: fmt::Display,
        F: Future<Output = Result<R, E>> + Send + 'static,
    {
        self.host_tools = self.host_tools.tool(name, function);
        self
    }

    /// All functions of the program that the pool's Python may call, instead of those that were given before.
    pub fn host_tools(mut self, tools: HostTools) -> Self {
        self.host_tools = tools;
        self
    }

    /// Re-checks the environment, starts all workers side by side and waits until they are ready.
    ///
    /// It must be called inside a Tokio runtime with its I/O and time drivers enabled.
    ///
    /// # Errors
    /// [`Error::Drift`], [`Error::Spec`], [`Error::Config`], [`Error::Spawn`] or [`Error::Startup`]; workers that did start are ended.
    pub async fn start(self, config: &PoolConfig) -> Result<Pool, Error> {
        let spec = self.spec;
        let defaults = &spec.defaults;
        let size = config.size.unwrap_or(defaults.size);
        let wrong = |message: String| {
            Err(Error::Config {
                pool: spec.pool,
                message,
            })
        };
        if size == 0 || size > MOST_WORKERS {
            return wrong(format!("`size` is {size}, wanted is 1 to {MOST_WORKERS}"));
        }
        if let Some(fault) = self.host_tools.fault() {
            return wrong(fault.to_owned());
        }
        drivers::demand(spec.pool)?;
        match Recheck::chosen()? {
            Recheck::Thorough => {
                // It waits for an interpreter.
                joined(tokio::task::spawn_blocking(|| spec.recheck()).await).await?;
            }
            Recheck::Quick | Recheck::Off => spec.recheck()?,
        }
        let room = match defaults.profile {
            Profile::Process => 1,
            Profile::Thread { threads } => threads.max(1),
            Profile::Async { concurrency } => concurrency.max(1),
        };
        let cancel_timeout = config.cancel_timeout.unwrap_or(defaults.cancel_timeout);
        let queue_limit = config.queue_limit.unwrap_or(defaults.queue_limit);
        let shared = Arc::new(Shared {
            spec,
            runtime: Handle::current(),
            host_tools: self.host_tools,
            room,
            startup_timeout: config.startup_timeout.unwrap_or(defaults.startup_timeout),
            execute_timeout: config.execute_timeout.unwrap_or(defaults.execute_timeout),
            cancel_timeout,
            shutdown_timeout: config.shutdown_timeout.unwrap_or(defaults.shutdown_timeout),
            queue_limit,
            supervision: defaults.supervision.with(config),
            dispatch: Mutex::new(Dispatch::new(Limits {
                size: size as usize,
                room: room as usize,
                queue: queue_limit as usize,
                cancel: cancel_timeout,
                session: config.session_timeout.unwrap_or(defaults.session_timeout),
            })),
            tally: Tally::default(),
            tools: Mutex::default(),
            tickets: AtomicU32::new(0),
            shares: AtomicBool::new(false),
            segments: Segments::default(),
            phase: watch::Sender::new(Phase::Running),
            settled: Notify::new(),
            living: watch::Sender::new(()),
        });
        let pool = Pool {
            handle: Arc::new(LastHandle(shared.clone())),
        };
        let (sender, mut firsts) = mpsc::unbounded_channel();
        for seat in 0..size as usize {
            tokio::spawn(supervision::keep_seat(shared.clone(), seat, sender.clone()));
        }
        drop(sender);
        for _ in 0..size {
            // One seat keeps no other from telling that it failed. A sender that is gone went with its runtime.
            let first = firsts.recv().await;
            first.unwrap_or(Err(Error::ShutDown { pool: spec.pool }))?;
        }
        #[cfg(feature = "metrics")]
        tokio::spawn(super::metrics::publish(shared));
        Ok(pool)
    }
}
