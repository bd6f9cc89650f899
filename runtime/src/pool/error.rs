//! The one error of the pool: every call ends with its answer or with one of these.

use std::fmt;
use std::io;
use std::time::Duration;

use super::told::Told;
use crate::SpawnSpec;
use crate::recheck::{Drift, SpecError};

/// What an exception in Python says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonException {
    /// `ValueError`, or `module.Name` for types that are not built in.
    pub type_name: String,
    /// What `str()` makes of it.
    pub message: String,
    /// The whole traceback, as Python prints it.
    pub traceback: String,
}

/// Why a worker was not ready.
#[derive(Debug)]
pub(crate) struct FailedStart {
    /// `import`, or the method of an adapter that is a class.
    kind: String,
    pub(crate) exception: PythonException,
}

impl FailedStart {
    /// What the worker tells of it.
    pub(crate) fn read(mut told: Told) -> serde_json::Result<Self> {
        Ok(Self {
            kind: told.take("kind")?,
            exception: PythonException::of(told)?,
        })
    }

    /// What it means in a worker that has an adapter; `closed` tells of each folder in which Python could not look.
    pub(crate) fn of(&self, adapter: &str, closed: &[String]) -> String {
        let exception = self.exception.with_place();
        match self.kind.as_str() {
            "import" => {
                let closed: String = closed.iter().map(|why| format!("; {why}")).collect();
                format!("adapter `{adapter}` was not imported: {exception}{closed}")
            }
            method => format!("`{method}` of the adapter `{adapter}` failed: {exception}"),
        }
    }
}

impl PythonException {
    /// What a worker tells of one.
    pub(crate) fn of(mut told: Told) -> serde_json::Result<Self> {
        Ok(Self {
            type_name: told.take("type")?,
            message: told.take("message")?,
            traceback: told.take("traceback")?,
        })
    }

    /// It, and the last place in the traceback.
    fn with_place(&self) -> String {
        let mut places = self.traceback.lines().filter_map(|line| {
            let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once('"')?;
            let number = rest.strip_prefix(", line ")?;
            let number = number.split(',').next()?;
            // Python's own import system is no place to look at.
            (!file.starts_with("<frozen ")).then_some((file, number))
        });
        let place = places.next_back();
        let place = place.map_or_else(String::new, |(file, line)| {
            format!(" (`{file}`, line {line})")
        });
        format!("{self}{place}")
    }
}

impl fmt::Display for PythonException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.type_name, self.message)
    }
}

