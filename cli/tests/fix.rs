//! `cargo snakepit check --offer-fix`: commands that are shown, and run after a yes.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::io::Write;
use std::process::{Output, Stdio};

use support::Package;

fn package() -> Package {
    Package::with_pools(
        "    #[pool(environment = venv(venv_path = \"one\"))]\n    one: PoolConfig,\n    \
         #[pool(environment = venv(venv_path = \"two\"))]\n    two: PoolConfig,\n    \
         #[pool(environment = venv(venv_path = \"two\"), python_path = [\"absent\"])]\n    three: PoolConfig,",
    )
}

fn answered(package: &Package, more: &[&str], answers: &str) -> (Option<i32>, String) {
    let mut child = package
        .snakepit(&[&["check", "--offer-fix"], more].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answers.as_bytes())
        .unwrap();
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[test]
fn nothing_is_run_without_a_yes_and_what_is_run_is_checked_again() {
    let package = package();
    let (status, said) = answered(&package, &[], "");
    assert_eq!(status, Some(1));
    let command = format!("python3 -m venv {}", package.path("one").display());
    assert!(
        said.contains(&format!("pool `one`: {command} in")),
        "{said}"
    );
    assert!(said.contains("run it? [y/N]"), "{said}");
    assert!(!package.path("one").exists());

    let (status, said) = answered(&package, &[], "n\ny\n");
    assert_eq!(status, Some(1));
    assert!(!package.path("one").exists() && package.path("two/pyvenv.cfg").exists());
    // The same command is offered once, and what no command mends is told.
    assert_eq!(said.matches("run it?").count(), 2, "{said}");
    assert!(said.contains("pool `three`: no command mends it"), "{said}");
    assert!(said.contains("3 pools: 1 fine, 2 failed"), "{said}");
}

#[test]
fn yes_for_scripts_asks_nothing_and_a_fixed_package_is_fine() {
    let package = package();
    std::fs::create_dir(package.path("absent")).unwrap();
    let (status, said) = answered(&package, &["--yes"], "");
    assert_eq!(status, Some(0), "{said}");
    assert!(
        !said.contains("run it?") && said.contains("3 pools: 3 fine"),
        "{said}"
    );
    assert_eq!(package.run(&["check", "--yes"]).status, Some(2));
}
