//! `cargo snakepit list`: all that is there, without running any Python.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::fs;
use std::path::Path;

use support::{Ended, Package, ended, script};

/// A machine of files: its home folder, its search path and a project; what is run of it leaves a trace.
struct Machine {
    package: Package,
}

impl Machine {
    fn new() -> Self {
        let package = Package::with_pools("");
        let machine = Self { package };
        fs::create_dir_all(machine.path("project")).unwrap();
        for path in [
            "home/.pyenv/versions/3.11.7/bin/python3",
            "home/.pyenv/versions/3.9.18/bin/python3",
            "home/.local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu/bin/python3",
            "home/miniforge3/envs/vision/bin/python",
            "bin/python3",
            "project/.venv/bin/python3",
        ] {
            machine.python(path);
        }
        for path in [
            "home/miniforge3/conda-meta/history",
            "home/miniforge3/envs/vision/conda-meta/python-3.12.4-h1_0.json",
        ] {
            machine.package.host.write(path, "{}");
        }
        machine.package.host.write(
            "project/.venv/pyvenv.cfg",
            "home = /usr/bin\nversion = 3.10.2\n",
        );
        machine.package.host.write(
            "home/.cache/pypoetry/virtualenvs/web-py3.12/pyvenv.cfg",
            "version = 3.12.7\n",
        );
        machine
            .package
            .host
            .write("project/service/uv.lock", "version = 1\n");
        machine.package.host.write(
            "project/other/pyvenv.cfg",
            "home = /usr/bin\nversion_info = 3.8.1.final.0\n",
        );
        machine
    }

    fn path(&self, relative: &str) -> std::path::PathBuf {
        self.package.path(relative)
    }

    /// An interpreter that tells on whoever runs it.
    fn python(&self, relative: &str) {
        // An ELF file would do better; what is no script is no shim.
        script(
            &self.path(relative),
            &format!(
                "\u{7f}\necho {relative} >> '{}'\n",
                self.path("ran").display()
            ),
        );
    }

    fn list(&self, folder: &Path) -> Ended {
        let mut command = self.package.snakepit(&["list", folder.to_str().unwrap()]);
        for name in [
            "PYENV_ROOT",
            "PYENV_VERSION",
            "XDG_DATA_HOME",
            "CONDA_EXE",
            "UV_PYTHON_INSTALL_DIR",
            "WORKON_HOME",
            "XDG_CACHE_HOME",
            "POETRY_CACHE_DIR",
            "POETRY_VIRTUALENVS_PATH",
        ] {
            command.env_remove(name);
        }
        ended(
            command
                .env("HOME", self.path("home"))
                .env("PATH", self.path("bin")),
        )
    }
}

#[test]
fn every_environment_is_listed_with_its_attribute_and_no_python_is_run() {
    let machine = Machine::new();
    let ended = machine.list(&machine.path("project"));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let path = |relative: &str| machine.path(relative).display().to_string();
    for (attribute, version, place) in [
        (
            "venv(venv_path = \".venv\")".to_owned(),
            "3.10.2",
            path("project/.venv"),
        ),
        (
            "uv(project_dir = \"service\")".to_owned(),
            "",
            path("project/service/uv.lock"),
        ),
        (
            "venv(venv_path = \"other\")".to_owned(),
            "3.8.1",
            "its interpreter is gone".to_owned(),
        ),
        (
            format!(
                "venv(venv_path = {:?})",
                path("home/.cache/pypoetry/virtualenvs/web-py3.12")
            ),
            "3.12.7",
            path("home/.cache/pypoetry/virtualenvs/web-py3.12"),
        ),
        (
            "pyenv(python_version = \"3.9.18\")".to_owned(),
            "3.9.18",
            path("home/.pyenv/versions/3.9.18"),
        ),
        (
            "pyenv(python_version = \"3.11.7\")".to_owned(),
            "3.11.7",
            path("home/.pyenv/versions/3.11.7"),
        ),
        (
            "conda(environment_name = \"vision\")".to_owned(),
            "3.12.4",
            path("home/miniforge3/envs/vision"),
        ),
        (
            format!(
                "system(python_executable = {:?})",
                path("home/.local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu/bin/python3")
            ),
            "3.13.1",
            "uv's own".to_owned(),
        ),
        (
            format!("system(python_executable = {:?})", path("bin/python3")),
            "",
            path("bin/python3"),
        ),
    ] {
        let line = ended
            .stdout
            .lines()
            .find(|line| line.starts_with(&attribute));
        let line = line.unwrap_or_else(|| panic!("no `{attribute}` in\n{}", ended.stdout));
        assert!(line.contains(version) && line.contains(&place), "{line}");
    }
    assert!(
        ended.stdout.contains("chooses venv(venv_path = \".venv\")"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("because of `.venv` in"),
        "{}",
        ended.stdout
    );
    assert!(
        !machine.path("ran").exists(),
        "{:?}",
        fs::read_to_string(machine.path("ran"))
    );
}

#[test]
fn what_is_no_directory_is_told_and_an_empty_machine_has_an_answer() {
    let machine = Machine::new();
    let absent = machine.list(&machine.path("absent"));
    assert_eq!(absent.status, Some(2));
    assert!(absent.stderr.contains("cannot be looked at"), "{absent:?}");
    let file = machine.list(&machine.path("Cargo.toml"));
    assert_eq!(file.status, Some(2));
    assert!(file.stderr.contains("is no directory"), "{file:?}");
    for folder in ["home", "bin"] {
        fs::remove_dir_all(machine.path(folder)).unwrap();
    }
    fs::create_dir(machine.path("empty")).unwrap();
    let empty = machine.list(&machine.path("empty"));
    assert_eq!(empty.status, Some(0));
    assert!(empty.stdout.contains("chooses system"), "{empty:?}");
    assert!(
        empty.stdout.contains("no other environment was found"),
        "{empty:?}"
    );
}
