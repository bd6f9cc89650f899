//! The Pythons of the machine: the one that the tests run on, and those of other versions.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, fmt, fs};

use crate::user::is_debian_root;

/// What the worker's Python half is written for.
const OLDEST: Version = Version([3, 8, 0]);

/// The module that makes virtual environments needs a second one, which Debian keeps in a package of its own.
const ASK: &str = "
import sys
print('%d.%d.%d' % sys.version_info[:3])
print(sys.executable)
try:
    import venv, ensurepip
    print(ensurepip.version())
except ImportError:
    pass
";

const INSTALL: &str = "install Python 3.8 or later with its `venv` module (Debian: `apt-get install python3 \
                       python3-venv`), or name one: `SNAKEPIT_PYTHON=/path/to/python3`";

/// `3.13.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u32; 3]);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        Some(Self(numbers.ok()?.try_into().ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, micro]) = self;
        write!(f, "{major}.{minor}.{micro}")
    }
}

/// An interpreter that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// `sys.executable`.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
    /// The version of the pip that a new virtual environment gets; `None` where none can be made.
    pub pip: Option<String>,
}

impl Python {
    fn ask(program: &OsStr) -> Option<Self> {
        let output = Command::new(program)
            .args(["-I", "-c", ASK])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        Some(Self {
            version: Version::parse(lines.next()?)?,
            path: lines.next()?.into(),
            pip: lines.next().map(str::to_owned),
        })
    }

    /// Makes a virtual environment of this Python, without pip.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn make_venv(&self, folder: &Path) {
        let folder = folder.to_str().expect("it is UTF-8");
        let args = ["-m", "venv", "--without-pip", folder];
        crate::succeeds(&self.path, &args, Path::new("/"));
    }

    fn usable(self) -> Result<Self, String> {
        let (version, shown) = (self.version, self.path.display());
        if version < OLDEST {
            return Err(format!("`{shown}` is Python {version}: {INSTALL}"));
        }
        if self.pip.is_none() {
            return Err(format!(
                "`{shown}` cannot make virtual environments (no `venv` or no `ensurepip`): {INSTALL}"
            ));
        }
        Ok(self)
    }
}

/// The Python that the tests run on: the one that `SNAKEPIT_PYTHON` names, else `python3` or `python` on the search
/// path.
///
/// # Panics
/// If there is none.
pub fn python() -> &'static Python {
    static PYTHON: LazyLock<Python> =
        LazyLock::new(|| found().unwrap_or_else(|why| panic!("{why}")));
    &PYTHON
}

/// The same, installed first, where it is missing and this is Debian with root's rights.
///
/// # Errors
/// What is missing, and what to do about it.
pub fn prepare_python() -> Result<Python, String> {
    let first = found();
    if first.is_err() && env::var_os("SNAKEPIT_PYTHON").is_none() && is_debian_root() {
        apt_get()?;
        return found();
    }
    first
}

fn found() -> Result<Python, String> {
    if let Some(named) = env::var_os("SNAKEPIT_PYTHON").filter(|named| !named.is_empty()) {
        let python = Python::ask(&named).ok_or_else(|| {
            let shown = named.display();
            format!("`SNAKEPIT_PYTHON` names `{shown}`, which does not run as a Python: {INSTALL}")
        });
        return python?.usable();
    }
    ["python3", "python"]
        .into_iter()
        .find_map(|name| Python::ask(OsStr::new(name)))
        .ok_or_else(|| format!("no Python on the search path: {INSTALL}"))?
        .usable()
}

fn apt_get() -> Result<(), String> {
    println!("Python 3 with `venv` is missing: installing it with apt-get");
    let commands: [&[&str]; 2] = [
        &["update", "-qq"],
        &["install", "-y", "-qq", "python3", "python3-venv"],
    ];
    for arguments in commands {
        let status = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .map_err(|error| format!("`apt-get` did not start ({error}): {INSTALL}"))?;
        if !status.success() {
            let shown = arguments.join(" ");
            return Err(format!("`apt-get {shown}` failed ({status}): {INSTALL}"));
        }
    }
    Ok(())
}

/// One interpreter of each version that workers can run on and that is to be found, newest first: `python3.x` on the
/// search path and in `/usr/bin`, and pyenv's versions.
pub fn pythons() -> Vec<Python> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    folders.push("/usr/bin".into());
    let versions = pyenv_root().map(|root| entries(&root.join("versions")));
    let versions = versions.unwrap_or_default();
    folders.extend(versions.iter().map(|version| version.join("bin")));
    // pyenv's shims and other links lead to what is found under its own name.
    let files: BTreeSet<PathBuf> = folders
        .iter()
        .flat_map(|folder| entries(folder))
        .filter(|file| is_python(file))
        .filter_map(|file| fs::canonicalize(file).ok())
        .collect();
    let mut found = BTreeMap::new();
    for file in files {
        if let Some(Ok(python)) = Python::ask(file.as_os_str()).map(Python::usable) {
            found.entry(python.version).or_insert(python);
        }
    }
    found.into_values().rev().collect()
}

/// Where pyenv keeps its versions and shims, whether it is there or not.
/// <https://github.com/pyenv/pyenv#environment-variables>
pub fn pyenv_root() -> Option<PathBuf> {
    let root = env::var_os("PYENV_ROOT").filter(|root| !root.is_empty());
    let root = root.map(PathBuf::from);
    root.or_else(|| Some(env::home_dir()?.join(".pyenv")))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// Whether the file's name is `python3.x`.
fn is_python(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix("python3."))
        .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{Python, Version};

    #[test]
    fn a_version_has_three_numbers() {
        let version = Version::parse("3.11.7").unwrap();
        assert_eq!(version.to_string(), "3.11.7");
        assert_eq!(Version::parse("3.11"), None);
        assert_eq!(Version::parse("Python 3.11.7"), None);
    }

    #[test]
    fn an_old_python_and_one_without_venv_are_refused_with_what_to_install() {
        let python = |minor, pip: Option<&str>| Python {
            version: Version([3, minor, 0]),
            path: "/usr/bin/python3".into(),
            pip: pip.map(str::to_owned),
        };
        assert!(python(8, Some("20.0")).usable().is_ok());
        for refused in [python(7, Some("20.0")), python(12, None)] {
            let why = refused.usable().unwrap_err();
            assert!(
                why.contains("/usr/bin/python3") && why.contains("apt-get install"),
                "{why}"
            );
        }
    }
}
