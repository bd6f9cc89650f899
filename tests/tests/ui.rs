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

/// Tells the program that it is the one whose compilers see the manifest, and which sources to give them.
const INSIDE: &str = "SNAKEPIT_UI_INSIDE";

/// A package that is on no machine: what is resolved there fails in the same words everywhere.
const PACKAGE: &str = "/nowhere/app";

/// The source that compiles.
const SOUND: &str = "renamed";

/// The source that the build script does not read.
const UNSEEN: &str = "declaration_unknown";

/// The source that is compiled without a manifest.
const BARE: &str = "no_build_script";

#[test]
fn the_compiler_says_what_is_wrong_and_nothing_else() {
    match env::var(INSIDE).as_deref() {
        Ok("bare") => {
            trybuild::TestCases::new().compile_fail(format!("ui/{BARE}.rs"));
        }
        Ok(_) => {
            let cases = trybuild::TestCases::new();
            cases.pass(format!("ui/{SOUND}.rs"));
            for name in faulty() {
                cases.compile_fail(format!("ui/{name}.rs"));
            }
        }
        Err(_) => {
            let folder = tempfile::tempdir().unwrap();
            let manifest = folder.path().join("manifest.json");
            resolved().write(&manifest).unwrap();
            again("all", Some(&manifest));
            again("bare", None);
        }
    }
}

/// Runs this test in a child: an environment variable is set for a whole process.
fn again(inside: &str, manifest: Option<&Path>) {
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", "--nocapture"])
        .arg("the_compiler_says_what_is_wrong_and_nothing_else")
        .env_remove("OUT_DIR")
        .env_remove("SNAKEPIT_MANIFEST")
        .env(INSIDE, inside)
        .envs(manifest.map(|path| ("SNAKEPIT_MANIFEST", path)));
    assert!(child.status().unwrap().success(), "see above");
}

fn faulty() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir("ui")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != SOUND && name != BARE)
        .collect();
    names.sort();
    names
}

/// What the build helper finds for the cases that need a manifest: what this machine happens to have is left out of it.
fn resolved() -> Manifest {
    let mut pools = BTreeMap::new();
    let names = faulty().into_iter().chain([SOUND.to_owned()]);
    for name in names.filter(|name| name != UNSEEN) {
        let text = fs::read_to_string(format!("ui/{name}.rs")).unwrap();
        for declaration in declare::parse_file(&text).unwrap() {
            for pool in declaration.pools {
                let (package, cache) = (Path::new(PACKAGE), Cache::default());
                let frozen = pool.request.custom.as_deref() == Some("frozen");
                let outcome = resolve(&pool.request, package, &Custom::new(), &cache, &Machine);
                let outcome = match outcome {
                    Err(faults) if !frozen => Outcome::Failed(faults),
                    _ => Outcome::Resolved(Box::<Resolution>::default()),
                };
                pools.insert(pool.key(), outcome);
            }
        }
    }
    Manifest { pools }
}
