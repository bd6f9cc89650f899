//! One file for each kind of environment, one trait for all.

mod system;
mod venv;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use system::System;
pub use venv::Venv;

use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::manifest::EnvOp;

/// What a declaration says about its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The package's folder: relative paths start here.
    pub package_dir: PathBuf,
    /// The kind's options.
    pub options: BTreeMap<String, String>,
}

impl Config {
    /// An option's text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// A path of the declaration, made absolute.
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        let mut absolute = PathBuf::new();
        for part in self.package_dir.join(path).components() {
            if part != std::path::Component::CurDir {
                absolute.push(part);
            }
        }
        absolute
    }
}

/// How the interpreter is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    /// Arguments before those of the worker.
    pub args: Vec<String>,
    /// What activation would do.
    pub env: Vec<EnvOp>,
    /// The working directory, where one is demanded.
    pub cwd: Option<PathBuf>,
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
