//! One file for each kind of environment, one trait for all.

mod conda;
pub(crate) mod docker;
mod poetry;
mod pyenv;
mod system;
mod uv;
mod venv;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

pub(crate) use conda::Conda;
pub(crate) use conda::manager::name as conda_manager;
pub(crate) use conda::places::Places as CondaPlaces;
pub(crate) use conda::places::installation as conda_installation;
pub(crate) use conda::{default_name as conda_name, python_package as conda_python};
pub(crate) use docker::Docker;
pub(crate) use poetry::Poetry;
pub(crate) use pyenv::Pyenv;
pub(crate) use pyenv::{
    installed as pyenv_versions, names as python_versions, root as pyenv_root, without_pyenv,
};
pub(crate) use system::System;
pub(crate) use uv::Uv;
pub(crate) use uv::{is_member as is_uv_member, pythons as uv_pythons};
pub(crate) use venv::Venv;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Host, Program};
use crate::manifest::EnvOp;
use crate::probe;
use crate::shell;

/// What a declaration says about its environment.
///
/// ```
/// use std::path::PathBuf;
///
/// use snakepit_build::Config;
///
/// // `environment = custom("wrapped", dir = "python")` of a package in `/app`
/// let config = Config {
///     base: PathBuf::from("/app"),
///     options: [("dir".to_owned(), "python".to_owned())].into(),
///     ..Config::default()
/// };
/// let folder = config.absolute(config.option("dir").unwrap_or("."));
/// assert_eq!(folder, PathBuf::from("/app/python"));
/// assert_eq!(config.option("version"), None);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where relative paths start: the package's folder, or the one in which `auto` found the environment.
    pub base: PathBuf,
    /// The kind's options.
    pub options: BTreeMap<String, String>,
    /// Whether the manager's own command starts the interpreter: `launch = manager`.
    pub manager_launch: bool,
    /// The pool's name.
    pub pool: String,
    /// The declaration's variables. They are set on the process that is started, save for one that starts the
    /// interpreter [`Elsewhere`]: there the environment itself carries them.
    pub env: BTreeMap<String, String>,
}

impl Config {
    /// An option's text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// A path of the declaration, made absolute.
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        absolute(&self.base, path)
    }

    /// The folder that `project_dir` names, by default the base; it is there.
    pub(crate) fn project_dir(&self, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let folder = self.absolute(self.option("project_dir").unwrap_or("."));
        if host.info(&folder).is_some_and(|info| info.is_dir) {
            return Ok(folder);
        }
        let message = format!(
            "`project_dir` names `{}`, which is no folder",
            folder.display()
        );
        let help = "make it, or correct the path";
        Err(Diagnostic::new(Code::ProjectDirNotFound, message, help).at("option:project_dir"))
    }
}

/// A path that may be relative to `base`, without its `.` parts.
pub(crate) fn absolute(base: &Path, path: impl AsRef<Path>) -> PathBuf {
    let mut absolute = PathBuf::new();
    for part in base.join(path).components() {
        if part != Component::CurDir {
            absolute.push(part);
        }
    }
    absolute
}

/// A path as the program's constants hold it.
pub(crate) fn utf8(path: &Path) -> Result<String, Diagnostic> {
    if let Some(text) = path.to_str() {
        return Ok(text.to_owned());
    }
    let message = format!(
        "the path `{}` is not UTF-8, which a constant of the program must be",
        path.display()
    );
    Err(Diagnostic::new(
        Code::PathNotUtf8,
        message,
        "give it a name that is UTF-8, or move it to a folder whose whole path is",
    ))
}

/// Why what seems not to be there cannot even be looked at: it is closed to this user, or links go round.
fn unseen(path: &Path, host: &dyn Host) -> Option<io::Error> {
    let error = host.canonical(path).err()?;
    let is_absent = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    (!is_absent).then_some(error)
}

/// Whether it is closed to this user.
fn is_denied(path: &Path, host: &dyn Host) -> bool {
    unseen(path, host).is_some_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Of a folder that [`interpreter_in`] found nothing in.
const NO_INTERPRETER: &str = "has no interpreter";

/// The first of the files in a folder that is an interpreter, or in words what is wrong with the last that is there.
fn interpreter_in(folder: &Path, files: &[&str], host: &dyn Host) -> Result<PathBuf, &'static str> {
    let mut fault = NO_INTERPRETER;
    for file in files {
        let python = folder.join(file);
        match host.info(&python) {
            Some(info) if info.is_executable => return Ok(python),
            Some(_) => fault = "has an interpreter that is not executable",
            None if is_denied(&python, host) => {
                fault = "has an interpreter that this user may not look at (permission denied, perhaps behind its link)";
            }
            None if host.is_link(&python) => {
                fault = "has an interpreter that was removed (its link is broken)";
            }
            None => {}
        }
    }
    Err(fault)
}

/// What to do about a file that is closed to this user; `None` where that is not what is wrong. To make it anew would
/// throw away what is in order.
fn permission(file: &Path, host: &dyn Host) -> Option<String> {
    let error = host.consult(file).err()?;
    let is_closed = error.kind() == ErrorKind::PermissionDenied;
    is_closed.then(|| format!("give this user permission to read `{}`", file.display()))
}

