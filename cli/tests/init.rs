//! `cargo snakepit init`: from `cargo new` to an answer of Python's, and never more than was announced.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_tests::Outcome;
use support::{Ended, ended};
use tempfile::TempDir;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the tests of this file compile once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/init");

/// What `cargo new` makes.
struct Fresh {
    folder: TempDir,
    name: &'static str,
}

impl Fresh {
    fn new(name: &'static str, more: &[&str]) -> Self {
        let fresh = Self {
            folder: tempfile::tempdir().unwrap(),
            name,
        };
        let mut new = fresh.cargo(&["new", "--vcs", "none"]);
        Outcome::of(new.args(more).arg(name).current_dir(fresh.folder.path())).stdout();
        fresh
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(self.name).join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        fs::write(self.path(relative), text).unwrap();
    }

    fn text(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("CARGO_TARGET_DIR", TARGET)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("SNAKEPIT_PYTHON");
        command
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = self.command(&cargo);
        command.args(arguments);
        command
    }

    fn init(&self, more: &[&str]) -> Ended {
        let mut command = self.command(env!("CARGO_BIN_EXE_cargo-snakepit"));
        command
            .args(["snakepit", "init", "--path", WORKSPACE])
            .args(more);
        ended(command.current_dir(self.path(".")))
    }

    /// `cargo run` with the versions that the workspace has downloaded.
    fn run(&self) -> Outcome {
        fs::copy(
            Path::new(WORKSPACE).join("Cargo.lock"),
            self.path("Cargo.lock"),
        )
        .unwrap();
        Outcome::of(self.cargo(&["run"]).current_dir(self.path(".")))
    }

    /// All files with their texts.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path(".")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        files
    }
}

#[test]
fn a_new_package_answers_after_init_and_cargo_run_alone() {
    let fresh = Fresh::new("fresh-answers", &[]);
    let before = fresh.files();
    let dry = fresh.init(&["--dry-run"]);
    assert_eq!(dry.status, Some(0), "{dry:?}");
    assert_eq!(fresh.files(), before);
    assert!(dry.stdout.contains("nothing was changed"), "{dry:?}");

    let done = fresh.init(&[]);
    assert_eq!(done.status, Some(0), "{done:?}");
    // What was announced is what happened, and the dry run had announced the same.
    let announced = |ended: &Ended, verb: &str| {
        let lines = ended
            .stdout
            .lines()
            .filter_map(|line| line.trim().strip_prefix(verb)?.split_whitespace().next());
        lines.map(|path| fresh.path(path)).collect::<Vec<_>>()
    };
    for verb in ["create", "change"] {
        assert_eq!(announced(&dry, verb), announced(&done, verb));
    }
    let after = fresh.files();
    let created: Vec<&PathBuf> = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .collect();
    let mut wanted = announced(&done, "create");
    wanted.sort();
    let plain = |path: &PathBuf| path.components().collect::<PathBuf>();
    assert_eq!(
        created.iter().map(|path| plain(path)).collect::<Vec<_>>(),
        wanted.iter().map(plain).collect::<Vec<_>>()
    );

    let said = fresh.run().stdout();
    assert!(said.starts_with("hello, world, from Python 3."), "{said}");

    let again = fresh.files();
    let there = fresh.init(&[]);
    assert_eq!(there.status, Some(0), "{there:?}");
    assert!(there.stdout.contains("nothing is to be done"), "{there:?}");
    assert_eq!(fresh.files(), again);
}

