//! How a pool is.

use super::error::PythonException;

/// How a pool is; see [`Pool::health`](super::Pool::health).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Every worker is there, or is being replaced.
    Healthy,
    /// Some workers failed more often than `max_restarts` within `restart_window`, and are tried only every
    /// `max_restart_delay`. The others go on; without others, calls fail at once with
    /// [`Error::Degraded`](crate::Error::Degraded). A worker that starts and answers, or stays, ends it.
    #[non_exhaustive]
    Degraded {
        /// How many workers.
        workers: usize,
        /// Why the last one failed: an exception at its start, a time limit, or how the process ended.
        reason: String,
        /// The exception, where there was one.
        exception: Option<Box<PythonException>>,
        /// The last lines that it wrote to stderr.
        stderr: String,
    },
    /// It takes no more requests.
    ShutDown,
}
