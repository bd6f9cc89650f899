//! The Pythons of the machine that runs the tests, and what to do without them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// A Python that workers can run on: 3.8 or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The interpreter.
    pub path: PathBuf,
    /// `3.13.2`.
    pub version: String,
}

/// One interpreter of each version that is to be found, newest first: `python3.x` on the search path and in
/// `/usr/bin`, and pyenv's versions.
pub fn pythons() -> Vec<Python> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    folders.push("/usr/bin".into());
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    if let Some(root) = pyenv.or(home) {
        let versions = entries(&root.join("versions"));
        folders.extend(versions.iter().map(|version| version.join("bin")));
    }
    // pyenv's shims and other links lead to what is found under its own name.
    let files: BTreeSet<PathBuf> = folders
        .iter()
        .flat_map(|folder| entries(folder))
        .filter(|file| is_python(file))
        .filter_map(|file| fs::canonicalize(file).ok())
        .collect();
    let mut found = BTreeMap::new();
    for path in files {
        if let Some(version) = version_of(&path).filter(|version| *version >= [3, 8, 0]) {
            found.entry(version).or_insert(path);
        }
    }
    found
        .into_iter()
        .rev()
        .map(|([major, minor, micro], path)| Python {
            path,
            version: format!("{major}.{minor}.{micro}"),
        })
        .collect()
}

impl Python {
    /// Makes a virtual environment of this Python, without pip.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn make_venv(&self, folder: &Path) {
        let status = Command::new(&self.path)
            .args(["-m", "venv", "--without-pip"])
            .arg(folder)
            .status()
            .expect("the interpreter has just answered");
        assert!(
            status.success(),
            "{self:?} cannot make `{}`",
            folder.display()
        );
    }
}

/// Says loudly that a test lacks something; fails where everything has to be there.
///
/// # Panics
/// If `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn skip(lacking: &str) {
    assert!(
        env::var_os("SNAKEPIT_TESTS_REQUIRE").is_none_or(|level| level != "all"),
        "needs {lacking}"
    );
    // Not `println!`, which the test harness swallows when a test passes.
    let _ = writeln!(std::io::stdout(), "skipped: needs {lacking}");
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

/// The version of an interpreter that runs and can make virtual environments.
fn version_of(path: &Path) -> Option<[u32; 3]> {
    let output = Command::new(path)
        .args([
            "-c",
            "import sys, venv; print('%d.%d.%d' % sys.version_info[:3])",
        ])
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let numbers: Vec<u32> = text
        .trim()
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    numbers.try_into().ok()
}