#[test]
fn what_a_package_has_already_stays_as_it_is() {
    let fresh = Fresh::new("fresh-grown", &[]);
    let main = "//! A program.\n#![forbid(unsafe_code)]\n\nuse std::env;\n\nfn main() {\n    println!(\"{}\", env::args().count());\n}\n";
    fresh.write("src/main.rs", main);
    fresh.write("build.rs", "// Generates nothing yet.\nfn main() -> Result<(), String> {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    Ok(())\n}\n");
    let manifest = fresh.text("Cargo.toml");
    fresh.write(
        "Cargo.toml",
        &format!("# Ours.\n{manifest}# none yet\n\n[profile.dev]\ndebug = 0 # quick\n"),
    );
    let ended = fresh.init(&[]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let manifest = fresh.text("Cargo.toml");
    for kept in ["# Ours.\n", "# none yet", "debug = 0 # quick"] {
        assert!(manifest.contains(kept), "{manifest}");
    }
    assert!(
        fresh
            .text("build.rs")
            .contains("String> {\n    snakepit_build::emit();\n    println!"),
        "{}",
        fresh.text("build.rs")
    );
    let changed = fresh.text("src/main.rs");
    assert!(
        changed.starts_with("//! A program.\n#![forbid(unsafe_code)]\n\n#[allow(dead_code"),
        "{changed}"
    );
    assert!(
        changed.ends_with(main.split_once("\n\n").unwrap().1),
        "{changed}"
    );
    let outcome = fresh.run();
    assert!(
        !outcome.stderr.contains("warning: unused") && !outcome.stderr.contains("never"),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stdout(), "1\n");
    assert!(fresh.init(&[]).stdout.contains("nothing is to be done"));
}

#[test]
fn a_library_gets_a_module_that_builds() {
    let fresh = Fresh::new("fresh-library", &["--lib"]);
    let ended = fresh.init(&[]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(
        fresh
            .text("src/lib.rs")
            .starts_with("pub mod workers;\n\npub fn add"),
        "{}",
        fresh.text("src/lib.rs")
    );
    fs::copy(
        Path::new(WORKSPACE).join("Cargo.lock"),
        fresh.path("Cargo.lock"),
    )
    .unwrap();
    let built = Outcome::of(fresh.cargo(&["build"]).current_dir(fresh.path(".")));
    assert!(
        built.success && !built.stderr.contains("warning"),
        "{}",
        built.stderr
    );
}

#[test]
fn what_cannot_be_done_is_told_before_anything_is_written() {
    let fresh = Fresh::new("fresh-refused", &[]);
    let manifest = fresh.text("Cargo.toml");
    let refused = |wanted: &str, status: i32, more: &[&str]| {
        let before = fresh.files();
        let ended = fresh.init(more);
        assert_eq!(ended.status, Some(status), "{ended:?}");
        assert!(ended.stderr.contains(wanted), "{ended:?}");
        assert_eq!(fresh.files(), before);
    };
    refused("no package `other` in the workspace", 2, &["-p", "other"]);
    fresh.write(
        "src/main.rs",
        "use snakepit::snakepit_pools;\nfn main() { (] }\n",
    );
    refused("src/main.rs`, line 2, is not Rust", 1, &[]);
    fresh.write("src/main.rs", "fn main() {}\n");
    fresh.write("build.rs", "fn main( {}\n");
    refused("build.rs`, line 1, is not Rust", 1, &[]);
    fresh.write("build.rs", "fn main() {}\n");
    fresh.write(
        "Cargo.toml",
        &manifest.replace("edition", "build = false\nedition"),
    );
    refused("`build = false`", 1, &[]);
    fresh.write("Cargo.toml", &manifest);
    fresh.write("src/workers.rs", "// mine\n");
    refused("workers.rs` is there", 1, &[]);
    let mut elsewhere = fresh.command(env!("CARGO_BIN_EXE_cargo-snakepit"));
    elsewhere
        .args(["snakepit", "init", "--path", "/nowhere"])
        .current_dir(fresh.path("."));
    let elsewhere = ended(&mut elsewhere);
    assert_eq!(elsewhere.status, Some(2));
    assert!(
        elsewhere
            .stderr
            .contains("no crate `snakepit` at `/nowhere/runtime`"),
        "{elsewhere:?}"
    );
}

#[test]
fn without_a_checkout_the_registry_is_named_if_cargo_finds_the_crates() {
    let fresh = Fresh::new("fresh-registry", &[]);
    let init = || {
        let mut command = fresh.command(env!("CARGO_BIN_EXE_cargo-snakepit"));
        command
            .args(["snakepit", "init"])
            .current_dir(fresh.path("."));
        ended(&mut command)
    };
    let before = fresh.files();
    let refused = init();
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("with `--path`"), "{refused:?}");
    assert_eq!(fresh.files(), before);

    // As a workspace has it that brings its own copy of them.
    let manifest = fresh.text("Cargo.toml");
    let patch = [("snakepit", "runtime"), ("snakepit-build", "build-support")]
        .map(|(name, folder)| format!("{name} = {{ path = \"{WORKSPACE}/{folder}\" }}\n"));
    fresh.write(
        "Cargo.toml",
        &format!("{manifest}\n[patch.crates-io]\n{}", patch.concat()),
    );
    let done = init();
    assert_eq!(done.status, Some(0), "{done:?}");
    let version = env!("CARGO_PKG_VERSION");
    let manifest = fresh.text("Cargo.toml");
    assert!(
        manifest.contains(&format!("[dependencies]\nsnakepit = \"{version}\"\n")),
        "{manifest}"
    );
    assert!(
        manifest.contains(&format!(
            "[build-dependencies]\nsnakepit-build = \"{version}\"\n"
        )),
        "{manifest}"
    );
}

#[test]
fn a_file_that_may_not_be_written_is_named() {
    let fresh = Fresh::new("fresh-closed", &[]);
    // Nobody may write a file where a folder is, root included.
    fs::create_dir(fresh.path("python")).unwrap();
    std::os::unix::fs::symlink("/proc/nowhere", fresh.path("python/tools.py")).unwrap();
    let ended = fresh.init(&[]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("python/tools.py` cannot be written"),
        "{ended:?}"
    );
    // Once it is out of the way, the rest follows.
    fs::remove_file(fresh.path("python/tools.py")).unwrap();
    assert_eq!(fresh.init(&[]).status, Some(0));
    assert!(fresh.init(&[]).stdout.contains("nothing is to be done"));
    assert!(fresh.text("src/main.rs").starts_with("mod workers;"));
    assert!(fresh.text("src/workers.rs").contains("#[snakepit_pools]"));
}
