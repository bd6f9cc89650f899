//! The program that starts others in a conda environment, and that installs into one.
//!
//! `conda run` keeps what the program prints until its end, unless it is told not to; what the program is given on
//! its standard input goes through. <https://docs.conda.io/projects/conda/en/stable/commands/run.html>
//! micromamba and mamba 2 let all three streams through and do not know that option; one of theirs, `--attach`, only
//! takes some away. <https://mamba.readthedocs.io/en/latest/user_guide/micromamba.html>

use std::path::{Path, PathBuf};

use crate::host::Host;

/// A program that runs others in an environment.
pub(super) struct Manager {
    pub(super) path: PathBuf,
    /// Its options that let a worker's input and output through.
    pub(super) options: &'static [&'static str],
}

/// conda, else micromamba or mamba 2.
pub(super) fn find(host: &dyn Host) -> Option<Manager> {
    let named = |variable: &str| {
        let path = PathBuf::from(host.variable(variable)?);
        is_executable(&path, host).then_some(path)
    };
    let conda = |path| Manager {
        path,
        options: &["--no-capture-output"],
    };
    if let Some(path) = named("CONDA_EXE").or_else(|| host.which("conda")) {
        return Some(conda(path));
    }
    // What micromamba's shell calls `micromamba` is a function: the program itself need not be on the search path.
    let other = named("MAMBA_EXE")
        .or_else(|| host.which("micromamba"))
        .or_else(|| host.which("mamba"))?;
    // Beside mamba there is conda, of which mamba 1 is a part that needs the option.
    let real = host.canonical(&other).unwrap_or_else(|_| other.clone());
    let beside = real.with_file_name("conda");
    if other.ends_with("mamba") && is_executable(&beside, host) {
        return Some(conda(beside));
    }
    Some(Manager {
        path: other,
        options: &[],
    })
}

/// What the manager that is there is called, for commands that a person types.
pub(crate) fn name(host: &dyn Host) -> String {
    let named = find(host).and_then(|manager| {
        let name = manager.path.file_name()?.to_str()?;
        Some(name.to_owned())
    });
    named.unwrap_or_else(|| "conda".to_owned())
}

fn is_executable(path: &Path, host: &dyn Host) -> bool {
    host.info(path).is_some_and(|info| info.is_executable)
}
