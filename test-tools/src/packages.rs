//! Tools from the package index, each in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::once::made_once;
use crate::{python, skip};

/// Everything that the tests take from the package index.
pub const PACKAGES: [&str; 8] = [
    "uv",
    "poetry",
    "virtualenv",
    "py-rattler",
    "numpy",
    "orjson",
    "pydantic",
    // With `grpcio` and `protobuf`.
    "grpcio-status",
];

/// The program of a tool that is named like its package; `None`, said aloud, where it cannot be had.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn tool(package: &str) -> Option<PathBuf> {
    Some(tools(package)?.join(package))
}

/// The folder with a tool's programs; `None`, said aloud, where it cannot be had.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn tools(package: &str) -> Option<PathBuf> {
    match install(package) {
        Ok(bin) => Some(bin),
        Err(why) => {
            skip(&format!("{package}: {why}"));
            None
        }
    }
}

/// The folder with a tool's programs, installed where it is not there yet.
///
/// # Errors
/// What pip said.
///
/// # Panics
/// If the target folder cannot be written.
pub fn install(package: &str) -> Result<PathBuf, String> {
    let bin = |folder: &Path| folder.join("venv/bin");
    // The Python that it was made with may be gone.
    let is_gone = |folder: &Path| !bin(folder).join("python").exists();
    let make = |folder: &Path| {
        let venv = folder.join("venv");
        let text = venv.to_str().expect("the target folder's name is UTF-8");
        run(&python().path, &["-m", "venv", "--clear", text])?;
        let quietly = ["--quiet", "--disable-pip-version-check"];
        let args = [&["-m", "pip", "install"][..], &quietly, &[package]].concat();
        run(&bin(folder).join("python"), &args).map(drop)
    };
    made_once(package, is_gone, make).map(|folder| bin(&folder))
}

/// The version of an installed tool, whose programs are in `bin`.
///
/// # Errors
/// What Python said.
pub fn version(package: &str, bin: &Path) -> Result<String, String> {
    let script = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))";
    run(&bin.join("python"), &["-c", script, package])
}

/// What a program prints; of one that fails, its last line.
fn run(program: &Path, args: &[&str]) -> Result<String, String> {
    let shown = program.display();
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{shown}` does not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(format!(
        "`{shown} {}` failed: {}",
        args.join(" "),
        line.unwrap_or("it said nothing")
    ))
}