/// How the interpreter is started.
///
/// ```
/// use snakepit_build::{EnvOp, Launch};
///
/// // what `source .venv/bin/activate` does
/// let launch = Launch {
///     env: vec![
///         EnvOp::Set {
///             name: "VIRTUAL_ENV".to_owned(),
///             value: "/app/.venv".to_owned(),
///         },
///         EnvOp::Prepend {
///             name: "PATH".to_owned(),
///             value: "/app/.venv/bin".to_owned(),
///         },
///     ],
///     ..Launch::default()
/// };
/// assert!(launch.args.is_empty(), "the executable is the interpreter itself");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Arguments before those of the interpreter; where there are some, the executable is a manager that starts it.
    pub args: Vec<String>,
    /// What activation would do.
    pub env: Vec<EnvOp>,
    /// The working directory, where one is demanded.
    pub cwd: Option<PathBuf>,
    /// Set in addition while the build asks the interpreter: what keeps a manager from changing the environment.
    pub asking: Vec<EnvOp>,
    /// Set where the interpreter does not see the build machine's files and variables.
    pub elsewhere: Option<Elsewhere>,
}

/// A place with files and variables of its own, such as a container. Its interpreter is asked about them; nothing is
/// looked up on the build machine, and the program compares nothing at start-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// What it is called in messages.
    pub name: String,
    /// Whether what is installed there stays: not so in a container that is made for each worker.
    pub is_lasting: bool,
}

/// Longest wait for what runs in a container. The engine has answered before, so that it is not hung; but making a
/// container and removing it takes many seconds where a disk is slow.
const CONTAINER_LIMIT: Duration = Duration::from_secs(60);

impl Launch {
    /// The command as a person would type it, before the interpreter's arguments.
    pub(crate) fn shown(&self, executable: &Path) -> String {
        shell::command(executable, self.args.iter().map(String::as_str))
    }

    /// The environment of a run that asks the interpreter.
    pub(crate) fn asking_env(&self) -> Vec<EnvOp> {
        self.env.iter().chain(&self.asking).cloned().collect()
    }

    /// A run of the interpreter, started as its workers are.
    pub(crate) fn program<'a>(&'a self, executable: &'a Path, args: &[&'a str]) -> Program<'a> {
        let limit = match self.elsewhere {
            None => probe::LIMIT,
            Some(_) => CONTAINER_LIMIT,
        };
        Program {
            path: executable,
            args: self
                .args
                .iter()
                .map(String::as_str)
                .chain(args.iter().copied())
                .collect(),
            env: &self.env,
            cwd: self.cwd.as_deref(),
            input: &[],
            limit,
        }
    }
}

/// What an environment has to say beside what its interpreter says of itself, by name.
pub type ExtraMetadata = BTreeMap<String, String>;

/// One kind of Python environment. A program's own kinds implement it in `build.rs` and are registered with
/// [`Builder::environment`](crate::Builder::environment).
///
/// The facts that these methods read through the host belong to the environment: the interpreter's length and the
/// content of the small text files that were read are compared again when the program starts. Each such file costs
/// three system calls then.
///
/// An environment that is a folder with a wrapper script, used as `environment = custom("wrapped", dir = "python")`:
///
/// ```no_run
/// use std::path::PathBuf;
///
/// use snakepit_build::{Builder, Config, Diagnostic, Host, Launch, PythonEnvironment};
///
/// struct Wrapped;
///
/// impl PythonEnvironment for Wrapped {
///     fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
///         let script = config.absolute(config.option("dir").unwrap_or(".")).join("run-python");
///         match host.info(&script) {
///             Some(file) if file.is_executable => Ok(script),
///             _ => {
///                 let message = format!("no wrapper script at `{}`", script.display());
///                 let fault = Diagnostic::custom("wrapper_not_found", message, "run `make python`");
///                 Err(fault.at("option:dir"))
///             }
///         }
///     }
///
///     fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
///         Ok(Launch::default())
///     }
///
///     fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
///         Ok(())
///     }
/// }
///
/// // in the `main` of build.rs
/// Builder::new().environment("wrapped", Wrapped).emit();
/// ```
pub trait PythonEnvironment: Sync {
    /// The interpreter: an absolute path.
    ///
    /// # Errors
    /// It is not there, or what is there cannot be used.
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic>;

    /// How the interpreter is started.
    ///
    /// # Errors
    /// The environment cannot be activated.
    fn resolve_environment(&self, config: &Config, host: &dyn Host) -> Result<Launch, Diagnostic>;

    /// Whether the environment is whole.
    ///
    /// # Errors
    /// What is wrong with it.
    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic>;

    /// Further values for the metadata.
    ///
    /// # Errors
    /// They cannot be found.
    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let _ = (config, host);
        Ok(ExtraMetadata::new())
    }

    /// What it means for this kind that the interpreter did not answer; asked only then.
    fn explain(&self, config: &Config, host: &dyn Host, fault: Diagnostic) -> Diagnostic {
        let _ = (config, host);
        fault
    }
}
