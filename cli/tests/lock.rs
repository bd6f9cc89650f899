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

#[test]
fn what_cannot_be_read_is_told_as_check_tells_it_and_costs_the_lock_nothing() {
    let package = package();
    assert_eq!(package.run(&["lock"]).status, Some(0));
    let before = fs::read(package.path("snakepit.lock")).unwrap();
    let main = fs::read_to_string(package.path("src/main.rs")).unwrap();
    for (from, to, wanted) in [
        (
            "environment = venv",
            "enviroment = venv",
            "did you mean `environment`?",
        ),
        (
            "environment = venv",
            "environment = vnv",
            "did you mean `venv`?",
        ),
        ("fn main() {", "fn main( {", "is not Rust"),
    ] {
        package
            .host
            .write("src/main.rs", &main.replacen(from, to, 1));
        for arguments in [
            &["lock"][..],
            &["lock", "--check"],
            &["check"],
            &["run", "--pool", "web"],
        ] {
            let said = package.run(arguments);
            assert_eq!(said.status, Some(1), "{said:?}");
            let is_shown = said.stdout.contains(wanted);
            assert!(
                is_shown || said.stderr.contains("`cargo snakepit check` shows"),
                "{said:?}"
            );
        }
        assert_eq!(fs::read(package.path("snakepit.lock")).unwrap(), before);
    }
}

#[test]
fn files_that_the_build_script_names_are_looked_at_as_its_last_run_named_them() {
    let package = Package::new(
        "#[path = \"../other/pools.rs\"]\nmod pools;\n\nfn main() {\n    println!(\"{:?}\", pools::AppConfig::default());\n}\n",
    );
    package.host.write(
        "other/pools.rs",
        "#[snakepit::snakepit_pools]\n#[derive(Debug, Default)]\npub struct AppConfig {\n    #[pool(environment = venv)]\n    ml: snakepit::PoolConfig,\n}\n",
    );
    package.host.write(
        "build.rs",
        "fn main() {\n    snakepit_build::Builder::new().source(\"other/pools.rs\").emit();\n}\n",
    );
    package.venv(".venv");
    for arguments in [&["check"][..], &["lock"]] {
        let early = package.run(arguments);
        assert_eq!(early.status, Some(1), "{early:?}");
        assert!(
            early.stdout.contains("run `cargo build` first"),
            "{early:?}"
        );
    }
    package.host.build(&[]).stdout();
    let checked = package.run(&["check"]);
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("ml"), "{checked:?}");
    let locked = package.run(&["lock"]);
    assert_eq!(locked.status, Some(0), "{locked:?}");
    package.host.build(&[]).stdout();
    assert_eq!(package.run(&["lock", "--check"]).status, Some(0));
}

#[test]
fn without_a_pool_there_is_nothing_to_lock() {
    let package = Package::new("fn main() {}\n");
    let said = package.run(&["lock"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(said.stdout.contains("nothing to lock"), "{said:?}");
    assert!(!package.path("snakepit.lock").exists());
}
