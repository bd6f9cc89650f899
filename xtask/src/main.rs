//! The project's own tasks, each one command: `cargo xtask --help`.
//!
//! A task installs what it needs where that can be done without asking; otherwise it says what to install.

mod fuzz;
mod house;
mod steps;
mod tools;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask TASK

Tasks:
  test    sets up what the tests need, then runs every check of the project: format, thin build, lints,
          tests (with those in the documentation and of the compiler's messages), documentation;
          it stops at the first one that fails
  docs    writes `docs/errors.md` anew from the catalogue of diagnostics and what the compiler says of each, and
          what the README shows of `cargo snakepit check`
  bench   measures against hand-written code and prints the ratios; `cargo xtask bench --help` tells its options
  fuzz [TARGET] [--seconds N]
          gives the parsers bad input: every target or one, 600 seconds each; `fuzz/README.md` tells the rest
  house   writes what each published crate brings along and how long its first build takes

Environment:
  SNAKEPIT_TESTS_REQUIRE=all    a tool that is missing is a failure; otherwise what needs it is skipped
  SNAKEPIT_PYTHON=PATH          the Python to test with; otherwise `python3` or `python` on the search path";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let texts: Vec<_> = arguments
        .iter()
        .map(|text| text.to_string_lossy())
        .collect();
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    let outcome = match texts[..] {
        ["help" | "--help" | "-h"] | ["test" | "docs" | "fuzz" | "house", "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["test"] => test(),
        ["docs"] => steps::docs(),
        ["house"] => house::run(),
        ["bench", ..] => steps::bench(&arguments[1..]),
        ["fuzz", ..] => fuzz::run(&arguments[1..]),
        [] => return misused("no task was named"),
        [task @ ("test" | "docs" | "house"), ..] => {
            return misused(&format!("`{task}` takes no arguments"));
        }
        [other, ..] => return misused(&format!("no task `{other}`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\ncargo xtask {} failed: {why}", texts[0]);
            ExitCode::FAILURE
        }
    }
}

fn misused(what: &str) -> ExitCode {
    eprintln!("{what}\n\n{HELP}");
    ExitCode::from(2)
}

fn test() -> Result<(), String> {
    let tools = tools::prepare()?;
    tools::report(&tools, snakepit_test_tools::all_required())?;
    steps::run(&tools)
}
