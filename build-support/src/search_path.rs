//! The search path as `which` sees it. The crate's own view of the system needs the crate `libc`, which alone costs a
//! program's first build more than all that is here.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use which::sys::Sys;

use crate::machine::is_executable;

/// The file system and the variables of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchPath;

impl SearchPath {
    /// The first program of that name.
    pub(crate) fn find(name: &str) -> Option<PathBuf> {
        let config = which::WhichConfig::new_with_sys(Self);
        config.binary_name(name.into()).first_result().ok()
    }
}

impl Sys for SearchPath {
    type ReadDirEntry = fs::DirEntry;
    type Metadata = fs::Metadata;

    fn is_windows(&self) -> bool {
        cfg!(windows)
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        env::current_dir()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        env::home_dir()
    }

    fn env_split_paths(&self, paths: &OsStr) -> Vec<PathBuf> {
        env::split_paths(paths).collect()
    }

    fn env_path(&self) -> Option<OsString> {
        env::var_os("PATH")
    }

    fn env_path_ext(&self) -> Option<OsString> {
        env::var_os("PATHEXT")
    }

    fn metadata(&self, path: &Path) -> io::Result<fs::Metadata> {
        fs::metadata(path)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<fs::Metadata> {
        fs::symlink_metadata(path)
    }

    fn read_dir(
        &self,
        path: &Path,
    ) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
        Ok(Box::new(fs::read_dir(path)?))
    }

    fn is_valid_executable(&self, path: &Path) -> io::Result<bool> {
        Ok(is_executable(&fs::metadata(path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name_and_a_name_that_nobody_has_is_not() {
        let sh = SearchPath::find("sh").unwrap();
        assert!(sh.is_absolute() && sh.ends_with("sh"), "{sh:?}");
        assert_eq!(SearchPath::find("snakepit-no-such-program"), None);
    }
}
