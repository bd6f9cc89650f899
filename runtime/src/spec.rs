//! The constants that the macro writes: what to start, and what must still be true for it. No async here.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::process::Command;
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::supervision::Supervision;
use crate::tool::Tool;

/// One pool's Python, found and checked by the build, frozen as a constant.
#[derive(Debug)]
pub struct SpawnSpec {
    /// The pool's name: the field's.
    pub pool: &'static str,
    /// The program to start: an absolute path.
    pub command: &'static str,
    /// Its arguments, before those of the worker.
    pub args: &'static [&'static str],
    /// What activation would have done to the environment.
    pub env: &'static [EnvOp],
    /// The working directory, where the environment demands one.
    pub cwd: Option<&'static str>,
    /// What the build learned about the interpreter.
    pub metadata: Metadata,
    /// Facts that must still hold at start-up.
    pub checks: &'static [Check],
    /// The user's Python module, if one was declared: `module`, or `module:Class`.
    pub adapter: Option<&'static str>,
    /// The adapter's source, where it travels in the program: `adapter = embed("...")`.
    pub embedded: Option<Embedded>,
    /// The adapter's tools, as far as its source shows them; in the order of the source.
    ///
    /// The build reads the source and does not run it: it lists the functions marked with `@tool` of
    /// `snakepit_bridge`, else all public ones of the module, also those in an `if` or `try`; of a class its methods and
    /// those of its bases in the same module. A function with other decorators counts as it is written. Not listed is
    /// what only running the module would tell: functions made by an assignment, a star import or `__getattr__`, a
    /// class that is imported from elsewhere, and those of an adapter without Python source.
    ///
    /// ```
    /// # fn f(spec: &'static snakepit::SpawnSpec) {
    /// for tool in spec.tools {
    ///     println!("{tool}: {}", tool.doc.unwrap_or_default()); // `greet(name, mark="!"): Greets by name.`
    /// }
    /// # }
    /// ```
    pub tools: &'static [Tool],
    /// Folders put before `sys.path`.
    pub python_path: &'static [&'static str],
    /// The attribute's values of everything that the operator may change.
    pub defaults: Defaults,
    /// Remembers that the re-check succeeded.
    #[doc(hidden)]
    pub memo: Memo,
}

/// A Python source that was compiled into the program. A worker gets it with its introduction and imports it as the
/// module [`SpawnSpec::adapter`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// Its path as the declaration has it; tracebacks name the module's file `<embedded>/` and this.
    pub path: &'static str,
    /// All of it.
    pub source: &'static str,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The source itself may be megabytes.
        f.debug_struct("Embedded")
            .field("path", &self.path)
            .field("bytes", &self.source.len())
            .finish()
    }
}

/// What the build learned about an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The kind of environment: `system`, `venv`, or a custom one's name.
    pub environment: &'static str,
    /// Why this environment was taken: `declared`, the marker that `auto` found, or `fallback`.
    pub detected_by: &'static str,
    /// `3.13.2`.
    pub python_version: &'static str,
    /// `cpython`, `pypy`, ...
    pub implementation: &'static str,
    /// `sys.prefix`.
    pub prefix: &'static str,
    /// `sys.base_prefix`.
    pub base_prefix: &'static str,
    /// Whether the interpreter was built without a GIL.
    pub free_threading: bool,
    /// Further values, sorted by name. For `auto` also `detected_in`, the folder of the marker, and `detected_why`.
    pub extra: &'static [(&'static str, &'static str)],
}

/// One change to the environment of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOp {
    /// Sets a variable.
    Set(&'static str, &'static str),
    /// Puts a path before a list of paths.
    Prepend(&'static str, &'static str),
    /// Removes a variable.
    Unset(&'static str),
}

/// One fact that the build saw. Sizes and contents are compared, never times, so that a copy of the folder passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A file has this many bytes; links are followed.
    Size {
        /// The file.
        path: &'static str,
        /// Its length.
        bytes: u64,
    },
    /// A small file has exactly this content.
    Content {
        /// The file.
        path: &'static str,
        /// Its text.
        text: &'static str,
    },
}

/// How a worker runs its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// One request at a time in a worker.
    Process,
    /// This many requests at a time in a worker.
    Thread {
        /// Threads of a worker.
        threads: u32,
    },
    /// This many requests at a time in a worker: `async def` tools on one event loop, others in threads beside it.
    Async {
        /// Requests that one worker runs at a time.
        concurrency: u32,
    },
}

/// What the calls of a session do when its worker is busy or has gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Affinity {
    /// They go to another worker, which is the session's worker then. What the first one holds does not come with them.
    #[default]
    Hint,
    /// They wait for it while it is busy; once it has gone, they fail with `SessionWorkerUnavailable`.
    StrictQueue,
    /// They fail with `WorkerBusy` while it is busy; once it has gone, with `SessionWorkerUnavailable`.
    StrictFailFast,
}

