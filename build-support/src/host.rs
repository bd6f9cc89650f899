//! The world that an environment may look at. What it looks at is recorded by `recorder`.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use crate::diagnostic::Diagnostic;
use crate::manifest::EnvOp;
use crate::probe::{self, Interpreter};
use crate::search_path::SearchPath;
use crate::sysroot::Target;

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
    /// Its standard output, at most 16 MiB.
    pub stdout: Vec<u8>,
    /// Its standard error, at most 16 MiB.
    pub stderr: Vec<u8>,
}

/// The machine as an environment may see it.
///
/// What is read with [`read`](Self::read) belongs to the environment and is compared when the program starts; what is
/// read with [`consult`](Self::consult) only makes Cargo build again.
///
/// ```
/// use std::path::Path;
///
/// use snakepit_build::{Host, Machine};
///
/// /// The settings of the environment, if they say that it is finished.
/// fn settings(folder: &Path, host: &dyn Host) -> Option<Vec<u8>> {
///     host.consult(&folder.join("finished")).ok()?;
///     host.read(&folder.join("settings.cfg")).ok()
/// }
///
/// assert_eq!(settings(Path::new("/nowhere"), &Machine), None);
/// ```
pub trait Host: Sync {
    /// What is at a path, links followed; `None` where there is nothing.
    fn info(&self, path: &Path) -> Option<FileInfo>;

    /// A file's bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// A file's bytes that decide what is built and mean nothing to the program: lock files, a manager's settings.
    /// Cargo builds again when the file changes, and the program does not compare it at start-up.
    ///
    /// # Errors
    /// Those of the file system.
    fn consult(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read(path)
    }

    /// The same for the start of a file, at most so many bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = self.consult(path)?;
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    /// A source of the package itself, by its path on the build machine. Cargo builds again when it changes.
    ///
    /// # Errors
    /// Those of the file system.
    fn source(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.consult(path)
    }

    /// What is at such a path, links followed.
    fn source_info(&self, path: &Path) -> Option<FileInfo> {
        self.info(path)
    }

    /// Whether a file begins with `#!`.
    fn is_script(&self, path: &Path) -> bool;

    /// Whether there is a symbolic link, whatever it points at.
    fn is_link(&self, path: &Path) -> bool;

    /// A path with all links followed.
    ///
    /// # Errors
    /// Those of the file system.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a folder, sorted; empty where there is none.
    fn list(&self, path: &Path) -> Vec<PathBuf>;

    /// An environment variable.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// A program on the search path.
    fn which(&self, name: &str) -> Option<PathBuf>;

    /// Runs a program. One that does not end within its limit is killed, and the answer says so.
    ///
    /// # Errors
    /// It cannot be started.
    fn run(&self, program: &Program<'_>) -> io::Result<Answer>;

    /// Who the interpreter at a path is.
    ///
    /// # Errors
    /// It cannot be run, is too old, ends with a failure, hangs, or prints something else.
    fn interpreter(&self, path: &Path) -> Result<Interpreter, Diagnostic> {
        probe::ask(&Program::new(path, &[], probe::LIMIT), self)
    }

    /// What the program is built for, where this is its root file system and not the build machine: nothing of it can
    /// be run.
    fn target(&self) -> Option<&Target> {
        None
    }

    /// Where a package that is built in a folder will be on the machine that runs it.
    fn package(&self, built: &Path) -> PathBuf {
        built.to_owned()
    }

    /// Where a file is on the build machine.
    fn on_this_machine(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// A program to run, to its end.
///
/// ```no_run
/// use std::time::Duration;
///
/// use snakepit_build::{Host, Machine, Program};
///
/// # fn f() -> Option<()> {
/// let nix = Machine.which("nix")?;
/// let program = Program::new(&nix, &["--version"], Duration::from_secs(10));
/// let answer = Machine.run(&program).ok()?;
/// println!("{}: {}", answer.status, String::from_utf8_lossy(&answer.stdout));
/// # Some(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Its arguments.
    pub args: Vec<&'a str>,
    /// Changes to its environment.
    pub env: &'a [EnvOp],
    /// Its working directory, if not the build script's.
    pub cwd: Option<&'a Path>,
    /// Its standard input.
    pub input: &'a [u8],
    /// The time that it may take; one that goes beyond the clock's range is no limit.
    pub limit: Duration,
}

impl<'a> Program<'a> {
    /// A program in the build script's own folder and environment.
    pub fn new(path: &'a Path, args: &[&'a str], limit: Duration) -> Self {
        Self {
            path,
            args: args.to_vec(),
            env: &[],
            cwd: None,
            input: &[],
            limit,
        }
    }

    /// The process, not started yet.
    #[doc(hidden)]
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.path);
        command.args(&self.args);
        for op in self.env {
            match op {
                EnvOp::Set { name, value } => {
                    command.env(name, value);
                }
                EnvOp::Prepend { name, value } => {
                    let rest = env::var_os(name).filter(|rest| !rest.is_empty());
                    let paths = std::iter::once(PathBuf::from(value));
                    let rest = rest.iter().flat_map(env::split_paths);
                    // A path with the separator in it cannot be put into a list: it stands alone.
                    let joined = env::join_paths(paths.chain(rest));
                    command.env(name, joined.unwrap_or_else(|_| value.into()));
                }
                EnvOp::Unset { name } => {
                    command.env_remove(name);
                }
            }
        }
        if let Some(cwd) = self.cwd {
            command.current_dir(cwd);
        }
        command
    }
}

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
