//! `snakepit.lock` against a real cargo: a build obeys it, and an offline one needs nothing else.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use snakepit_build::{Builder, Lock};
use snakepit_test_tools::python;
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/lock");

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(
        environment = venv(venv_path = ".venv"),
        adapter = embed("python/tools.py"),
        python_path = ["python"],
        env(MODE = "{fast}"),
    )]
    pub ml: PoolConfig,
    #[pool]
    pub auto: PoolConfig,
}

fn main() {
    for pool in AppConfig::POOLS {
        println!("{pool:#?}");
        let status = pool.command().unwrap().args(["-c", "print('it runs')"]).status().unwrap();
        assert!(status.success());
    }
}
"#;

/// A package with a whole environment and no lock.
fn package(name: &str) -> HostPackage {
    let package = HostPackage::new(name, Path::new(TARGET), "default-features = false", MAIN);
    package.write("python/tools.py", "def greet(name):\n    return name\n");
    python().make_venv(&package.path(".venv"));
    package
}

/// What `cargo snakepit lock` does.
fn lock(package: &HostPackage) -> Lock {
    let found = Builder::new().lock(&package.path("")).unwrap();
    found.write(&package.path("")).unwrap();
    found
}

/// A build on which there is no Python to be found, and where to run one would fail.
fn offline(package: &HostPackage) -> Outcome {
    let mut cargo = package.cargo(["build", "--offline", "--verbose"]);
    Outcome::of(cargo.env("SNAKEPIT_OFFLINE", "1"))
}

fn verbose(package: &HostPackage) -> Outcome {
    Outcome::of(&mut package.cargo(["build", "--offline", "--verbose"]))
}

fn ran(build: &Outcome) -> bool {
    build.stderr.contains("/build-script-build`")
}

/// Gives the venv a distribution, as an installer would.
fn install(package: &HostPackage, name: &str, version: &str) {
    let script = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let mut python = Command::new(package.path(".venv/bin/python"));
    let folder = Outcome::of(python.args(["-c", script])).stdout();
    let folder = Path::new(folder.trim());
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let file = entry.file_name().into_string().unwrap();
        if file.starts_with(&format!("{name}-")) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let info = folder.join(format!("{name}-{version}.dist-info"));
    fs::create_dir(&info).unwrap();
    fs::write(
        info.join("METADATA"),
        format!("Name: {name}\nVersion: {version}\n"),
    )
    .unwrap();
}

#[test]
fn a_build_obeys_its_lock_and_lists_every_difference() {
    let package = package("host-lock");
    install(&package, "demo", "1.0");
    verbose(&package).stdout();
    assert!(!ran(&verbose(&package)), "without a lock");

    let first = lock(&package);
    let text = fs::read_to_string(package.path("snakepit.lock")).unwrap();
    println!("{text}");
    assert!(!text.contains(package.path("").to_str().unwrap()), "{text}");
    assert!(text.contains("demo = \"1.0\""), "{text}");
    let build = verbose(&package);
    assert!(build.success && ran(&build), "the lock is noticed");
    assert!(!ran(&verbose(&package)), "with a lock");
    let own = package_lock(&package);
    assert_eq!(own, text, "the build script would write the same");

    install(&package, "demo", "2.0");
    install(&package, "more", "0.1");
    let said = verbose(&package).failure();
    for part in [
        "error: pool `ml`: this is not what `snakepit.lock` says:",
        "fingerprint.distributions.demo: the lock says `1.0`, here is `2.0`",
        "fingerprint.distributions.more: the lock says nothing, here is `0.1`",
        "[snakepit::lock_mismatch]",
        "`cargo snakepit lock`",
    ] {
        assert!(said.contains(part), "`{part}`:\n{said}");
    }
    let found = lock(&package);
    let differences: Vec<String> = first
        .compare(&found)
        .iter()
        .map(ToString::to_string)
        .collect();
    println!("{differences:#?}");
    assert_eq!(Lock::read(&package.path("")).unwrap(), Some(found));
    verbose(&package).stdout();
    assert!(!ran(&verbose(&package)), "with another lock");

    fs::remove_file(package.path("snakepit.lock")).unwrap();
    let build = verbose(&package);
    assert!(build.success && ran(&build), "it is gone");
    assert!(!ran(&verbose(&package)), "without it");
}

/// What the build script would lock.
fn package_lock(package: &HostPackage) -> String {
    let folders = fs::read_dir(Path::new(TARGET).join("debug/build")).unwrap();
    let name = package.path("");
    let mut found = folders.flatten().filter_map(|folder| {
        let folder = folder.path();
        let out = fs::read_to_string(folder.join("output")).ok()?;
        let is_own = out.contains(name.to_str()?);
        is_own.then(|| fs::read_to_string(folder.join("out/snakepit.lock")).unwrap())
    });
    found.next().expect("the build script ran")
}

#[test]
fn an_offline_build_is_the_same_program_and_needs_a_lock_of_its_sources() {
    let package = package("host-lock-offline");
    let said = offline(&package).failure();
    assert_eq!(
        said.matches("[snakepit::lock_not_found]").count(),
        1,
        "{said}"
    );
    lock(&package);
    offline(&package).stdout();
    let alone = Outcome::of(&mut package.program()).stdout();
    verbose(&package).stdout();
    let found = Outcome::of(&mut package.program()).stdout();
    assert_eq!(alone, found);
    assert!(
        found.contains("it runs") && found.contains("{fast}"),
        "{found}"
    );

    package.write("python/tools.py", "def greet(name):\n    return 2 * name\n");
    let said = offline(&package).failure();
    assert!(
        said.contains("fingerprint.adapter: the lock says `sha256:"),
        "{said}"
    );
    package.write(
        "src/main.rs",
        &MAIN.replace("#[pool]", "#[pool(python = \">=3.9\")]"),
    );
    let said = offline(&package).failure();
    let part = "declared.python: the lock says nothing, here is `>=3.9`";
    assert!(said.contains(part), "{said}");

    // A pool with a mistake is still one of the lock's.
    package.write("src/main.rs", &MAIN.replace("#[pool]", "#[pool(sise = 1)]"));
    for said in [offline(&package).failure(), verbose(&package).failure()] {
        assert!(said.contains("[snakepit::key_unknown]"), "{said}");
        assert!(!said.contains("[snakepit::lock_pool"), "{said}");
    }
}
