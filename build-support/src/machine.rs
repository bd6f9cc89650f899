//! The build machine itself: its files, and programs that are run to their end, but not for ever.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::host::{Answer, FileInfo, Host, Program};
use crate::search_path::SearchPath;

/// The longest file that is read whole, in bytes: a lock file of thousands of packages has a few millions.
const MOST_READ: u64 = 64 << 20;

/// The build machine itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Host for Machine {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        let metadata = fs::metadata(path).ok()?;
        Some(FileInfo {
            is_dir: metadata.is_dir(),
            is_executable: is_executable(&metadata),
            len: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.consult_start(path, MOST_READ + 1)?;
        if bytes.len() as u64 > MOST_READ {
            let why = format!("it has more than {} MiB", MOST_READ >> 20);
            return Err(io::Error::new(ErrorKind::FileTooLarge, why));
        }
        Ok(bytes)
    }

    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        if is_pipe(&fs::metadata(path)?) {
            let why = "it is a pipe, from which nothing may ever come";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn is_script(&self, path: &Path) -> bool {
        let mut start = [0; 2];
        fs::File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok_and(|()| start == *b"#!")
    }

    fn is_link(&self, path: &Path) -> bool {
        path.is_symlink()
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
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
        env::var_os(name).filter(|value| !value.is_empty())
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        SearchPath::find(name)
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        let limit = program.limit;
        let mut child = program
            .command()
            .stdin(if program.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = program.input.to_vec();
            // A program that does not read to the end has ended, or is killed at its limit.
            thread::spawn(move || stdin.write_all(&input));
        }
        let stdout = Drain::start(child.stdout.take());
        let stderr = Drain::start(child.stderr.take());
        let end = Instant::now().checked_add(limit);
        let mut pause = Duration::from_millis(1);
        let mut is_open = true;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                child.kill()?;
                child.wait()?;
                break None;
            }
            // Most programs close their output only by ending: that is noticed at once, and no pause is waited out.
            if is_open && stdout.ends_within(pause) {
                is_open = false;
                pause = Duration::from_micros(100);
            } else {
                if !is_open {
                    thread::sleep(pause);
                }
                pause = (pause * 2).min(Duration::from_millis(10));
            }
        };
        Ok(Answer {
            success: status.is_some_and(|status| status.success()),
            status: status.map_or_else(
                || format!("it did not end within {} s", limit.as_secs()),
                |status| status.to_string(),
            ),
            stdout: stdout.finish(end),
            stderr: stderr.finish(end),
        })
    }
}

/// What is kept of a program's output: the tools of an adapter of some megabytes have room.
const MOST_OUTPUT: usize = 16 << 20;

/// Reads a pipe to its end on a thread of its own: keeps 16 MiB, and goes on reading so that nobody blocks.
struct Drain {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

impl Drain {
    fn start(pipe: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (sender, ended) = mpsc::channel();
        let shared = Arc::clone(&kept);
        thread::spawn(move || {
            if let Some(mut pipe) = pipe {
                let mut chunk = [0; 4096];
                // A pipe that fails to be read ends what is kept; the status tells the rest.
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = MOST_OUTPUT - kept.len();
                    kept.extend_from_slice(&chunk[..length.min(room)]);
                }
            }
            let _ = sender.send(());
        });
        Self { kept, ended }
    }

    /// Whether the pipe ends within a time.
    fn ends_within(&self, limit: Duration) -> bool {
        let ended = self.ended.recv_timeout(limit);
        !matches!(ended, Err(RecvTimeoutError::Timeout))
    }

    /// A grandchild may hold the pipe open: what has arrived by then is what counts.
    fn finish(self, end: Option<Instant>) -> Vec<u8> {
        match end {
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now());
                let _ = self.ended.recv_timeout(left.max(Duration::from_millis(50)));
            }
            None => _ = self.ended.recv(),
        }
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(unix)]
pub(crate) fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
pub(crate) fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_limit_beyond_the_clock_is_none() {
        let program = Program::new(Path::new("/bin/sh"), &["-c", "echo a"], Duration::MAX);
        let answer = Machine.run(&program).unwrap();
        assert_eq!((answer.success, &*answer.stdout), (true, &b"a\n"[..]));
    }
}
