//! What activating virtual environments between builds costs, beside PyO3, whose build script watches the variables.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::env;
use std::path::{Path, PathBuf};

use snakepit_test_tools::{python, skip};
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/activation");

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv(venv_path = ".venv"))]
    pub ml: PoolConfig,
    #[pool]
    pub detected: PoolConfig,
}

fn main() {
    println!("{}", AppConfig::ML.command);
}
"#;

const TIMES: usize = 20;

#[test]
fn twenty_activations_between_builds_rebuild_nothing() {
    let target = Path::new(TARGET);
    let ours = HostPackage::new("host-activation", target, "default-features = false", MAIN);
    python().make_venv(&ours.path(".venv"));
    let folder = tempfile::tempdir().unwrap();
    let venvs = ["one", "other"].map(|name| folder.path().join(name));
    for venv in &venvs {
        python().make_venv(venv);
    }
    check(&ours, &venvs[0]);
    assert_eq!(rebuilds(&ours, &venvs), 0);

    match HostPackage::pyo3(target) {
        Ok(pyo3) => {
            check(&pyo3, &venvs[0]);
            let theirs = rebuilds(&pyo3, &venvs);
            println!("{TIMES} activations between builds: 0 rebuilds, with PyO3 {theirs}");
        }
        Err(lacking) => skip(&lacking),
    }
}

/// How often a `cargo check` with another environment activated than before compiles anything.
fn rebuilds(package: &HostPackage, venvs: &[PathBuf; 2]) -> usize {
    let turns = (1..=TIMES).map(|turn| &venvs[turn % 2]);
    let compiled = |said: String| {
        ["Compiling", "Checking"]
            .iter()
            .any(|word| said.contains(word))
    };
    turns.filter(|venv| compiled(check(package, venv))).count()
}

/// `cargo check` in a shell where a virtual environment is activated, and a conda environment named.
fn check(package: &HostPackage, venv: &Path) -> String {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [venv.join("bin")]
        .into_iter()
        .chain(env::split_paths(&path));
    let mut cargo = package.cargo(["check", "--offline", "--verbose"]);
    cargo
        .env("VIRTUAL_ENV", venv)
        .env("CONDA_PREFIX", venv)
        .env("PATH", env::join_paths(folders).unwrap());
    let checked = Outcome::of(&mut cargo);
    assert!(checked.success, "{}", checked.stderr);
    checked.stderr
}
