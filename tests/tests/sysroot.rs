//! A program that is built for a root file system of which nothing is run, and then runs in it.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::Path;

use snakepit_test_tools::{arm64_root, rootfs};
use snakepit_tests::{HostPackage, Outcome, Root};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/sysroot");

const MAIN: &str = r#"use snakepit::{PoolConfig, Recheck, snakepit_pools};

#[snakepit_pools(anchor = exe)]
pub struct AppConfig {
    #[pool(environment = system, adapter = embed("tools.py"), python = ">=3.8")]
    pub machine: PoolConfig,
}

fn main() {
    AppConfig::MACHINE.recheck_with(Recheck::Thorough).unwrap();
    let mut python = AppConfig::MACHINE.command().unwrap();
    let said = python.args(["-c", "import sys; print(*sys.version_info[:3], sep='.')"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.trim(), AppConfig::MACHINE.metadata.python_version);
    println!("{} is Python {}", AppConfig::MACHINE.command, said.trim());
}
"#;

/// Each package has a name of its own: packages of one name in one target folder replace each other's program.
fn build(name: &str, root: &Path) -> (HostPackage, Outcome) {
    let package = HostPackage::new(name, Path::new(TARGET), "default-features = false", MAIN);
    package.write("tools.py", "def greet(name):\n    return name\n");
    let mut cargo = package.cargo(["build", "--offline"]);
    let built = Outcome::of(cargo.env("SNAKEPIT_SYSROOT", root));
    (package, built)
}

#[test]
fn a_program_is_built_for_a_root_file_system_and_runs_in_it() {
    let (Some(folder), Some(mut root)) = (rootfs(), Root::new()) else {
        return;
    };
    let (package, built) = build("host-sysroot", folder);
    built.stdout();
    let program = package.program();
    root.share(program.get_program(), "/mnt/app");
    let said = root.shell("/mnt/app").stdout();
    assert!(said.starts_with("/usr/bin/python3 is Python 3."), "{said}");
}

#[test]
fn an_interpreter_for_another_processor_is_refused_by_name_at_the_attribute() {
    let Some(folder) = arm64_root().filter(|_| cfg!(target_arch = "x86_64")) else {
        return;
    };
    let (_package, built) = build("host-sysroot-foreign", folder);
    let errors = built.failure();
    assert!(
        errors.contains(
            "pool `machine`: `/usr/bin/python3` is a program for aarch64 (64 bits, little endian), but what is built \
             is for x86_64 (64 bits, little endian) [snakepit::sysroot_interpreter_foreign]"
        ),
        "{errors}"
    );
    assert!(errors.contains(" --> src/main.rs:5:"), "{errors}");
}
