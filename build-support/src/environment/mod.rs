//! One file for each kind of environment, one trait for all.

mod conda;
mod poetry;
mod pyenv;
mod system;
mod uv;
mod venv;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

pub use conda::Conda;
pub use poetry::Poetry;
pub use pyenv::Pyenv;
pub(crate) use pyenv::without_pyenv;
pub use system::System;
pub use uv::Uv;
pub use venv::Venv;
use venv::quoted;

use crate::diagnostic::Diagnostic;
use crate::host::{Host, Program};
use crate::manifest::EnvOp;

/// What a declaration says about its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where relative paths start: the package's folder, or the one in which `auto` found the environment.
    pub base: PathBuf,
    /// The kind's options.
    pub options: BTreeMap<String, String>,
    /// Whether the manager's own command starts the interpreter: `launch = manager`.
    pub manager_launch: bool,
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

/// How the interpreter is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Arguments before those of the interpreter; where there are some, the executable is a manager that starts it.
    pub args: Vec<String>,
    /// What activation would do.
    pub env: Vec<EnvOp>,
    /// The working directory, where one is demanded.
    pub cwd: Option<PathBuf>,
}

impl Launch {
    /// A run of the interpreter, started as its workers are.
    pub(crate) fn program<'a>(
        &'a self,
        executable: &'a Path,
        args: &[&'a str],
        limit: Duration,
    ) -> Program<'a> {
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
}
