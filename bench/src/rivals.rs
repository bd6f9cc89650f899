//! Other ways to have Python answer, which the pool is compared with; see `python/rivals.py`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/rivals.py");

/// One of them, with one process that answers.
#[derive(Debug)]
pub(crate) struct Rival {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    kind: &'static str,
    python: PathBuf,
}

/// What one run of a rival came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Bytes that the process which answers holds.
    pub(crate) resident: f64,
}

impl Rival {
    /// Python's `ProcessPoolExecutor`.
    pub(crate) fn executor(python: &str) -> Self {
        Self::new("`ProcessPoolExecutor`", "executor", python)
    }

    /// Python's `multiprocessing.Pool`.
    pub(crate) fn multiprocessing(python: &str) -> Self {
        Self::new("`multiprocessing.Pool`", "pool", python)
    }

    /// A server and a client of the package `grpcio`, over a Unix socket.
    ///
    /// # Errors
    /// The package cannot be had.
    pub(crate) fn grpc() -> Result<Self, String> {
        let bin = snakepit_test_tools::install("grpcio")?;
        let python = bin.join("python");
        Ok(Self::new("gRPC in Python", "grpc", python))
    }

    fn new(name: &'static str, kind: &'static str, python: impl Into<PathBuf>) -> Self {
        Self {
            name,
            kind,
            python: python.into(),
        }
    }

    /// Makes so many requests; `size` is the length of a text, 0 a small object.
    pub(crate) fn run(&self, requests: usize, in_flight: usize, size: usize) -> Run {
        let output = Command::new(&self.python)
            .args([SCRIPT, self.kind])
            .args([requests, in_flight, size].map(|number| number.to_string()))
            .stderr(Stdio::inherit())
            .output()
            .expect("the interpreter starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text
            .split(' ')
            .filter_map(|word| word.trim().parse().ok())
            .collect();
        let [rate, kilobytes] = numbers[..] else {
            panic!("{} printed `{text}`, wanted are two numbers", self.kind);
        };
        Run {
            rate,
            resident: kilobytes * 1024.0,
        }
    }
}
