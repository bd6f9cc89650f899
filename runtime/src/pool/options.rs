//! What a single call may ask for.

use std::time::Duration;

/// What one call wants otherwise than its pool.
///
/// ```
/// use snakepit::CallOptions;
/// use std::time::Duration;
///
/// let options = CallOptions::new()
///     .time_limit(Duration::from_secs(120))
///     .idempotent();
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct CallOptions {
    pub(crate) time_limit: Option<Duration>,
    pub(crate) idempotent: bool,
}

impl CallOptions {
    /// The pool's own time limit, and no second try.
    pub fn new() -> Self {
        Self::default()
    }

    /// Longest time from the call to its reply, waiting included, instead of the pool's `execute_timeout`. Of a stream
    /// it is the longest time that its reader waits for the next item.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// The tool may run twice without harm: if its worker ends while it runs, it is run again in another one, at most
    /// twice; a stream only as long as none of its items has come. Without this, such a call fails with [`Error::WorkerCrashed`](crate::Error::WorkerCrashed).
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}