/// The attribute's values of everything that the operator may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Workers.
    pub size: u32,
    /// How a worker runs its requests.
    pub profile: Profile,
    /// Longest wait for a worker's ready message.
    pub startup_timeout: Duration,
    /// Longest run of one request.
    pub execute_timeout: Duration,
    /// Longest time that a cancelled tool may take to stop.
    pub cancel_timeout: Duration,
    /// What the calls of a session do when its worker is busy or gone.
    pub affinity: Affinity,
    /// Whether values that cannot be sent are replaced by a marker with their type.
    pub lenient: bool,
    /// Time without a call after which a session ends.
    pub session_timeout: Duration,
    /// Longest wait for a worker to leave.
    pub shutdown_timeout: Duration,
    /// Requests that may wait.
    pub queue_limit: u32,
    /// When workers are replaced, and how they are ended.
    pub supervision: Supervision,
}

/// Remembers that a spec's re-check succeeded.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Memo(OnceCell<()>);

impl Memo {
    /// A memo that remembers nothing yet.
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }
}

/// A fact that the build saw and that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The pool.
    pub pool: &'static str,
    /// The file that changed.
    pub path: &'static str,
    /// What the build saw.
    pub expected: String,
    /// What it does now, in words that follow "it".
    pub found: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pool `{}`: the Python environment changed after the build: `{}` was {}, now it {}; \
             restore the environment, or build again: `touch build.rs && cargo build`",
            self.pool, self.path, self.expected, self.found
        )
    }
}

impl std::error::Error for Drift {}

impl SpawnSpec {
    /// Proves with a few system calls that what the build saw still holds; a success is remembered.
    ///
    /// ```
    /// # fn f(spec: &'static snakepit::SpawnSpec) {
    /// if let Err(drift) = spec.recheck() {
    ///     eprintln!("{drift}"); // the file, what the build saw, what is there now, and what to do
    /// }
    /// # }
    /// ```
    ///
    /// `SNAKEPIT_RECHECK=off` skips it, for an operator who knows better.
    ///
    /// # Errors
    /// [`Drift`] names the first fact that changed, what the build saw and what is there now.
    pub fn recheck(&self) -> Result<(), Drift> {
        self.memo
            .0
            .get_or_try_init(|| {
                if std::env::var_os("SNAKEPIT_RECHECK").is_some_and(|level| level == "off") {
                    return Ok(());
                }
                self.checks
                    .iter()
                    .try_for_each(|check| check.hold(self.pool))
            })
            .copied()
    }

    /// The command of this spec, re-checked, with the environment's variables set and nothing else changed.
    ///
    /// ```
    /// # fn f(spec: &'static snakepit::SpawnSpec) -> Result<(), Box<dyn std::error::Error>> {
    /// let output = spec.command()?.args(["-c", "print('hello')"]).output()?;
    /// assert_eq!(output.stdout, b"hello\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Drift`], as of [`SpawnSpec::recheck`].
    pub fn command(&self) -> Result<Command, Drift> {
        self.recheck()?;
        let mut command = Command::new(self.command);
        command.args(self.args);
        for op in self.env {
            match *op {
                EnvOp::Set(name, value) => {
                    command.env(name, value);
                }
                EnvOp::Prepend(name, path) => {
                    let mut value = std::ffi::OsString::from(path);
                    if let Some(rest) = std::env::var_os(name).filter(|rest| !rest.is_empty()) {
                        value.push(if cfg!(windows) { ";" } else { ":" });
                        value.push(rest);
                    }
                    command.env(name, value);
                }
                EnvOp::Unset(name) => {
                    command.env_remove(name);
                }
            }
        }
        if let Some(cwd) = self.cwd {
            command.current_dir(cwd);
        }
        Ok(command)
    }
}

impl Check {
    fn hold(&self, pool: &'static str) -> Result<(), Drift> {
        let drift = |path, expected: String, found: String| Drift {
            pool,
            path,
            expected,
            found,
        };
        match *self {
            Self::Size { path, bytes } => match fs::metadata(path) {
                Ok(now) if now.len() == bytes => Ok(()),
                Ok(now) => Err(drift(
                    path,
                    format!("{bytes} bytes long"),
                    format!("has {} bytes", now.len()),
                )),
                Err(error) => Err(drift(path, "there".to_owned(), gone(&error))),
            },
            Self::Content { path, text } => match read_at_most(path, text.len() + 1) {
                Ok(found) if found == text.as_bytes() => Ok(()),
                Ok(found) => {
                    let found = String::from_utf8_lossy(&found);
                    let (before, now) = first_difference(text, &found);
                    Err(drift(path, before, now))
                }
                Err(error) => Err(drift(path, "there".to_owned(), gone(&error))),
            },
        }
    }
}

/// A file's bytes, or as many as are asked for: a grown file is seen, a huge one is not swallowed. The common case is
/// one system call between open and close: a short read is the end of a regular file.
fn read_at_most(path: &str, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut file = fs::File::open(path)?;
    let mut length = 0;
    while length < most {
        match file.read(&mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
        if length + 1 == most {
            break;
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn gone(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is gone".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The first line that is not the same, as it was and as it is.
fn first_difference(before: &str, now: &str) -> (String, String) {
    let mut now = now.lines();
    let before = before.lines().map(Some).chain([None]);
    for line in before {
        let other = now.next();
        if other != line {
            let old = line.map_or_else(|| "at its end".to_owned(), |line| format!("`{line}`"));
            let new = other.map_or_else(|| "ends".to_owned(), |line| format!("says `{line}`"));
            return (old, new);
        }
    }
    (
        "as it was".to_owned(),
        "differs in its line ends".to_owned(),
    )
}
