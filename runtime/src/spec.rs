//! The constants that the macro writes: what to start, and what must still be true for it. No async here.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::process::Command;
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::anchor::Anchor;
use crate::recheck::{Recheck, SpecError};
use crate::supervision::Supervision;
use crate::tool::Tool;

/// One pool's Python, found and checked by the build, frozen as a constant.
///
/// Where the struct has an `anchor`, paths below its folder stand as `{anchor}/...`: [`SpawnSpec::command`] and the
/// pool put the folder there that [`SpawnSpec::anchor`] finds at start-up.
#[derive(Debug)]
pub struct SpawnSpec {
    /// The pool's name: the field's.
    pub pool: &'static str,
    /// The folder that paths are kept relative to, of a program that is moved as a whole with its environment.
    pub anchor: Option<Anchor>,
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
    /// Further facts, for [`Recheck::Thorough`].
    pub fingerprint: Fingerprint,
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
    /// How the program and its workers talk.
    pub transport: Transport,
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
    /// The kind of environment: `system`, `uv`, `venv`, `docker`, `pyenv`, `poetry` or `conda`, or a custom one's name.
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
    /// The `pyvenv.cfg` of an environment that is moved says this, save for its `command`, which only tells how and
    /// where it was made.
    Settings {
        /// The file.
        path: &'static str,
        /// Its text without the `command`.
        text: &'static str,
    },
}

/// What tells the environment from another one that would start as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The tag of the interpreter's binary interface; empty where the build was not told.
    pub abi: &'static str,
    /// The installed distributions, a line `name version` for each; `None` for an interpreter that does not see the
    /// machine's files, such as one in a container.
    pub distributions: Option<&'static str>,
    /// The manager's lock files, each with its digest.
    pub lock_files: &'static [(&'static str, &'static str)],
}

/// How the program and its workers talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Through two sockets that only they hold; pipes to a container.
    #[default]
    Sockets,
    /// The worker is a gRPC server on the protocol of Snakepit's bridge.
    #[cfg(feature = "grpc")]
    Grpc(Grpc),
}

/// A gRPC server as a worker.
#[cfg(feature = "grpc")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grpc {
    /// The script of a server of the user's own: an absolute path. `None` is the bridge, which serves the adapter itself.
    pub script: Option<&'static str>,
    /// Its arguments, behind those that every server gets.
    pub args: &'static [&'static str],
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
    /// Longest time from a call to its reply, waiting included; of a stream, to each item.
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

/// What a spec remembers from its first use.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Memo {
    /// That the re-check succeeded.
    passed: OnceCell<()>,
    /// The anchor's folder.
    pub(crate) root: OnceCell<String>,
}

impl Memo {
    /// A memo that remembers nothing yet.
    pub const fn new() -> Self {
        Self {
            passed: OnceCell::new(),
            root: OnceCell::new(),
        }
    }
}

impl SpawnSpec {
    /// Proves with a few system calls that what the build saw still holds; a success is remembered.
    ///
    /// ```
    /// # fn f(spec: &'static snakepit::SpawnSpec) {
    /// if let Err(error) = spec.recheck() {
    ///     eprintln!("{error}"); // the file, what the build saw, what is there now, and what to do
    /// }
    /// # }
    /// ```
    ///
    /// The operator chooses how closely it looks, with `SNAKEPIT_RECHECK`: `quick` (the default), `thorough` or `off`,
    /// as [`Recheck`] has them.
    ///
    /// # Errors
    /// [`SpecError::Drift`] has every fact that changed, what the build saw and what is there now. What
    /// `SNAKEPIT_RECHECK` says is no level; the anchor's folder is not told.
    pub fn recheck(&self) -> Result<(), SpecError> {
        let passed = &self.memo.passed;
        passed
            .get_or_try_init(|| self.recheck_with(Recheck::chosen()?))
            .copied()
    }

    /// Looks now, as closely as is said, whatever the operator chose and an earlier look found.
    ///
    /// ```
    /// use snakepit::{Recheck, SpecError};
    ///
    /// # fn f(spec: &'static snakepit::SpawnSpec) {
    /// if let Err(SpecError::Drift(drift)) = spec.recheck_with(Recheck::Thorough) {
    ///     for change in &drift.changes {
    ///         eprintln!("{}: {} then, now it {}", change.fact, change.expected, change.found);
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`SpawnSpec::recheck`].
    pub fn recheck_with(&self, level: Recheck) -> Result<(), SpecError> {
        match level {
            Recheck::Off => Ok(()),
            Recheck::Quick => self.look_quickly(),
            Recheck::Thorough => self.look_thoroughly(),
        }
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
    /// Those of [`SpawnSpec::recheck`].
    pub fn command(&self) -> Result<Command, SpecError> {
        self.recheck()?;
        self.command_unchecked()
    }

    /// The same without a re-check.
    pub(crate) fn command_unchecked(&self) -> Result<Command, SpecError> {
        let mut command = Command::new(&*self.placed(self.command)?);
        for arg in self.args {
            command.arg(&*self.placed(arg)?);
        }
        for op in self.env {
            match *op {
                EnvOp::Set(name, value) => {
                    command.env(name, &*self.placed(value)?);
                }
                EnvOp::Prepend(name, path) => {
                    let mut value = OsString::from(&*self.placed(path)?);
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
            command.current_dir(&*self.placed(cwd)?);
        }
        Ok(command)
    }

    /// The folders put before `sys.path`, as they are where the program is now.
    #[cfg(feature = "pool")]
    pub(crate) fn placed_python_path(&self) -> Result<Vec<Cow<'static, str>>, SpecError> {
        let folders = self.python_path.iter();
        folders.map(|folder| self.placed(folder)).collect()
    }

    /// A text of this spec as it holds where the program is now.
    pub(crate) fn placed(&self, text: &'static str) -> Result<Cow<'static, str>, SpecError> {
        let Some(anchor) = &self.anchor else {
            return Ok(Cow::Borrowed(text));
        };
        let root = &self.memo.root;
        let root = root.get_or_try_init(|| anchor.folder(self.pool))?;
        Ok(Cow::Owned(Anchor::join(root, text)))
    }
}
