//! The interpreters that the tests use, and the installation of one where there is none.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the worker's Python half is written for.
const OLDEST: (u32, u32) = (3, 8);

const ASK: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3]); print(sys.executable)";

/// What `python3 -m venv` needs: Debian keeps the second in a package of its own.
const ASK_VENV: &str = "import venv, ensurepip; print(ensurepip.version())";

const INSTALL: &str = "install Python 3.8 or later with its `venv` module (Debian: `apt-get install python3 \
                       python3-venv`), or name one: `SNAKEPIT_PYTHON=/path/to/python3`";

/// One interpreter that answered.
pub(crate) struct Python {
    pub(crate) version: (u32, u32, u32),
    pub(crate) executable: PathBuf,
    /// The version of the pip that a new virtual environment gets; `None` where none can be made.
    pub(crate) pip: Option<String>,
}

/// The Python that the tests run on: installed first, where it is missing and this is Debian with root's rights.
pub(crate) fn prepare() -> Result<Python, String> {
    if let Some(named) = env::var_os("SNAKEPIT_PYTHON") {
        let shown = named.display();
        return match ask(&named) {
            Some(python) => usable(python),
            None => Err(format!(
                "`SNAKEPIT_PYTHON` names `{shown}`, which does not run as a Python: {INSTALL}"
            )),
        };
    }
    if let Some(python) = find()
        && python.pip.is_some()
    {
        return usable(python);
    }
    if may_install() {
        install()?;
    }
    match find() {
        Some(python) => usable(python),
        None => Err(format!("no Python on the search path: {INSTALL}")),
    }
}

/// An interpreter of another version, for the tests of two pools with different Pythons.
pub(crate) fn other_than(first: &Python) -> Option<Python> {
    let on_path = (OLDEST.1..=first.version.1 + 8)
        .rev()
        .map(|number| format!("python3.{number}"))
        .flat_map(|name| {
            [
                OsString::from(&name),
                Path::new("/usr/bin").join(&name).into(),
            ]
        });
    on_path
        .chain(of_pyenv())
        .filter_map(|program| ask(&program))
        .find(|python| python.version != first.version && is_new_enough(python))
}

/// Every interpreter that pyenv keeps: <https://github.com/pyenv/pyenv#understanding-python-versions>.
fn of_pyenv() -> Vec<OsString> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<_> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3").into_os_string())
        .collect();
    found.sort();
    found
}

fn find() -> Option<Python> {
    ["python3", "python"]
        .into_iter()
        .find_map(|name| ask(OsStr::new(name)))
}

fn ask(program: &OsStr) -> Option<Python> {
    let answer = output(program, ASK)?;
    let mut lines = answer.lines();
    let version = parse_version(lines.next()?)?;
    let executable = PathBuf::from(lines.next()?);
    Some(Python {
        version,
        executable,
        pip: output(program, ASK_VENV),
    })
}

fn output(program: &OsStr, script: &str) -> Option<String> {
    let output = Command::new(program)
        .args(["-I", "-c", script])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn usable(python: Python) -> Result<Python, String> {
    let (major, minor, patch) = python.version;
    let shown = python.executable.display();
    if !is_new_enough(&python) {
        return Err(format!(
            "`{shown}` is Python {major}.{minor}.{patch}: {INSTALL}"
        ));
    }
    if python.pip.is_none() {
        return Err(format!(
            "`{shown}` cannot make virtual environments (no `venv` or no `ensurepip`): {INSTALL}"
        ));
    }
    Ok(python)
}

fn is_new_enough(python: &Python) -> bool {
    (python.version.0, python.version.1) >= OLDEST
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

/// Whether this is Debian or a child of it, and packages can be installed without asking for a password.
fn may_install() -> bool {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    is_root && Path::new("/etc/debian_version").exists()
}

fn install() -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use super::{parse_version, usable};

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(parse_version("3.11.7"), Some((3, 11, 7)));
        assert_eq!(parse_version("3.11"), None);
        assert_eq!(parse_version("Python 3.11.7"), None);
    }

    #[test]
    fn an_old_python_and_one_without_venv_are_refused_with_what_to_install() {
        let python = |minor, pip: Option<&str>| super::Python {
            version: (3, minor, 0),
            executable: "/usr/bin/python3".into(),
            pip: pip.map(str::to_owned),
        };
        assert!(usable(python(8, Some("20.0"))).is_ok());
        for refused in [python(7, Some("20.0")), python(12, None)] {
            let why = usable(refused).err().expect("it is not usable");
            assert!(
                why.contains("/usr/bin/python3") && why.contains("apt-get install"),
                "{why}"
            );
        }
    }
}
