//! What the checks need from the machine: which of it is there, and what is skipped without it.

use std::process::{Command, Stdio};

use crate::python;

/// One tool of the machine.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What is used, or why it is skipped and what is not checked therefore.
    pub(crate) state: Result<String, String>,
}

/// Looks for every tool, and installs what is missing where that can be done without asking.
pub(crate) fn prepare() -> Result<Vec<Tool>, String> {
    let mut tools = vec![
        Tool {
            name: "cargo",
            state: version(&["--version"]).ok_or_else(|| "`cargo` does not run".to_owned()),
        },
        component("rustfmt", "fmt", "the format is not checked"),
        component("clippy", "clippy", "the lints are not checked"),
    ];
    let python = python::prepare()?;
    tools.push(used("python", describe(&python)));
    let pip = python.pip.as_deref().unwrap_or_default();
    tools.push(used("venv", format!("of this Python, with pip {pip}")));
    let other = python::other_than(&python);
    tools.push(Tool {
        name: "other python",
        state: other.as_ref().map(describe).ok_or_else(|| {
            "no Python of another version, neither on the search path nor in pyenv: \
             two pools with different Pythons are not tested"
                .to_owned()
        }),
    });
    Ok(tools)
}

/// Prints one line for each tool.
///
/// # Errors
/// A tool is missing and `require_all` is set.
pub(crate) fn report(tools: &[Tool], require_all: bool) -> Result<(), String> {
    println!("tools");
    for Tool { name, state } in tools {
        match state {
            Ok(what) => println!("  {name:<13} {what}"),
            Err(why) => println!("  {name:<13} skipped: {why}"),
        }
    }
    let missing: Vec<_> = tools
        .iter()
        .filter(|tool| tool.state.is_err())
        .map(|tool| format!("`{}`", tool.name))
        .collect();
    if require_all && !missing.is_empty() {
        return Err(format!(
            "`SNAKEPIT_TESTS_REQUIRE=all` allows nothing to be skipped, but {} is missing",
            missing.join(", ")
        ));
    }
    Ok(())
}

fn used(name: &'static str, what: String) -> Tool {
    Tool {
        name,
        state: Ok(what),
    }
}

fn describe(python: &python::Python) -> String {
    let (major, minor, patch) = python.version;
    format!(
        "Python {major}.{minor}.{patch}, `{}`",
        python.executable.display()
    )
}

/// A component of the Rust toolchain; rustup adds one that is missing.
fn component(name: &'static str, subcommand: &str, unchecked: &str) -> Tool {
    let arguments = [subcommand, "--version"];
    let found = version(&arguments).or_else(|| {
        let status = Command::new("rustup")
            .args(["component", "add", name])
            .status();
        if status.is_ok_and(|status| status.success()) {
            version(&arguments)
        } else {
            None
        }
    });
    let state =
        found.ok_or_else(|| format!("not installed (`rustup component add {name}`): {unchecked}"));
    Tool { name, state }
}

fn version(arguments: &[&str]) -> Option<String> {
    let output = Command::new("cargo")
        .args(arguments)
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Tool, report, used};

    #[test]
    fn a_missing_tool_is_a_failure_only_where_all_are_required() {
        let missing = Tool {
            name: "clippy",
            state: Err("not installed".to_owned()),
        };
        let tools = [used("cargo", "1.0".to_owned()), missing];
        assert!(report(&tools, false).is_ok());
        let why = report(&tools, true).expect_err("clippy is missing");
        assert!(why.contains("`clippy`"), "{why}");
    }
}
