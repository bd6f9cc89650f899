//! The project's own tasks, each one command: `cargo xtask --help`.
//!
//! A task installs what it needs where that can be done without asking; otherwise it says what to install.

mod python;
mod steps;
mod tools;

use std::env;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask test

Tasks:
  test    sets up what the tests need, then runs every check of the project: format, thin build, lints,
          tests (with those in the documentation and of the compiler's messages), documentation;
          it stops at the first one that fails

Environment:
  SNAKEPIT_TESTS_REQUIRE=all    a tool that is missing is a failure; otherwise what needs it is skipped
  SNAKEPIT_PYTHON=PATH          the Python to test with; otherwise `python3` or `python` on the search path";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let arguments: Vec<_> = arguments
        .iter()
        .map(|text| text.to_string_lossy())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    if arguments
        .iter()
        .any(|text| matches!(*text, "help" | "--help" | "-h"))
    {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if arguments != ["test"] {
        match arguments.first() {
            None => eprintln!("no task was named\n\n{HELP}"),
            Some(&"test") => eprintln!("`test` takes no arguments\n\n{HELP}"),
            Some(other) => eprintln!("no task `{other}`\n\n{HELP}"),
        }
        return ExitCode::from(2);
    }
    match test() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\ncargo xtask test failed: {why}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    let tools = tools::prepare()?;
    let require_all = env::var_os("SNAKEPIT_TESTS_REQUIRE").is_some_and(|value| value == "all");
    tools::report(&tools, require_all)?;
    steps::run(&tools)
}
