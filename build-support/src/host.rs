//! The world that an environment may look at. Every fact that is read is recorded, and from the record come
//! Cargo's `rerun-if-changed` lines: nobody writes that list by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

/// What is at a path, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Whether somebody may execute it.
    pub is_executable: bool,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

/// What a program said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whether it ended with success.
    pub success: bool,
    /// How it ended, in words.
    pub status: String,
    /// Its standard output, at most 1 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error, at most 1 MiB.
    pub stderr: Vec<u8>,
}

/// The machine as an environment may see it.
pub trait Host: Sync {
    /// What is at a path, links followed; `None` where there is nothing.
    fn info(&self, path: &Path) -> Option<FileInfo>;

    /// A file's bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names in a folder, sorted; empty where there is none.
    fn list(&self, path: &Path) -> Vec<PathBuf>;

    /// An environment variable.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// A program on the search path.
    fn which(&self, name: &str) -> Option<PathBuf>;

    /// Runs a program with empty standard input.
    ///
    /// # Errors
    /// It cannot be started, or it does not end within `limit` and was killed.
    fn run(&self, program: &Path, args: &[&str], limit: Duration) -> io::Result<Answer>;
}

/// The build machine itself; it records what was looked at.
#[derive(Debug, Default)]
pub struct Machine {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    files: BTreeMap<PathBuf, bool>,
    variables: BTreeSet<String>,
}

impl Machine {
    /// The machine, nothing looked at yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The files that were there when looked at (`true`), or were missing (`false`).
    pub fn files(&self) -> BTreeMap<PathBuf, bool> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .files
            .clone()
    }

    /// The environment variables that were asked for.
    pub fn variables(&self) -> BTreeSet<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .variables
            .clone()
    }

    fn record(&self, path: &Path, there: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.files.insert(path.to_owned(), there);
    }
}

impl Host for Machine {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        let metadata = fs::metadata(path).ok();
        // A folder is not recorded as present: Cargo would watch everything below it.
        if !metadata.as_ref().is_some_and(fs::Metadata::is_dir) {
            self.record(path, metadata.is_some());
        }
        metadata.map(|metadata| FileInfo {
            is_dir: metadata.is_dir(),
            is_executable: is_executable(&metadata),
            len: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = fs::read(path);
        self.record(path, bytes.is_ok());
        bytes
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(path) else {
            return Vec::new();
        };
        let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        names.sort();
        names
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.variables.insert(name.to_owned());
        env::var_os(name).filter(|value| !value.is_empty())
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        which::which(name).ok()
    }

    fn run(&self, program: &Path, args: &[&str], limit: Duration) -> io::Result<Answer> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let end = Instant::now() + limit;
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if Instant::now() >= end {
                child.kill()?;
                child.wait()?;
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("did not end within {} s", limit.as_secs()),
                ));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        // A grandchild may hold the pipes open: what has arrived by the end of the limit is what counts.
        Ok(Answer {
            success: status.success(),
            status: status.to_string(),
            stdout: stdout
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap_or_default(),
            stderr: stderr
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap_or_default(),
        })
    }
}

/// Reads a pipe to its end on a thread of its own: keeps 1 MiB, and goes on reading so that nobody blocks.
fn drain(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that fails to be read ends what is kept; the status tells the rest.
            let _ = pipe.by_ref().take(1 << 20).read_to_end(&mut kept);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = sender.send(kept);
    });
    receiver
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.is_file()
}
