//! The environments that managers keep on this machine, wherever they are: what `cargo snakepit list` shows beside
//! those of a directory. They are found by files alone.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::environment::{CondaPlaces, conda_name, conda_python, pyenv_versions, uv_pythons};
use crate::host::Host;

/// An environment that a manager keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The name that its manager gave it; a path where it has none.
    pub name: String,
    /// Its folder.
    pub prefix: PathBuf,
    /// Its Python's version, as far as the files that were looked at tell.
    pub python: Option<String>,
}

/// The environments of conda, mamba and micromamba.
///
/// # Errors
/// A file of conda's settings that cannot be read.
pub fn conda(host: &dyn Host) -> Result<Vec<Known>, Diagnostic> {
    let prefixes = CondaPlaces::of(host)?.all(host).into_iter();
    let known = prefixes.map(|prefix| Known {
        name: conda_name(&prefix, host),
        // `3.12.1-hab00c5b_0_cpython`: the build says nothing to a person.
        python: conda_python(&prefix, host)
            .and_then(|package| Some(package.split('-').next()?.to_owned())),
        prefix,
    });
    Ok(known.collect())
}

/// The versions of pyenv and the environments of pyenv-virtualenv.
pub fn pyenv(host: &dyn Host) -> Vec<Known> {
    let versions = pyenv_versions(host).into_iter();
    let known = versions.map(|(name, prefix)| Known {
        python: name
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| name.clone()),
        name,
        prefix,
    });
    known.collect()
}

/// The folder of the Pythons that uv installs, if it can be told where that is.
pub fn uv(host: &dyn Host) -> Option<PathBuf> {
    uv_pythons(host)
}
