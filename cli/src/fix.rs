//! `check --offer-fix`: the commands that mend what is wrong, shown and run after a yes.
//!
//! The catalogue's helps are written for people. Those that are nothing but commands have one form, which is read here:
//! ``run `uv lock` in `/app`, then `uv sync` ``. What is to be decided by a person first is no such help.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap_cargo::style::{ERROR, HEADER, WARN};

use crate::failure::Failure;
use crate::output::Output;
use crate::report::{PackageReport, Status};

/// How a help begins that is a command.
const LEADS: [&str; 4] = [
    "run ",
    "make it again: ",
    "install it again: ",
    "get it with ",
];

/// Commands that mend something, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fix {
    /// As a shell takes them.
    commands: Vec<String>,
    /// Where they are to be run, if that matters.
    folder: Option<PathBuf>,
}

impl Fix {
    /// The commands that a help is, if it is nothing else.
    pub(crate) fn of(help: &str) -> Option<Self> {
        let rest = LEADS.iter().find_map(|lead| help.strip_prefix(lead))?;
        let (first, mut rest) = quoted(rest)?;
        let mut fix = Self {
            commands: vec![first.to_owned()],
            folder: None,
        };
        if let Some(folder) = rest.strip_prefix(" in ") {
            let (folder, behind) = quoted(folder)?;
            fix.folder = Some(folder.into());
            rest = behind;
        }
        while let Some(next) = rest.strip_prefix(", then ") {
            let (next, behind) = quoted(next.strip_prefix("run ").unwrap_or(next))?;
            fix.commands.push(next.to_owned());
            rest = behind;
        }
        // The first of several ways is the one that is proposed.
        (rest.is_empty() || rest.starts_with(", or ")).then_some(fix)
    }

    /// Runs the commands, and stops at the first that fails.
    fn run(&self, package: &Path, yes: bool) -> io::Result<bool> {
        for text in &self.commands {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", text])
                .current_dir(self.folder.as_deref().unwrap_or(package));
            if yes {
                // Who answers nothing here cannot answer the managers either.
                shell
                    .env("CONDA_ALWAYS_YES", "true")
                    .env("POETRY_NO_INTERACTION", "1");
            }
            let status = shell.status()?;
            if !status.success() {
                anstream::eprintln!("{ERROR}error{ERROR:#}: `{text}` failed: {status}");
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn shown(&self, package: &Path) -> String {
        let folder = self.folder.as_deref().unwrap_or(package);
        format!(
            "{HEADER}{}{HEADER:#} in {}",
            self.commands.join(" && "),
            folder.display()
        )
    }
}

/// What stands in backticks at the start, and what is behind.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('`')?.split_once('`')
}

/// Offers the fix of each failed pool: whether one was run.
pub(crate) fn offer(
    reports: &[PackageReport],
    yes: bool,
    output: &mut Output,
) -> Result<bool, Failure> {
    let mut offered: Vec<(&Path, Fix)> = Vec::new();
    let mut has_run = false;
    for report in reports {
        let package = report.manifest.parent().unwrap_or(&report.manifest);
        for pool in &report.pools {
            let name = &pool.request.pool;
            for problem in pool
                .problems
                .iter()
                .filter(|problem| problem.severity == Status::Error)
            {
                let help = problem.help.as_deref().unwrap_or_default();
                let Some(fix) = Fix::of(help) else {
                    output.line(format!(
                        "pool `{name}`: {WARN}no command mends it{WARN:#}: {help}"
                    ));
                    continue;
                };
                if offered.contains(&(package, fix.clone())) {
                    continue;
                }
                output.line(format!("pool `{name}`: {}", fix.shown(package)));
                if !yes {
                    output.plain().extend_from_slice(b"run it? [y/N] ");
                }
                output.write()?;
                if yes || is_yes()? {
                    has_run |= fix.run(package, yes)?;
                }
                offered.push((package, fix));
            }
        }
    }
    io::stdout().flush()?;
    Ok(has_run)
}

/// The answer to a question; the end of the input is no yes.
fn is_yes() -> io::Result<bool> {
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        // What follows does not belong on the line of the question.
        println!();
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(help: &str) -> Option<(Vec<String>, Option<PathBuf>)> {
        Fix::of(help).map(|fix| (fix.commands, fix.folder))
    }

    #[test]
    fn a_help_that_is_commands_is_read_with_its_folder() {
        let commands = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        for (help, wanted, folder) in [
            (
                "run `python3 -m venv /app/.venv`",
                commands(&["python3 -m venv /app/.venv"]),
                None,
            ),
            (
                "make it again: `python3 -m venv --clear /a`",
                commands(&["python3 -m venv --clear /a"]),
                None,
            ),
            (
                "run `uv lock` in `/app`, then `uv sync`",
                commands(&["uv lock", "uv sync"]),
                Some("/app".into()),
            ),
            (
                "run `conda create -n a python`, or `conda env create`",
                commands(&["conda create -n a python"]),
                None,
            ),
        ] {
            assert_eq!(fix(help), Some((wanted, folder)), "{help}");
        }
    }

    #[test]
    fn a_help_that_leaves_something_to_a_person_is_no_fix() {
        for help in [
            "run `/usr/bin/python3 -c \"import sys\"` to see what is wrong with it",
            "move it away, then run `python3 -m venv /app/.venv`",
            "the system's own packages alone may change this Python: run `a -m venv .venv`, then `b`, and write `c`",
            "start one: `docker run --detach --name ml IMAGE`; `docker ps --all` lists those that are there",
            "name another `python_path`",
            "run `unclosed",
        ] {
            assert_eq!(fix(help), None, "{help}");
        }
    }
}
