//! Programs that are moved as a whole with their environment, built by a real cargo.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_test_tools::python;
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/anchor");

/// Prints its constants, and what its Python says of itself.
const MAIN: &str = r#"use snakepit::{PoolConfig, Recheck, snakepit_pools};

#[snakepit_pools(anchor = ANCHOR, anchor_root = "bundle")]
pub struct AppConfig {
    #[pool(environment = venv(venv_path = "bundle/env"), adapter = "tools", python_path = ["bundle/python"])]
    pub ml: PoolConfig,
}

fn main() {
    println!("{:#?}", AppConfig::ML);
    let run = || {
        AppConfig::ML.recheck_with(Recheck::Thorough)?;
        let mut command = AppConfig::ML.command()?;
        command.args(["-c", "import sys; print('prefix', sys.prefix)"]);
        Ok::<_, snakepit::SpecError>(command)
    };
    match run() {
        Ok(mut command) => drop(command.status().unwrap()),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
"#;

/// A package whose folder `bundle` has all that its program needs, but not the program yet.
fn package(name: &str, anchor: &str, target: &str) -> HostPackage {
    let target = Path::new(TARGET).join(target);
    let main = MAIN.replace("ANCHOR", anchor);
    let package = HostPackage::new(name, &target, "default-features = false", &main);
    package.write(
        "bundle/python/tools.py",
        "def greet(name):\n    return name\n",
    );
    python().make_venv(&package.path("bundle/env"));
    package
}

/// The program, put into its bundle, and that moved to another folder.
fn moved(package: &HostPackage, to: &Path) -> PathBuf {
    let program = package.path("bundle/bin/app");
    fs::create_dir(program.parent().unwrap()).unwrap();
    fs::copy(package.program().get_program(), &program).unwrap();
    let mut mv = Command::new("mv");
    let status = mv.arg(package.path("bundle")).arg(to).status();
    assert!(status.unwrap().success());
    to.join("bin/app")
}

#[test]
fn a_package_that_is_built_in_two_folders_is_the_same_program() {
    let built = ["one", "two"].map(|target| {
        let package = package("anchored", "exe(\"..\")", target);
        let target = Path::new(TARGET).join(target);
        let folder = fs::canonicalize(package.path("")).unwrap();
        let flags = format!(
            "--remap-path-prefix={}=/package --remap-path-prefix={}=/target",
            folder.display(),
            target.display()
        );
        let mut cargo = package.cargo(["build", "--offline"]);
        Outcome::of(cargo.env("RUSTFLAGS", flags)).stdout();
        let program = package.program();
        let bytes = fs::read(program.get_program()).unwrap();
        // Beside the target folder there is no environment, and the constants are told all the same.
        let output = package.program().output().unwrap();
        let constants = String::from_utf8(output.stdout).unwrap();
        assert!(
            constants.contains("\"{anchor}/env/bin/python3\""),
            "{constants}"
        );
        let package = folder.to_str().unwrap().to_owned();
        assert!(!constants.contains(&package), "{constants}");
        (constants, bytes)
    });
    let [(one, first), (two, second)] = built;
    assert_eq!(one, two);
    assert!(first == second, "the programs differ");
}

#[test]
fn a_bundle_of_program_and_environment_runs_wherever_it_is_moved() {
    let package = package("anchored-moved", "exe(\"..\")", "one");
    package.build(&[]).stdout();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = fs::canonicalize(elsewhere.path())
        .unwrap()
        .join("new place");
    let program = moved(&package, &place);
    let prefix = format!("prefix {}", place.join("env").display());
    let said = Outcome::of(&mut Command::new(&program)).stdout();
    assert_eq!(said.lines().last().unwrap(), prefix);
    // What is gone there is told with its path there.
    fs::remove_file(place.join("env/pyvenv.cfg")).unwrap();
    let error = Outcome::of(&mut Command::new(&program)).failure();
    let wanted = format!(
        "`{}` was there, now it is gone",
        place.join("env/pyvenv.cfg").display()
    );
    assert!(error.contains(&wanted), "{error}");
}

#[test]
fn a_variable_tells_where_the_bundle_is_and_one_that_tells_nothing_is_an_error() {
    let package = package("anchored-by-variable", "env(\"APP_ROOT\")", "one");
    package.build(&[]).stdout();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = fs::canonicalize(elsewhere.path()).unwrap().join("app");
    let program = moved(&package, &place);
    let run = |root: Option<&str>| {
        let mut command = Command::new(&program);
        command.env_remove("APP_ROOT").current_dir(elsewhere.path());
        if let Some(root) = root {
            command.env("APP_ROOT", root);
        }
        Outcome::of(&mut command)
    };
    let said = run(Some(place.to_str().unwrap())).stdout();
    let prefix = format!("prefix {}", place.join("env").display());
    assert_eq!(said.lines().last().unwrap(), prefix);
    for (root, found) in [
        (None, "it is not set"),
        (Some(""), "it is empty"),
        (Some("app"), "it is `app`, which is no absolute path"),
    ] {
        let error = run(root).failure();
        assert!(
            error.contains("pool `ml`: `APP_ROOT` is to name the folder"),
            "{error}"
        );
        assert!(error.contains(found), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let error = run(Some("/nowhere")).failure();
    assert!(
        error.contains("`/nowhere/env/bin/python3` was there, now it is gone"),
        "{error}"
    );
}
