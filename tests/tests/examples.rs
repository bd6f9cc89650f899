//! The examples that need no more than a Python run and say what they show.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::Path;
use std::process::Command;

use snakepit_test_tools::{python, tools};
use snakepit_tests::Outcome;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// `cargo run -p EXAMPLE`, as their READMEs have it.
fn run(example: &str, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["run", "--quiet", "--offline", "--package", example, "--"])
        .args(arguments)
        .current_dir(WORKSPACE);
    cargo
}

/// What an example prints.
fn said(example: &str, arguments: &[&str]) -> String {
    Outcome::of(&mut run(example, arguments)).stdout()
}

#[test]
fn a_stream_is_shown_as_it_comes_and_ended_by_its_reader() {
    let whole = said("progress", &["3"]);
    assert!(whole.contains(" after 3 epochs\ny = "), "{whole}");
    // Long before all of them.
    let ended = said("progress", &["100000"]);
    assert!(ended.starts_with("loss 0.000"), "{ended}");
    assert!(ended.contains("\ny = 2.9"), "{ended}");
}

#[test]
fn sessions_keep_what_their_calls_have_put_there_until_they_end() {
    let wanted = "anna pays 13.05\nben pays 4.50\nwithout a session: true\n\
                  anna has ordered bread, cheese, apples\nanna begins anew with 0\n";
    assert_eq!(said("session", &[]), wanted);
}

#[test]
fn python_calls_the_program_and_hears_of_its_errors() {
    let told = said("host_tool", &[]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[..2], ["33.50 EUR", "41.88 USD"]);
    assert!(lines[2].contains("no rate of XYZ"), "{told}");
    assert_eq!(lines[3], "Python may call: rate");
}

#[test]
fn a_program_without_an_async_runtime_calls_from_threads_and_reads_a_stream() {
    let told = said("blocking", &[]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "97 is prime");
    let mut threads = lines[1..3].to_vec();
    threads.sort_unstable();
    assert_eq!(threads, ["1000003: true", "1000005: false"]);
    assert_eq!(lines[3].trim_end(), "2 3 5 7 11 13 17 19 23 29");
    assert!(
        lines[4].starts_with("3 calls, half of them within "),
        "{told}"
    );
}

#[test]
fn what_the_build_detects_is_where_the_worker_runs() {
    let told = said("python_env_auto", &[]);
    let value = |name: &str| {
        let mut lines = told.lines().filter_map(|line| {
            let (key, value) = line.trim_start().split_once("  ")?;
            (key == name).then(|| value.trim())
        });
        lines
            .next_back()
            .unwrap_or_else(|| panic!("no `{name}` in {told}"))
    };
    assert!(told.contains("\nping: "), "{told}");
    assert_ne!(value("because of"), "declared");
    assert_eq!(value("command"), value("executable"), "{told}");
}

/// What the example of arrays says with a Python of its own, of which arrays arrive as that kind.
fn arrays_are_turned(python: &Path, kind: &str) {
    let mut cargo = run("data_arrays", &["4"]);
    let told = Outcome::of(cargo.env("SNAKEPIT_PYTHON", python)).stdout();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], format!("an image arrives as {kind}"));
    assert_eq!(lines[1], "brightened: [480, 640] of 0.5");
    assert!(lines[2].starts_with("4 MiB there and back in "), "{told}");
    assert!(lines[2].ends_with(" GB/s"), "{told}");
    assert!(lines[3].starts_with("one copy of it in memory"), "{told}");
}

#[test]
fn arrays_go_there_and_back_with_numpy_and_without_it() {
    // The machine's own Python may have numpy.
    let bare = tempfile::tempdir().unwrap();
    python().make_venv(bare.path());
    arrays_are_turned(&bare.path().join("bin/python"), "builtins.memoryview");
    let Some(bin) = tools("numpy") else { return };
    arrays_are_turned(&bin.join("python"), "numpy.ndarray");
}

#[test]
fn without_the_pool_the_program_starts_python_by_itself() {
    let told = said("thin", &[]);
    let counts = "4 × the\n2 × in\n2 × pit\n1 × snake\n1 × sand\nPython 3.";
    assert!(told.starts_with(counts), "{told}");
    assert!(told.ends_with(" left with exit status: 0\n"), "{told}");
    // Nothing of the pool was compiled for it.
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--package", "thin"])
        .current_dir(WORKSPACE);
    let tree = Outcome::of(&mut tree).stdout();
    assert!(
        tree.contains("snakepit v") && !tree.contains("tokio"),
        "{tree}"
    );
}

#[test]
fn an_environment_of_the_programs_own_kind_starts_the_workers() {
    let told = said("custom_environment", &[]);
    let toolchain = Path::new(WORKSPACE)
        .join("examples/custom_environment/toolchain")
        .canonicalize()
        .unwrap();
    let wanted = format!(
        "environment: toolchain\nrelease: house toolchain 2026.1\n26.2 miles are 42164.8 metres\n\
         the worker's toolchain is {}\n",
        toolchain.display()
    );
    assert_eq!(told, wanted);
}
