//! Why a task could not be done at all. What is wrong with a pool is no failure, but part of the answer.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap_cargo::style::ERROR;

/// Why a task could not be done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is nothing to do it with: wrong arguments, no package. Exit status 2.
    Usage(String),
    /// It went wrong. Exit status 1.
    Failed(String),
    /// Nobody reads what is printed any more, which is nobody's fault.
    NotRead,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// Of the system: what was attempted, with the path that it was attempted on.
    pub(crate) fn of(attempt: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{attempt}: {error}"))
    }

    /// Of writing to standard output.
    pub(crate) fn of_output(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::NotRead,
            _ => Self::of("standard output cannot be written")(error),
        }
    }

    /// Says it, and gives the exit status.
    pub(crate) fn tell(self) -> ExitCode {
        let (text, status) = match self {
            Self::Usage(text) => (text, 2),
            Self::Failed(text) => (text, 1),
            Self::NotRead => return ExitCode::SUCCESS,
        };
        anstream::eprintln!("{ERROR}error{ERROR:#}: {text}");
        ExitCode::from(status)
    }
}
