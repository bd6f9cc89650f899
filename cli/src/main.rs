//! `cargo snakepit`: the tool with which a person looks at a program's Python environments, decides and repairs. It
//! stands on the library of the build script, and finds what a build finds.
//!
//! `args` is the command line, and each task has a module of its name. `package` finds packages by way of cargo;
//! `survey` makes a `report` of one, which `layout` (with `snippet`) shows to people and `json` to programs.

mod args;
mod check;
mod doctor;
mod explain;
mod failure;
mod files;
mod fix;
mod init;
mod interrupt;
mod json;
mod last_build;
mod layout;
mod list;
mod lock;
mod output;
mod package;
mod progress;
mod report;
mod run;
mod snippet;
mod survey;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{CommandFactory, Parser};

use crate::args::{Cargo, Snakepit, Task};
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let Cargo::Snakepit(Snakepit { task, color }) = Cargo::parse_from(arguments());
    match color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
    let mut output = Output::default();
    let ended = match task {
        Task::Check(check) => check::run(&check, &mut output),
        Task::Lock(lock) => lock::run(&lock, &mut output),
        Task::Explain(explain) => explain::run(&explain, &mut output),
        Task::List(list) => list::run(&list, &mut output),
        Task::Run(run) => run::run(&run),
        Task::Init(init) => init::run(&init, &mut output),
        Task::Doctor(doctor) => doctor::run(&doctor, &mut output),
        Task::Completions { shell } => {
            // Those of cargo itself stay as they are.
            clap_complete::generate(shell, &mut command(), "cargo-snakepit", output.plain());
            Ok(true)
        }
        Task::Man => man(&mut output),
    };
    let written = output.write();
    match (ended, written) {
        (Ok(true), Ok(())) => ExitCode::SUCCESS,
        (Ok(false), Ok(())) => ExitCode::from(1),
        (Err(failure), Ok(())) | (Ok(_), Err(failure)) | (Err(failure), Err(_)) => failure.tell(),
    }
}

/// Cargo puts the subcommand's name before its arguments; a person who starts the program itself does not.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first != "snakepit") {
        let end = arguments.len().min(1);
        arguments.insert(end, "snakepit".into());
    }
    arguments
}

/// The command under the name of its program.
fn command() -> clap::Command {
    let cargo = Cargo::command();
    let snakepit = cargo
        .find_subcommand("snakepit")
        .expect("it is the only one");
    snakepit
        .clone()
        .name("cargo-snakepit")
        .bin_name("cargo snakepit")
}

/// One page for the command and its tasks.
fn man(output: &mut Output) -> Result<bool, Failure> {
    let mut command = command();
    command.build();
    let tasks = command
        .get_subcommands()
        .filter(|task| task.get_name() != "help");
    let page = output.plain();
    let failed = || Failure::of("the page cannot be made");
    clap_mangen::Man::new(command.clone())
        .render(page)
        .map_err(failed())?;
    for task in tasks {
        let name = task.get_name();
        let man = clap_mangen::Man::new(task.clone());
        page.extend_from_slice(format!(".SH CARGO SNAKEPIT {}\n", name.to_uppercase()).as_bytes());
        man.render_synopsis_section(page)
            .and_then(|()| man.render_description_section(page))
            .and_then(|()| man.render_options_section(page))
            .map_err(failed())?;
    }
    Ok(true)
}
