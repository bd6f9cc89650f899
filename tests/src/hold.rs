//! Tools that run until a test lets them go.

use std::path::Path;

use tempfile::NamedTempFile;

use crate::until;

/// A file that tools of `python/holding.py` watch: each tells in it that it has begun, and runs as long as it is there.
/// To drop it is to let them go.
#[derive(Debug)]
pub struct Hold(NamedTempFile);

impl Hold {
    /// Holds the tools that are given its path.
    ///
    /// # Panics
    /// Without a folder for temporary files.
    pub fn on_tools() -> Self {
        Self(NamedTempFile::new().expect("there is a folder for temporary files"))
    }

    /// The tools' argument.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Waits until so many tools have begun.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn begun(&self, tools: u64) -> impl Future<Output = ()> {
        until(async move || {
            let told = self.0.as_file().metadata();
            told.is_ok_and(|told| told.len() == tools)
        })
    }
}
