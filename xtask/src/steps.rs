//! Every check of the project, one after another, the cheapest first.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::tools::Tool;

/// One call of Cargo.
struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    /// The tool without which the step is skipped.
    needs: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        arguments: &["fmt", "--all", "--check"],
        env: &[],
        needs: "rustfmt",
    },
    Step {
        name: "thin build",
        arguments: &[
            "clippy",
            "--package",
            "snakepit",
            "--no-default-features",
            "--",
            "-D",
            "warnings",
        ],
        env: &[],
        needs: "clippy",
    },
    Step {
        name: "lints",
        arguments: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        env: &[],
        needs: "clippy",
    },
    Step {
        name: "tests",
        arguments: &["test", "--workspace"],
        env: &[],
        needs: "cargo",
    },
    Step {
        name: "documentation",
        arguments: &["doc", "--workspace", "--no-deps"],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
        needs: "cargo",
    },
];

/// Runs all steps, each with its name and duration.
///
/// # Errors
/// The first step that fails, by its name and command.
pub(crate) fn run(tools: &[Tool]) -> Result<(), String> {
    let mut summary = Vec::new();
    for step in STEPS {
        let shown = format!("cargo {}", step.arguments.join(" "));
        if is_missing(step.needs, tools) {
            summary.push((step.name, format!("skipped: no {}", step.needs)));
            continue;
        }
        println!("\n== {}: {shown}", step.name);
        let start = Instant::now();
        let status = Command::new("cargo")
            .args(step.arguments)
            .envs(step.env.iter().copied())
            .status()
            .map_err(|error| format!("step `{}`: `{shown}` did not start: {error}", step.name))?;
        let took = seconds(start.elapsed());
        if !status.success() {
            return Err(format!(
                "step `{}`: `{shown}` ended with {status} after {took}",
                step.name
            ));
        }
        println!("== {}: {took}", step.name);
        summary.push((step.name, took));
    }
    println!("\nsteps");
    for (name, outcome) in summary {
        println!("  {name:<13} {outcome}");
    }
    Ok(())
}

/// Writes the pages that are made of the code. The tests that compare them with it are what writes them.
///
/// # Errors
/// A test does not build, or it fails.
pub(crate) fn docs() -> Result<(), String> {
    for (package, test) in [
        ("snakepit-tests", "errors_page"),
        ("cargo-snakepit", "transcript"),
    ] {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["test", "--package", package, "--test", test])
            .env("SNAKEPIT_WRITE_DOCS", "1");
        succeed(&mut cargo, &format!("the test `{test}`"))?;
    }
    Ok(())
}

/// Measures, in a release build.
///
/// # Errors
/// The measuring program does not build, or it fails.
pub(crate) fn bench(options: &[OsString]) -> Result<(), String> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["run", "--release", "--package", "snakepit-bench", "--"])
        .args(options);
    succeed(&mut cargo, "`snakepit-bench`")
}

fn succeed(cargo: &mut Command, what: &str) -> Result<(), String> {
    let status = cargo
        .status()
        .map_err(|error| format!("`cargo` did not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{what} ended with {status}"))
    }
}

fn is_missing(name: &str, tools: &[Tool]) -> bool {
    tools
        .iter()
        .any(|tool| tool.name == name && tool.state.is_err())
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{STEPS, is_missing};
    use crate::tools::Tool;

    #[test]
    fn a_step_is_skipped_only_for_the_tool_that_it_needs() {
        let tools = [Tool {
            name: "clippy",
            state: Err("not installed".to_owned()),
        }];
        let skipped: Vec<_> = STEPS
            .iter()
            .filter(|step| is_missing(step.needs, &tools))
            .map(|step| step.name)
            .collect();
        assert_eq!(skipped, ["thin build", "lints"]);
    }
}
