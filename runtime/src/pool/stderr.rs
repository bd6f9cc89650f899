//! What a worker writes to stderr: each line becomes a `tracing` event, the last ones are kept for errors.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;

/// Lines that are kept.
const LINES: usize = 20;

/// Longest line that is kept and logged, in bytes; the rest of it makes further lines.
const WIDTH: usize = 4096;

/// The last lines of one worker.
#[derive(Debug)]
pub(crate) struct LastLines {
    lines: Arc<Mutex<VecDeque<String>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl LastLines {
    /// Reads until the end, on a task of its own: a worker never waits for a full pipe.
    pub(crate) fn follow(stderr: Option<ChildStderr>, pool: &'static str, worker: u32) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let task = stderr.map(|stderr| tokio::spawn(follow(stderr, lines.clone(), pool, worker)));
        Self {
            lines,
            task: Mutex::new(task),
        }
    }

    /// The last lines of a worker that has ended. A grandchild may hold the pipe open: it is waited for only briefly.
    pub(crate) async fn last_words(&self) -> String {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            let _ = tokio::time::timeout(Duration::from_millis(100), task).await;
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

async fn follow(
    mut stderr: ChildStderr,
    lines: Arc<Mutex<VecDeque<String>>>,
    pool: &'static str,
    worker: u32,
) {
    let keep = |line: &[u8]| {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        tracing::info!(target: "snakepit::worker", pool, worker, "{line}");
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    };
    let mut pending = Vec::with_capacity(WIDTH);
    while let Ok(count) = stderr.read_buf(&mut pending).await {
        let end = count == 0;
        let mut start = 0;
        while let Some(length) = pending[start..].iter().position(|byte| *byte == b'\n') {
            keep(&pending[start..start + length]);
            start += length + 1;
        }
        pending.drain(..start);
        if !pending.is_empty() && (end || pending.len() >= WIDTH) {
            keep(&pending);
            pending.clear();
        }
        if end {
            return;
        }
    }
}
