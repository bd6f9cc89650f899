//! The example `embedded`: its script makes a bundle of program and Python, which is moved and runs.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use snakepit_test_tools::skip;
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/embedded");

#[test]
fn the_bundle_of_the_example_is_moved_and_runs() {
    let host = HostPackage::example("embedded", Path::new(TARGET));
    let mut script = host.command(host.path("bundle.sh"));
    script.env("CARGO_FLAGS", "--offline");
    let made = Outcome::of(&mut script);
    if made.stderr.contains("no Python that can be moved") {
        return skip("a Python that can be moved");
    }
    made.stdout();

    // Of the folder that it was built in nothing is left.
    let folder = tempfile::tempdir().unwrap();
    let place = fs::canonicalize(folder.path()).unwrap().join("moved here");
    fs::rename(host.path("bundle"), &place).unwrap();
    drop(host);
    let mut program = Command::new(place.join("bin/embedded"));
    let said = Outcome::of(program.current_dir("/").env("SNAKEPIT_RECHECK", "thorough")).stdout();
    let (built, greeting) = said.split_once('\n').unwrap();
    assert_eq!(built, "built for {anchor}/python/bin/python3");
    assert!(greeting.starts_with("hello, world! (Python 3."), "{said}");
    let prefix = format!(" of {})", place.join("python").display());
    assert!(greeting.trim_end().ends_with(&prefix), "{said}");

    // One that was named and cannot be moved is refused, and nothing else taken in its place.
    let host = HostPackage::example("embedded", Path::new(TARGET));
    let mut script = host.command(host.path("bundle.sh"));
    let error = Outcome::of(script.arg("/nowhere/python3")).failure();
    assert!(
        error.contains("no Python that can be moved: name one"),
        "{error}"
    );
}
