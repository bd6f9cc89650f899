//! Tools from the package index, each in a virtual environment of its own in the target folder.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{python, skipped};

/// The folder with a tool's programs, installed where it is not there yet; `None`, said aloud, where it cannot be
/// had.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
pub(crate) fn tool(package: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("it is a folder of the target folder");
    let folder = target.join("test-tools").join(package);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // One installs, the others wait for it.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock()
        .expect("a file of the target folder can be locked");
    let ready = folder.join("ready");
    let bin = folder.join("venv/bin");
    if ready.exists() || install(package, &folder.join("venv")) {
        File::create(ready).expect("the target folder can be written");
        return Some(bin);
    }
    skipped(package);
    None
}

fn install(package: &str, venv: &Path) -> bool {
    let ran = |program: &Path, args: &[&str]| {
        Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let text = venv.to_str().expect("the target folder's name is UTF-8");
    ran(&python(), &["-m", "venv", "--clear", text])
        && ran(
            &venv.join("bin/python"),
            &[
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                package,
            ],
        )
}

/// Runs poetry in a project, as nobody's shell would have it.
///
/// # Panics
/// If it fails.
pub(crate) fn poetry(program: &Path, project: &Path, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .arg("--no-interaction")
        .current_dir(project)
        .env_remove("VIRTUAL_ENV")
        .env_remove("CONDA_PREFIX")
        .stdin(Stdio::null())
        .output()
        .expect("poetry can be started");
    assert!(
        output.status.success(),
        "poetry {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
