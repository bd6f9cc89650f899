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
    fn run(&self, package: &Path, yes: bool) -> Result<bool, Failure> {
        let folder = self.folder.as_deref().unwrap_or(package);
        for text in &self.commands {
            let mut shell = Command::new("sh");
            shell.args(["-c", text]).current_dir(folder);
            if yes {
                // Who answers nothing here cannot answer the managers either.
                shell
                    .env("CONDA_ALWAYS_YES", "true")
                    .env("POETRY_NO_INTERACTION", "1");
            }
            let shown = folder.display();
            let failed = Failure::of(format!("`{text}` cannot be run in `{shown}`"));
            let status = shell.status().map_err(failed)?;
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
    io::stdout().flush().map_err(Failure::of_output)?;
    Ok(has_run)
}

/// The answer to a question; the end of the input is no yes.
fn is_yes() -> Result<bool, Failure> {
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.map_err(Failure::of("the answer cannot be read from standard input"))? == 0 {
        // What follows does not belong on the line of the question.
        println!();
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

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
    fn a_folder_that_is_gone_is_named_with_the_command() {
        let fix = Fix::of("run `true` in `/nowhere`").unwrap();
        let Err(Failure::Failed(text)) = fix.run(Path::new("/"), true) else {
            panic!("there is no such folder");
        };
        assert!(
            text.starts_with("`true` cannot be run in `/nowhere`: "),
            "{text}"
        );
    }

    /// What the compiler shows of each code of the catalogue.
    fn helps() -> BTreeMap<String, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ui/errors");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let said = files.filter(|file| file.extension().is_some_and(|kind| kind == "stderr"));
        said.map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let help = text
                .lines()
                .find_map(|line| line.trim().strip_prefix("help: "));
            let code = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (code, help.unwrap_or_default().to_owned())
        })
        .collect()
    }

    /// Whether a manager's or Python's own command stands in it.
    fn has_command(help: &str) -> bool {
        let quoted = help.split('`').skip(1).step_by(2);
        let programs = [
            "cargo", "cd", "conda", "docker", "poetry", "pyenv", "python", "python3", "uv",
        ];
        quoted
            .filter_map(|text| text.split_once(' '))
            .any(|(first, _)| {
                let name = Path::new(first).file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| programs.contains(&name))
            })
    }

    #[test]
    fn every_help_with_a_command_is_one_that_is_offered_or_one_that_a_person_decides_on() {
        let helps = helps();
        let (offered, left): (Vec<_>, Vec<_>) = helps
            .iter()
            .filter(|(_, help)| has_command(help) || Fix::of(help).is_some())
            .partition(|(_, help)| Fix::of(help).is_some());
        let names = |some: Vec<(&String, &String)>| {
            some.iter()
                .map(|(code, _)| (*code).clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(offered), OFFERED);
        assert_eq!(names(left), LEFT_TO_A_PERSON);
    }

    const OFFERED: &[&str] = &[
        "conda_environment_not_found",
        "conda_python_missing",
        "container_not_running",
        "environment_not_synced",
        "image_not_found",
        "poetry_environment_invalid",
        "poetry_environment_not_found",
        "poetry_lock_not_found",
        "poetry_lock_out_of_step",
        "poetry_lock_outdated",
        "poetry_project_not_found",
        "pyenv_version_invalid",
        "pyenv_version_not_found",
        "requirement_not_installed",
        "requirement_not_met",
        "uv_lock_not_found",
        "uv_lock_outdated",
        "venv_invalid",
        "venv_not_found",
    ];
    const LEFT_TO_A_PERSON: &[&str] = &[
        "adapter_check_failed",
        "container_not_found",
        "container_python_not_found",
        "docker_engine_unreachable",
        "lock_conflict",
        "lock_invalid",
        "lock_key_unknown",
        "lock_mismatch",
        "lock_not_found",
        "lock_path_invalid",
        "lock_pool_missing",
        "lock_pool_unknown",
        "lock_too_new",
        "poetry_failed",
        "poetry_lock_invalid",
        "probe_failed",
        "python_version_required",
        "sysroot_interpreter_foreign",
        "uv_lock_invalid",
    ];

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
