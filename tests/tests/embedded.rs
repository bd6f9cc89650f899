//! The example `embedded`: its script makes a bundle of program and Python, which is moved and runs.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use snakepit_test_tools::skip;
use snakepit_tests::Outcome;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/embedded");

#[test]
fn the_bundle_of_the_example_is_moved_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = fs::canonicalize(folder.path()).unwrap();
    let example = folder.join("embedded");
    let mut cp = Command::new("cp");
    Outcome::of(
        cp.arg("-r")
            .arg(format!("{WORKSPACE}/examples/embedded"))
            .arg(&example),
    )
    .stdout();
    let _ = fs::remove_dir_all(example.join("bundle"));
    let manifest = fs::read_to_string(example.join("Cargo.toml")).unwrap();
    let absolute = manifest.replace("\"../..", &format!("\"{WORKSPACE}"));
    fs::write(example.join("Cargo.toml"), absolute).unwrap();
    // The versions that the workspace has downloaded: any other would have to be fetched.
    fs::copy(
        format!("{WORKSPACE}/Cargo.lock"),
        example.join("Cargo.lock"),
    )
    .unwrap();

    let mut script = Command::new(example.join("bundle.sh"));
    script
        .env("CARGO_FLAGS", "--offline")
        .env("CARGO_TARGET_DIR", TARGET);
    script
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("SNAKEPIT_PYTHON");
    let made = Outcome::of(&mut script);
    if made.stderr.contains("no Python that can be moved") {
        return skip("a Python that can be moved");
    }
    made.stdout();

    let place = folder.join("moved here");
    fs::rename(example.join("bundle"), &place).unwrap();
    fs::remove_dir_all(&example).unwrap();
    let mut program = Command::new(place.join("bin/embedded"));
    let said = Outcome::of(program.current_dir("/").env("SNAKEPIT_RECHECK", "thorough")).stdout();
    let (built, greeting) = said.split_once('\n').unwrap();
    assert_eq!(built, "built for {anchor}/python/bin/python3");
    assert!(greeting.starts_with("hello, world! (Python 3."), "{said}");
    let prefix = format!(" of {})", place.join("python").display());
    assert!(greeting.trim_end().ends_with(&prefix), "{said}");

    // One that was named and cannot be moved is refused, and nothing else taken in its place.
    let mut script = Command::new(Path::new(WORKSPACE).join("examples/embedded/bundle.sh"));
    let error = Outcome::of(script.arg("/nowhere/python3")).failure();
    assert!(
        error.contains("no Python that can be moved: name one"),
        "{error}"
    );
}
