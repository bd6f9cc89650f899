//! A host program from its first line to its answers: new packages outside the workspace, built by a real cargo.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use snakepit_test_tools::{python, pythons, skip};
use snakepit_tests::{HostPackage, Outcome};

/// All packages of this file share it, so that what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

const ONE_VENV: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv(venv_path = ".venv"))]
    pub ml: PoolConfig,
}

fn main() {
    let mut command = AppConfig::ML.command().expect("the environment is as the build saw it");
    let status = command.args(["-c", "import sys; print(sys.prefix)"]).status();
    assert!(status.expect("the interpreter starts").success());
}
"#;

fn package(name: &str, main: &str) -> HostPackage {
    HostPackage::new(name, Path::new(TARGET), "", main)
}

#[test]
fn a_deleted_venv_fails_the_build_at_its_attribute_and_the_command_of_the_help_mends_it() {
    let host = package("host-deleted-venv", ONE_VENV);
    let venv = host.path(".venv");
    python().make_venv(&venv);
    host.build(&[]).stdout();

    fs::remove_dir_all(&venv).unwrap();
    let errors = host.build(&[]).failure();
    assert!(errors.contains("[snakepit::venv_not_found]"), "{errors}");
    assert!(errors.contains(" --> src/main.rs:5:"), "{errors}");
    assert_only_error(&errors);
    let command = errors
        .split_once("help: run `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .map(|(command, _)| command)
        .unwrap_or_else(|| panic!("no command in the help:\n{errors}"));

    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(host.path(""));
    Outcome::of(&mut shell).stdout();
    host.build(&[]).stdout();
    let prefix = Outcome::of(&mut host.program()).stdout();
    assert_eq!(Path::new(prefix.trim_end()), venv);
}

#[test]
fn an_unchanged_build_is_fresh_and_so_is_one_with_another_venv_activated() {
    let host = package("host-fresh", ONE_VENV);
    python().make_venv(&host.path(".venv"));
    host.build(&[]).stdout();

    assert_fresh(&host.build(&["--verbose"]));
    let mut path = std::ffi::OsString::from("/elsewhere:");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut activated = host.cargo(["build", "--offline", "--verbose"]);
    activated.env("VIRTUAL_ENV", "/elsewhere").env("PATH", path);
    assert_fresh(&Outcome::of(&mut activated));
}

/// Neither a build script ran nor was anything compiled.
#[track_caller]
fn assert_fresh(build: &Outcome) {
    let said = &build.stderr;
    assert!(
        build.success && said.contains("Fresh host-fresh "),
        "{said}"
    );
    for word in ["Compiling", "Dirty", "Running"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[test]
fn two_venvs_with_different_pythons_serve_one_program() {
    let pythons = pythons();
    let [new, .., old] = pythons.as_slice() else {
        return skip("two Python versions");
    };
    let main = r#"use snakepit::{PoolConfig, SpawnSpec, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = venv(venv_path = "new"))]
    pub new: PoolConfig,
    #[pool(environment = venv(venv_path = "old"))]
    pub old: PoolConfig,
}

#[derive(serde::Deserialize)]
struct Stats {
    python_version: String,
    prefix: String,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    let new: Stats = pools.new.execute("get_stats", &()).await?;
    let old: Stats = pools.old.execute("get_stats", &()).await?;
    print(AppConfig::NEW, &new);
    print(AppConfig::OLD, &old);
    pools.shutdown().await;
    Ok(())
}

fn print(spec: &SpawnSpec, worker: &Stats) {
    let build = &spec.metadata;
    println!("{} {} {}", spec.pool, build.python_version, build.prefix);
    println!("{} {} {}", spec.pool, worker.python_version, worker.prefix);
}
"#;
    let host = package("host-two-pythons", main);
    host.depend_on("serde = { version = \"1\", features = [\"derive\"] }");
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    let mut wanted = String::new();
    for (pool, python) in [("new", new), ("old", old)] {
        python.make_venv(&host.path(pool));
        // What the build saw, and what the worker says.
        let line = format!("{pool} {} {}\n", python.version, host.path(pool).display());
        wanted.push_str(&line.repeat(2));
    }
    host.build(&[]).stdout();
    assert_eq!(Outcome::of(&mut host.program()).stdout(), wanted);
}

#[test]
fn without_default_features_the_program_builds_and_its_command_runs() {
    let host = HostPackage::new(
        "host-thin",
        Path::new(TARGET),
        "default-features = false",
        ONE_VENV,
    );
    let venv = host.path(".venv");
    python().make_venv(&venv);
    host.build(&[]).stdout();
    let prefix = Outcome::of(&mut host.program()).stdout();
    assert_eq!(Path::new(prefix.trim_end()), venv);
    let tree = Outcome::of(&mut host.cargo(["tree", "--offline", "--edges", "normal"])).stdout();
    assert!(!tree.contains("tokio"), "{tree}");
}

#[test]
fn a_package_without_a_build_script_is_told_to_add_one() {
    let host = package("host-without-build-script", ONE_VENV);
    fs::remove_file(host.path("build.rs")).unwrap();
    let errors = host.build(&[]).failure();
    assert!(
        errors.contains("[snakepit::manifest_not_found]"),
        "{errors}"
    );
    assert!(
        errors.contains("help: add a `build.rs` whose `main` calls `snakepit_build::emit()`"),
        "{errors}"
    );
    assert!(errors.contains(" --> src/main.rs:"), "{errors}");
    assert_only_error(&errors);
}

#[test]
fn a_build_script_that_stops_asking_is_told_although_its_last_answer_is_there() {
    let host = package("host-silent-build-script", ONE_VENV);
    python().make_venv(&host.path(".venv"));
    host.build(&[]).stdout();
    fs::write(host.path("build.rs"), "fn main() {}\n").unwrap();
    let errors = host.build(&[]).failure();
    assert!(
        errors.contains("did not call `snakepit_build::emit()` [snakepit::manifest_not_found]"),
        "{errors}"
    );
    assert_only_error(&errors);
}

/// The compiler has nothing to add, such as that a constant is missing.
#[track_caller]
fn assert_only_error(errors: &str) {
    assert!(errors.contains("due to 1 previous error"), "{errors}");
}
