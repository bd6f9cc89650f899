//! The world that an environment may look at; `machine` is the real one. What it looks at is recorded by `recorder`.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::diagnostic::Diagnostic;
use crate::manifest::EnvOp;
use crate::probe::{self, Interpreter};
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

    /// The paths of what is in a folder, sorted; empty where there is none.
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
