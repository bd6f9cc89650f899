//! Other ways to have Python answer, which the pool is compared with; see `python/rivals.py`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::SMALL;
use crate::footprint::memory;
use crate::grpc::Server;

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/rivals.py");

/// The one that is called from here.
const GRPC: &str = "grpc";

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

    /// A server in Python of the package `grpcio`, called with tonic.
    ///
    /// # Errors
    /// The package cannot be had.
    pub(crate) fn grpc() -> Result<Self, String> {
        let bin = snakepit_test_tools::install("grpcio")?;
        let python = bin.join("python");
        Ok(Self::new("gRPC, tonic to Python", GRPC, python))
    }

    /// Its server alone, if it is one.
    pub(crate) fn server(&self) -> Option<Server> {
        (self.kind == GRPC).then(|| Server::start(&self.python))
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
        if let Some(server) = self.server() {
            let value = match size {
                0 => serde_json::from_str(SMALL).expect("it is JSON"),
                size => Value::String("x".repeat(size)),
            };
            server.echo(&value, 10, 1);
            return Run {
                rate: 1.0 / server.echo(&value, requests, in_flight),
                resident: memory(server.id().into(), "Rss:"),
            };
        }
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
