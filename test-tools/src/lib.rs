//! The tools that the tests and the measurements run on: Pythons, tools from the package index, container engines, and
//! the projects and environments that they make. What is missing is installed into the target folder, where that can be
//! done without asking; `cargo xtask test` does it before the tests, and each test does it for itself.

mod docker;
mod foreign;
mod once;
mod packages;
mod projects;
mod python;
mod rootfs;
mod user;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

pub use docker::{Container, Engine, IMAGE, engine, podman, start_docker, start_podman};
pub use foreign::arm64_root;
pub use packages::{PACKAGES, install, tool, tools, version};
pub use projects::{
    conda_environment, conda_stand_in, poetry, poetry_project, succeeds, uv_project,
};
pub use python::{Python, Version, prepare_python, pyenv_root, python, pythons};
pub use rootfs::{make_rootfs, rootfs};
pub use user::{is_root, unprivileged};

/// Whether a tool that is missing is a failure: `SNAKEPIT_TESTS_REQUIRE=all`.
pub fn all_required() -> bool {
    env::var_os("SNAKEPIT_TESTS_REQUIRE").is_some_and(|level| level == "all")
}

/// Says loudly that a test lacks something; fails where everything has to be there.
///
/// # Panics
/// If `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn skip(lacking: &str) {
    assert!(!all_required(), "needs {lacking}");
    // Not `eprintln!`, which the test harness swallows when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped: needs {lacking}");
}

/// The folder for what is installed: `test-tools` in the target folder of the running program, which cargo marks with
/// `CACHEDIR.TAG`.
///
/// # Panics
/// If it cannot be made.
pub fn folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let mut above = program.ancestors();
    let target = above.find(|folder| folder.join("CACHEDIR.TAG").exists());
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = target.unwrap_or(&own).join("test-tools");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}
