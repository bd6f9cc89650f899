//! Projects and environments that the real tools make.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{python, tools};

/// Runs a command that has to succeed, as nobody's shell would have it.
///
/// # Panics
/// If it fails.
#[track_caller]
pub fn succeeds(program: &Path, args: &[&str], cwd: &Path) {
    let output = Command::new(program)
        .args(args)
        .current_dir(cwd)
        .env_remove("VIRTUAL_ENV")
        .env_remove("CONDA_PREFIX")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{}`: {error}", program.display()));
    assert!(
        output.status.success(),
        "`{}` {args:?}: {}{}",
        program.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A project without dependencies, locked and synced by the real uv.
///
/// # Panics
/// If the folder cannot be written, or uv fails.
#[track_caller]
pub fn uv_project(uv: &Path, folder: &Path) {
    let text = "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n";
    fs::write(folder.join("pyproject.toml"), text).expect("the folder can be written");
    let python = python().path.to_str().expect("its path is UTF-8");
    succeeds(uv, &["sync", "--quiet", "--python", python], folder);
}

/// Runs poetry in a project.
///
/// # Panics
/// If it fails.
#[track_caller]
pub fn poetry(program: &Path, project: &Path, args: &[&str]) {
    succeeds(program, &[args, &["--no-interaction"]].concat(), project);
}

/// A project without dependencies, locked and installed by the real poetry, whose environment is not in the project
/// but in a folder beside it, as by default. Gives the environment.
///
/// # Panics
/// If the folders cannot be written, or poetry fails.
#[track_caller]
pub fn poetry_project(program: &Path, folder: &Path) -> PathBuf {
    let parent = folder.parent().expect("a project stands in a folder");
    let environments = parent.join("poetry-environments");
    let text = "[tool.poetry]\nname = \"Demo_App\"\npackage-mode = false\n";
    let settings = format!("[virtualenvs]\nin-project = false\npath = {environments:?}\n");
    fs::create_dir_all(folder).expect("the folder can be made");
    for (file, text) in [("pyproject.toml", text), ("poetry.toml", &settings)] {
        fs::write(folder.join(file), text).expect("the folder can be written");
    }
    for command in ["lock", "install"] {
        poetry(program, folder, &[command]);
    }
    fs::read_dir(environments)
        .expect("poetry made it")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .expect("poetry made an environment")
}

/// An environment at `prefix` that py-rattler installs from a channel of the tests' own in `folder`: `python` is the
/// tests' Python, `settings` has variables and an activation script. `None`, said aloud, where py-rattler cannot be
/// had.
///
/// # Panics
/// If it cannot be installed, or `SNAKEPIT_TESTS_REQUIRE=all` is set and py-rattler cannot be had.
#[track_caller]
pub fn conda_environment(folder: &Path, prefix: &Path, packages: &[&str]) -> Option<()> {
    let paths = [&conda_maker(), folder, prefix, &python().path];
    let paths = paths.map(|path| path.to_str().expect("it is UTF-8"));
    let args = [&paths[..], packages].concat();
    succeeds(&tools("py-rattler")?.join("python"), &args, folder);
    Some(())
}

fn conda_maker() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conda_channel.py")
}

/// A script for conda, which the package index does not have: py-rattler does in its place what `create` and `install`
/// ask for with `-p PREFIX` or `-n NAME`, with the packages of [`conda_environment`], which are kept in `folder`. `None`,
/// said aloud, where py-rattler cannot be had.
///
/// # Panics
/// If `SNAKEPIT_TESTS_REQUIRE=all` is set and py-rattler cannot be had.
#[track_caller]
pub fn conda_stand_in(folder: &Path) -> Option<String> {
    let rattler = tools("py-rattler")?.join("python");
    Some(format!(
        r#"#!/bin/sh
case $1 in create | install) shift ;; *) exit 64 ;; esac
packages=
while [ $# -gt 0 ]; do
    case $1 in
    -p) prefix=$2; shift ;;
    -n) prefix=$HOME/.conda/envs/$2; shift ;;
    # It is installed again where nobody knows that it is.
    --force-reinstall) again=1 ;;
    *) packages="$packages $1" ;;
    esac
    shift
done
if [ "$again" ]; then for package in $packages; do rm -f "$prefix/conda-meta/$package"-[0-9]*.json; done; fi
exec '{}' '{}' '{}' "$prefix" '{}' $packages
"#,
        rattler.display(),
        conda_maker().display(),
        folder.display(),
        python().path.display()
    ))
}
