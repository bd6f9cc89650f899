//! What the compiler says of a declaration that is wrong or whose environment is missing: `ui/*.rs` with `*.stderr`.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use snakepit_build::Machine;
use snakepit_build::declare;
use snakepit_build::manifest::{Manifest, Outcome, Resolution};
use snakepit_build::probe::Cache;
use snakepit_build::resolver::{Custom, resolve};

/// Tells the program that it is the one whose compilers see the manifest.
const INSIDE: &str = "SNAKEPIT_UI_INSIDE";

/// A package that is on no machine: what is resolved there fails in the same words everywhere.
const PACKAGE: &str = "/nowhere/app";

#[test]
fn the_compiler_says_what_is_wrong_and_nothing_else() {
    if env::var_os(INSIDE).is_some() {
        let cases = trybuild::TestCases::new();
        cases.pass("ui/renamed.rs");
        for name in faulty() {
            cases.compile_fail(format!("ui/{name}.rs"));
        }
        return;
    }
    // An environment variable is set for a child, since threads share this program's own.
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    resolved().write(&manifest).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("the_compiler_says_what_is_wrong_and_nothing_else")
        .env(INSIDE, "1")
        .env("SNAKEPIT_MANIFEST", manifest)
        .status()
        .unwrap();
    assert!(child.success(), "see above");
}

/// The sources that do not compile: those with an answer, or, for new ones, all but the one that compiles.
fn faulty() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir("ui")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "renamed")
        .collect();
    names.sort();
    names
}

/// What the build helper finds for the cases that need a manifest.
fn resolved() -> Manifest {
    let mut pools = BTreeMap::new();
    for name in ["environment_not_found", "renamed"] {
        let text = fs::read_to_string(format!("ui/{name}.rs")).unwrap();
        for declaration in declare::parse_file(&text).unwrap() {
            for pool in declaration.pools {
                let outcome = if pool.request.custom.as_deref() == Some("frozen") {
                    Outcome::Resolved(Box::<Resolution>::default())
                } else {
                    let package = Path::new(PACKAGE);
                    let cache = Cache::default();
                    let faults = resolve(&pool.request, package, &Custom::new(), &cache, &Machine)
                        .unwrap_err();
                    Outcome::Failed(faults)
                };
                pools.insert(pool.key(), outcome);
            }
        }
    }
    Manifest { pools }
}
