//! What files tell of a Python, so that it need not be run.

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::sysroot::{header_version, setting};

/// The interpreter of a prefix, if it is there.
pub(crate) fn interpreter(prefix: &Path) -> Option<PathBuf> {
    let names = [
        "bin/python3",
        "bin/python",
        "python.exe",
        "Scripts/python.exe",
    ];
    names
        .iter()
        .map(|name| prefix.join(name))
        .find(|path| path.is_file())
}

/// The version that a virtual environment was made with: `version` in `pyvenv.cfg`, and `version_info` where uv or
/// virtualenv wrote it.
pub(crate) fn venv_version(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("pyvenv.cfg")).ok()?;
    let version = setting(&text, "version").or_else(|| setting(&text, "version_info"))?;
    // virtualenv: `3.12.1.final.0`
    Some(version.split(".final").next()?.to_owned())
}

/// Whether a program of the search path is called like an interpreter: `python`, `python3`, `python3.12`,
/// `python3.13t`, `pypy3.10`.
pub(crate) fn is_interpreter_name(name: &str) -> bool {
    let rest = name
        .strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"));
    let rest = rest.map(|rest| rest.strip_suffix('t').unwrap_or(rest));
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The version of an interpreter: that of the virtual environment that it stands in, else what the header of its
/// library says, else as much as its name does.
pub(crate) fn version_of(file: &Path, real: &Path) -> Option<String> {
    let prefix = |path: &Path| path.parent().and_then(Path::parent).map(Path::to_owned);
    if let Some(version) = prefix(file).and_then(|prefix| venv_version(&prefix)) {
        return Some(version);
    }
    let name = real.file_name()?.to_str()?;
    let minor = name
        .strip_prefix("python")
        .or_else(|| name.strip_prefix("pypy"))?;
    let header = prefix(real)?.join(format!("include/python{minor}/patchlevel.h"));
    let header = fs::read_to_string(header).unwrap_or_default();
    let full = header_version(&header).map(str::to_owned);
    full.or_else(|| minor.contains('.').then(|| minor.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_told_by_their_names() {
        for name in ["python", "python3", "python3.12", "python3.13t", "pypy3.10"] {
            assert!(is_interpreter_name(name), "{name}");
        }
        for name in [
            "python3-config",
            "pythonw",
            "python3.12-config",
            "pip",
            "ipython",
        ] {
            assert!(!is_interpreter_name(name), "{name}");
        }
    }

    #[test]
    fn each_maker_of_virtual_environments_writes_the_version_down() {
        let folder = tempfile::tempdir().unwrap();
        for (text, version) in [
            ("home = /usr/bin\nversion = 3.12.1\n", Some("3.12.1")),
            (
                "home = /usr/bin\nuv = 0.5\nversion_info = 3.13.0\n",
                Some("3.13.0"),
            ),
            (
                "version_info = 3.11.7.final.0\nversion = 3.11.7\n",
                Some("3.11.7"),
            ),
            ("home = /usr/bin\n", None),
        ] {
            fs::write(folder.path().join("pyvenv.cfg"), text).unwrap();
            assert_eq!(venv_version(folder.path()).as_deref(), version);
        }
    }
}
