//! What the compiler says of a declaration that is wrong or whose environment is missing: `ui/*.rs`, and for each code
//! of the catalogue `ui/errors/CODE.rs`, with `*.stderr`.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::Command;

use snakepit_build::Code;
use snakepit_build::manifest::Manifest;
use snakepit_tests::{PACKAGE, Scene};

/// Tells the program that it is the one whose compilers see a manifest, and which sources to give them.
const INSIDE: &str = "SNAKEPIT_UI_INSIDE";

/// A manifest that is on no machine.
const NOWHERE: &str = "/nowhere/snakepit-manifest.json";

/// Where the sources of the codes are.
const ERRORS: &str = "ui/errors";

#[test]
fn the_compiler_says_what_is_wrong_and_nothing_else() {
    let scenes = || Scene::all("ui").into_iter().chain(Scene::all(ERRORS));
    if let Ok(inside) = env::var(INSIDE) {
        let cases = trybuild::TestCases::new();
        for scene in scenes().filter(|scene| manifest_of(scene) == Some(inside.as_str())) {
            cases.compile_fail(scene.path());
        }
        return;
    }
    let mut pools = BTreeMap::new();
    for scene in scenes().filter(|scene| scene.name() != Code::DeclarationUnknown.as_str()) {
        for (key, outcome) in scene.outcomes() {
            if let Some(other) = pools.insert(key.clone(), outcome.clone()) {
                assert_eq!(
                    other, outcome,
                    "{scene:?}: another source has this pool: {key}"
                );
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    let written = Manifest {
        pools,
        package: PACKAGE.to_owned(),
        ..Manifest::default()
    };
    written.write(&manifest).unwrap();
    again("whole", Some(&manifest));
    again("none", None);
    again("missing", Some(Path::new(NOWHERE)));
}

/// Which manifest the compiler of a source sees; `None` where a source compiles.
fn manifest_of(scene: &Scene) -> Option<&'static str> {
    let name = scene.name();
    let code = Code::ALL.iter().find(|code| code.as_str() == name);
    match code {
        Some(code) if code.is_warning() => None,
        Some(Code::ManifestNotFound) => Some("none"),
        Some(Code::ManifestInvalid) => Some("missing"),
        _ => Some("whole"),
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

#[test]
fn every_code_has_a_source_that_provokes_it_and_no_other() {
    let scenes = Scene::all(ERRORS);
    let names: Vec<String> = scenes.iter().map(Scene::name).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names, codes);
    for scene in scenes {
        let told = match manifest_of(&scene) {
            Some(_) => scene.said().unwrap_or_default(),
            None => scene.warnings().concat(),
        };
        let told: Vec<&str> = told
            .split("[snakepit::")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(']')?.0))
            .collect();
        assert_eq!(told, [scene.name().as_str()], "{scene:?}");
    }
}
