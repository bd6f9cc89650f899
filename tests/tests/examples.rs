//! The examples run and say what they show.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::Path;
use std::process::Command;

use snakepit_tests::Outcome;

/// What an example prints.
fn said(example: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["run", "--quiet", "--offline", "--example", example, "--"])
        .args(arguments)
        .current_dir(folder);
    Outcome::of(&mut cargo).stdout()
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
fn the_others_come_to_their_end() {
    assert!(said("blocking", &[]).contains("97 is prime"));
    assert!(said("python_env_auto", &[]).contains("ping: "));
    said("shared_array", &["1"]);
}
