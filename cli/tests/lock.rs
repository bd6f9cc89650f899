//! `cargo snakepit lock`: the lock written, compared and obeyed.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::fs;

use snakepit_test_tools as tools;
use support::Package;

fn package() -> Package {
    let package = Package::with_pools(
        "    #[pool(environment = venv)]\n    web: PoolConfig,\n    #[pool(environment = venv)]\n    ml: PoolConfig,",
    );
    package.venv(".venv");
    package
}

/// Gives the venv a distribution, as an installer would.
fn install(package: &Package, version: &str) {
    let version_of_python = tools::python().version.to_string();
    let minor: Vec<&str> = version_of_python.split('.').take(2).collect();
    let site = format!(".venv/lib/python{}/site-packages", minor.join("."));
    for old in ["1.0", "2.0"] {
        let _ = fs::remove_dir_all(package.path(&format!("{site}/demo-{old}.dist-info")));
    }
    let text = format!("Metadata-Version: 2.1\nName: demo\nVersion: {version}\n");
    package
        .host
        .write(&format!("{site}/demo-{version}.dist-info/METADATA"), &text);
}

#[test]
fn a_lock_is_written_compared_and_written_anew() {
    let package = package();
    install(&package, "1.0");
    let absent = package.run(&["lock", "--check"]);
    assert_eq!(absent.status, Some(1), "{absent:?}");
    assert!(absent.stdout.contains("there is no lock"), "{absent:?}");
    assert!(
        absent
            .stdout
            .contains("help: write it: `cargo snakepit lock`"),
        "{absent:?}"
    );
    assert!(!package.path("snakepit.lock").exists());

    let written = package.run(&["lock"]);
    assert_eq!(written.status, Some(0), "{written:?}");
    assert!(written.stdout.contains("wrote ") && package.path("snakepit.lock").is_file());
    for arguments in [
        &["lock", "--check"][..],
        &["lock", "--diff"],
        &["lock"],
        &["check"],
    ] {
        let same = package.run(arguments);
        assert_eq!(same.status, Some(0), "{same:?}");
    }

    install(&package, "2.0");
    let differs = package.run(&["lock", "--check"]);
    assert_eq!(differs.status, Some(1));
    for wanted in [
        "AppConfig.ml",
        "fingerprint.distributions.demo",
        "      - 1.0\n      + 2.0\n",
        "cargo snakepit lock",
    ] {
        assert!(
            differs.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            differs.stdout
        );
    }
    assert_eq!(package.run(&["lock", "--diff"]).status, Some(0));
    // Neither has written anything, and a check finds what a build would.
    let checked = package.run(&["check"]);
    assert_eq!(checked.status, Some(1));
    assert_eq!(
        checked.stdout.matches("[snakepit::lock_mismatch]").count(),
        2,
        "{}",
        checked.stdout
    );

    let again = package.run(&["lock"]);
    assert!(again.stdout.contains("      + 2.0\n"), "{again:?}");
    assert_eq!(package.run(&["lock", "--check"]).status, Some(0));
}

#[test]
fn a_lock_that_cannot_be_read_is_told_once_and_a_pool_that_fails_is_not_locked() {
    let package = package();
    package.host.write("snakepit.lock", "<<<<<<< HEAD\n");
    let checked = package.run(&["check"]);
    assert_eq!(checked.status, Some(1));
    assert_eq!(
        checked.stdout.matches("[snakepit::lock_conflict]").count(),
        1,
        "{}",
        checked.stdout
    );
    assert_eq!(package.run(&["lock", "--check"]).status, Some(1));
    assert_eq!(package.run(&["lock"]).status, Some(0));
    assert_eq!(package.run(&["check"]).status, Some(0));

    let before = fs::read(package.path("snakepit.lock")).unwrap();
    fs::remove_dir_all(package.path(".venv")).unwrap();
    let failed = package.run(&["lock"]);
    assert_eq!(failed.status, Some(1));
    assert!(
        failed.stdout.contains("[snakepit::venv_not_found]"),
        "{failed:?}"
    );
    assert!(failed.stdout.contains("--> src/main.rs:6"), "{failed:?}");
    assert_eq!(fs::read(package.path("snakepit.lock")).unwrap(), before);
}
