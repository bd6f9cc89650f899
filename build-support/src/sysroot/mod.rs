//! The root file system of a target: `SNAKEPIT_SYSROOT`. Paths are the target's, links are followed inside the root and
//! never out of it, and nothing of it is run.

mod elf;
mod interpreter;
mod layout;
mod path;
mod sysconfig;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub(crate) use interpreter::interpreter;

pub use elf::{Shape, shape};
pub use interpreter::{details, header_version};
pub use layout::setting;
pub use sysconfig::variables as sysconfig_variables;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Answer, FileInfo, Host, Program};
use crate::lock;
use crate::machine::{Machine, is_executable};
use crate::ordered::{Map, Ordered};
use crate::probe::Interpreter;

/// Names the folder.
pub const VARIABLE: &str = "SNAKEPIT_SYSROOT";

/// Where the search path of a target leads, as far as nobody says otherwise.
const SEARCHED: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"];

/// Variables of the target that tell where named roots of a lock are, and the roots.
const TOLD: [(&str, &str); 4] = [
    ("HOME", "home"),
    ("PYENV_ROOT", "pyenv"),
    ("UV_PYTHON_INSTALL_DIR", "uv"),
    ("MAMBA_ROOT_PREFIX", "conda"),
];

/// The variables that tell where the named roots of a lock are on the target. A workspace is none of them: it is sources,
/// and in a root file system there are only environments.
pub(crate) fn roots() -> impl Iterator<Item = String> {
    let names = lock::ROOTS.iter().filter(|name| **name != "workspace");
    names.map(|name| lock::variable(name))
}

/// What a program is built for, as Cargo names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `x86_64`, `aarch64`, ...
    pub arch: String,
    /// The width of a pointer in bits.
    pub pointer_width: u32,
    /// Whether its least significant byte comes first.
    pub is_little_endian: bool,
}

impl Target {
    /// What Cargo tells a build script; elsewhere this machine.
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let width = variable("CARGO_CFG_TARGET_POINTER_WIDTH");
        let endian = variable("CARGO_CFG_TARGET_ENDIAN");
        Self {
            arch: variable("CARGO_CFG_TARGET_ARCH")
                .unwrap_or_else(|| std::env::consts::ARCH.into()),
            pointer_width: width
                .and_then(|width| width.parse().ok())
                .unwrap_or(usize::BITS),
            is_little_endian: endian
                .map_or(cfg!(target_endian = "little"), |endian| endian == "little"),
        }
    }
}

/// A folder that holds the root file system of a target.
#[derive(Debug, Clone)]
pub struct Sysroot {
    folder: PathBuf,
    target: Target,
    /// What `SNAKEPIT_ROOT_...` tells.
    told: Map<String, OsString>,
}

impl Sysroot {
    /// The one that `SNAKEPIT_SYSROOT` names; `None` where it is not set.
    ///
    /// # Errors
    /// `sysroot_invalid`: it is no absolute path of a folder.
    pub(crate) fn named(host: &dyn Host) -> Option<Result<Self, Diagnostic>> {
        let target = Target::of(&|name| std::env::var(name).ok());
        let folder = PathBuf::from(host.variable(VARIABLE)?);
        let shown = folder.display();
        let wrong = |found: &str| {
            let message = format!("`{VARIABLE}` is `{shown}`, which {found}");
            let help = "name the folder of the target's root file system by its absolute path";
            Some(Err(
                Diagnostic::new(Code::SysrootInvalid, message, help).at("struct")
            ))
        };
        if !folder.is_absolute() {
            return wrong("is no absolute path");
        }
        match host.info(&folder) {
            None => wrong("is not there"),
            Some(info) if !info.is_dir => wrong("is no folder"),
            Some(_) => Some(Ok(Self::new(folder, target, host))),
        }
    }

    /// The root file system in a folder; the host tells where the named roots are on it.
    pub fn new(folder: PathBuf, target: Target, host: &dyn Host) -> Self {
        let told = roots().filter_map(|name| {
            let told = host.variable(&name)?;
            Some((name, told))
        });
        Self {
            folder,
            target,
            told: told.ordered(),
        }
    }

    /// Where a file of the target is on this machine, its links followed.
    pub(crate) fn here(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.below(&path::followed(&self.folder, path, true)?))
    }

    fn below(&self, path: &Path) -> PathBuf {
        self.folder.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// The package's folder on the target: what `SNAKEPIT_ROOT_PACKAGE` says, else where it is built.
pub(crate) fn package_on_target(package: &Path, host: &dyn Host) -> PathBuf {
    let told = host.variable(&lock::variable("package")).map(PathBuf::from);
    told.filter(|told| told.is_absolute())
        .unwrap_or_else(|| package.to_owned())
}

impl Host for Sysroot {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        Machine.info(&self.here(path).ok()?)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.read(&self.here(path)?)
    }

    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        Machine.consult_start(&self.here(path)?, most)
    }

    fn source(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.source(path)
    }

    fn source_info(&self, path: &Path) -> Option<FileInfo> {
        Machine.source_info(path)
    }

    fn is_script(&self, path: &Path) -> bool {
        self.here(path).is_ok_and(|path| Machine.is_script(&path))
    }

    fn is_link(&self, path: &Path) -> bool {
        let followed = path::followed(&self.folder, path, false);
        followed.is_ok_and(|path| Machine.is_link(&self.below(&path)))
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let followed = path::followed(&self.folder, path, true)?;
        // What ends at nothing has no canonical path.
        self.below(&followed).symlink_metadata()?;
        Ok(followed)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let Ok(here) = self.here(path) else {
            return Vec::new();
        };
        let entries = Machine.list(&here);
        let names = entries.iter().filter_map(|entry| entry.file_name());
        names.map(|name| path.join(name)).collect()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        let root = TOLD.iter().find(|(target, _)| *target == name);
        let name = root.map_or_else(|| name.to_owned(), |(_, root)| lock::variable(root));
        match roots().any(|root| root == name) {
            true => self.told.get(&name).cloned(),
            // Those of the target nobody knows.
            false => Machine
                .variable(&name)
                .filter(|_| name.starts_with("SNAKEPIT_")),
        }
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        let mut places = SEARCHED.iter().map(|folder| Path::new(folder).join(name));
        places.find(|path| {
            let here = self.here(path).and_then(std::fs::metadata);
            here.is_ok_and(|metadata| is_executable(&metadata))
        })
    }

    fn run(&self, _: &Program<'_>) -> io::Result<Answer> {
        let why = "nothing of a target's root file system is run";
        Err(io::Error::new(ErrorKind::Unsupported, why))
    }

    fn interpreter(&self, path: &Path) -> Result<Interpreter, Diagnostic> {
        interpreter(path, &self.target, self)
    }

    fn target(&self) -> Option<&Target> {
        Some(&self.target)
    }

    fn package(&self, built: &Path) -> PathBuf {
        package_on_target(built, self)
    }

    fn on_this_machine(&self, path: &Path) -> PathBuf {
        self.here(path).unwrap_or_else(|_| self.below(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_target_is_told_by_a_root_of_a_lock() {
        let roots: Vec<String> = roots().collect();
        for (_, root) in TOLD {
            assert!(roots.contains(&lock::variable(root)), "{root}");
        }
    }
}