/// Why a pool could not be started, or a call not be answered.
///
/// Its `Debug` is for people too, since that is what a `main` that returns it prints: the message, and the traceback
/// where there is one.
#[non_exhaustive]
pub enum Error {
    /// The environment is no longer what the build saw.
    Drift(Drift),
    /// `SNAKEPIT_RECHECK` says something that is no level, or the anchor's folder is not told.
    Spec(SpecError),
    /// The operator's values or the program's host tools make no pool, or it is started where none can run.
    Config {
        /// The pool.
        pool: &'static str,
        /// What is wrong with them.
        message: String,
    },
    /// The interpreter could not be started.
    Spawn {
        /// The pool.
        pool: &'static str,
        /// The program.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// A worker did not become ready.
    Startup {
        /// The pool.
        pool: &'static str,
        /// An exception while the adapter was imported, the time limit, or how the process ended.
        reason: String,
        /// The exception, where there was one.
        exception: Option<Box<PythonException>>,
        /// The last lines that the worker wrote to stderr.
        stderr: String,
    },
    /// The tool raised an exception.
    Python {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// What it raised.
        exception: PythonException,
    },
    /// No tool has this name.
    UnknownTool {
        /// The pool.
        pool: &'static str,
        /// The name that was asked for.
        tool: String,
        /// The tools that are there, sorted.
        known: Vec<String>,
    },
    /// No answer came within the time limit. A tool that was running was told to stop, or ended with its worker.
    TimedOut {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// The limit, from the call on.
        limit: Duration,
    },
    /// The worker ended while it had this request; whether the tool had an effect is not known.
    WorkerCrashed {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// The exit status, the signal, or what it did.
        status: String,
        /// The last lines that it wrote to stderr.
        stderr: String,
    },
    /// The tool gives a stream of values, and was called for one.
    IsStream {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
    },
    /// The tool was called for a stream of values, and gives none.
    NoStream {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// The Python type of what it returned.
        found: String,
    },
    /// The worker of the session is busy, and its affinity is not to wait for it.
    WorkerBusy {
        /// The pool.
        pool: &'static str,
        /// The session.
        session: String,
    },
    /// The worker of the session has gone, with all that it held of the session, and its affinity is to have no other.
    /// It is so until the session is ended, and begins anew.
    SessionWorkerUnavailable {
        /// The pool.
        pool: &'static str,
        /// The session.
        session: String,
    },
    /// No worker is to be had: each failed more often than `max_restarts` within `restart_window`. They are tried again
    /// every `max_restart_delay`, and calls are taken as soon as one is ready.
    Degraded {
        /// The pool.
        pool: &'static str,
        /// Why the last one failed: an exception at its start, a time limit, or how the process ended.
        reason: String,
        /// The exception, where there was one.
        exception: Option<Box<PythonException>>,
        /// The last lines that it wrote to stderr.
        stderr: String,
    },
    /// As many requests wait as may wait.
    QueueFull {
        /// The pool.
        pool: &'static str,
        /// The limit.
        limit: u32,
    },
    /// The arguments, or what the tool returned, have no JSON form.
    Encoding {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// What has none.
        message: String,
    },
    /// The answer came, and cannot be read as the wanted type.
    Decoding {
        /// The pool.
        pool: &'static str,
        /// The tool.
        tool: String,
        /// What is wrong with it.
        message: String,
    },
    /// The pool was shut down before the answer came.
    ShutDown {
        /// The pool.
        pool: &'static str,
    },
}

impl Error {
    /// A worker of this spec cannot be started.
    pub(crate) fn spawn(spec: &SpawnSpec, source: io::Error) -> Self {
        Self::Spawn {
            pool: spec.pool,
            command: spec.placed(spec.command).unwrap_or_default().into_owned(),
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drift(drift) => drift.fmt(f),
            Self::Spec(error) => error.fmt(f),
            Self::Config { pool, message } => write!(f, "pool `{pool}`: {message}"),
            Self::Spawn {
                pool,
                command,
                source,
            } => write!(f, "pool `{pool}`: `{command}` cannot be started: {source}"),
            Self::Startup {
                pool,
                reason,
                stderr,
                ..
            } => {
                write!(f, "pool `{pool}`: a worker did not become ready: {reason}")?;
                last_words(f, stderr)
            }
            Self::Python {
                pool,
                tool,
                exception,
            } => write!(f, "pool `{pool}`: tool `{tool}` raised {exception}"),
            Self::UnknownTool { pool, tool, known } => {
                let known = known.join(", ");
                write!(f, "pool `{pool}`: no tool `{tool}`; there are {known}")
            }
            Self::TimedOut { pool, tool, limit } => write!(
                f,
                "pool `{pool}`: tool `{tool}` gave no answer within {limit:?} (`execute_timeout`, or the call's own limit)"
            ),
            Self::WorkerCrashed {
                pool,
                tool,
                status,
                stderr,
            } => {
                write!(
                    f,
                    "pool `{pool}`: the worker ended while it ran `{tool}`: {status}"
                )?;
                last_words(f, stderr)
            }
            Self::IsStream { pool, tool } => write!(
                f,
                "pool `{pool}`: tool `{tool}` gives a stream: call it with `execute_stream`"
            ),
            Self::NoStream { pool, tool, found } => write!(
                f,
                "pool `{pool}`: tool `{tool}` gives no stream but a `{found}`: call it with `execute`, or let it `yield`"
            ),
            Self::WorkerBusy { pool, session } => {
                write!(
                    f,
                    "pool `{pool}`: the worker of session `{session}` is busy; with the affinity `strict_queue` calls wait for it"
                )
            }
            Self::SessionWorkerUnavailable { pool, session } => write!(
                f,
                "pool `{pool}`: the worker of session `{session}` has gone: end the session to begin it anew"
            ),
            Self::Degraded {
                pool,
                reason,
                stderr,
                ..
            } => {
                write!(
                    f,
                    "pool `{pool}` has no worker, since each failed too often and is tried only now and then: {reason}"
                )?;
                last_words(f, stderr)
            }
            Self::QueueFull { pool, limit } => {
                write!(
                    f,
                    "pool `{pool}`: {limit} requests wait already (`queue_limit`); try again later, or raise `size`"
                )
            }
            Self::Encoding {
                pool,
                tool,
                message,
            } => write!(f, "pool `{pool}`: tool `{tool}`: {message}"),
            Self::Decoding {
                pool,
                tool,
                message,
            } => write!(
                f,
                "pool `{pool}`: the answer of `{tool}` cannot be read as the wanted type: {message}"
            ),
            Self::ShutDown { pool } => write!(f, "pool `{pool}` is shut down"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Drift(drift) => drift.source(),
            Self::Spec(error) => error.source(),
            Self::Spawn { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<SpecError> for Error {
    fn from(error: SpecError) -> Self {
        match error {
            SpecError::Drift(drift) => Self::Drift(drift),
            other => Self::Spec(other),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let exception = match self {
            Self::Python { exception, .. } => Some(exception),
            Self::Startup { exception, .. } | Self::Degraded { exception, .. } => {
                exception.as_deref()
            }
            _ => None,
        };
        match exception {
            Some(exception) => write!(f, "\n\n{}", exception.traceback.trim_end()),
            None => Ok(()),
        }
    }
}

/// The worker's own words under a message.
fn last_words(f: &mut fmt::Formatter<'_>, stderr: &str) -> fmt::Result {
    let mut lines = stderr.lines();
    lines.try_for_each(|line| write!(f, "\n  | {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_that_is_not_imported_is_named_with_the_last_place_of_the_users_own_code() {
        let failed = |traceback: &str| FailedStart {
            kind: "import".to_owned(),
            exception: PythonException {
                type_name: "ModuleNotFoundError".to_owned(),
                message: "No module named 'numpy'".to_owned(),
                traceback: traceback.to_owned(),
            },
        };
        let said =
            "adapter `imports` was not imported: ModuleNotFoundError: No module named 'numpy'";
        let traceback = "Traceback (most recent call last):\n  \
                         File \"<snakepit>/bridge.py\", line 263, in adopt\n    import_module(name)\n  \
                         File \"/app/python/imports.py\", line 7, in <module>\n    import numpy\n  \
                         File \"<frozen importlib._bootstrap>\", line 1142, in _find\n";
        assert_eq!(
            failed(traceback).of("imports", &[]),
            format!("{said} (`/app/python/imports.py`, line 7)")
        );
        assert_eq!(failed("").of("imports", &[]), said);
    }
}
