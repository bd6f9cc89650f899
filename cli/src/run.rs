//! `run`: a pool's Python, in the place of this program, with the environment that its workers get.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap_cargo::style::WARN;
use snakepit_build::FOREIGN;
use snakepit_build::host::Program;
use snakepit_build::manifest::{EnvOp, Resolution};
use snakepit_build::sysroot::VARIABLE;

use crate::args::Run;
use crate::failure::Failure;
use crate::report::{PoolReport, Status};
use crate::snippet;
use crate::survey::{How, only, survey};

/// It returns only if the program cannot be started.
pub(crate) fn run(run: &Run) -> Result<bool, Failure> {
    if let Some(root) = env::var_os(VARIABLE).filter(|root| !root.is_empty()) {
        return Err(Failure::usage(format!(
            "`{VARIABLE}` names the root file system `{}`, and nothing of it runs on this machine; unset it to run the pool's Python here",
            root.display()
        )));
    }
    let here = env::current_dir().map_err(Failure::of("the current folder cannot be told"))?;
    let packages = run.selection.packages()?;
    let pools: Vec<String> = run.pool.iter().cloned().collect();
    let how = How {
        pools: &pools,
        anew: false,
    };
    let reports = survey(&packages, how)?;
    let pool = only(&reports)?;
    let Some(resolution) = startable(pool) else {
        for problem in &pool.problems {
            anstream::eprintln!(
                "{}",
                snippet::rendered(problem, Some(&pool.request.pool), None)
            );
        }
        return Ok(false);
    };
    // What this program set for itself would hold for Python, too.
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(None)
        .map_err(io::Error::from)
        .map_err(Failure::of(
            "the children of the pool's Python cannot be left to it",
        ))?;
    let Err(error) = replaced(pool, resolution, &run.arguments, here);
    Err(Failure::failed(format!(
        "`{}` cannot be started: {error}",
        resolution.command
    )))
}

/// What a build would accept.
fn startable(pool: &PoolReport) -> Option<&Resolution> {
    let is_failed = pool.status() == Status::Error;
    pool.resolution.as_deref().filter(|_| !is_failed)
}

fn replaced(
    pool: &PoolReport,
    resolution: &Resolution,
    arguments: &[OsString],
    here: PathBuf,
) -> io::Result<Infallible> {
    let foreign = FOREIGN.iter().map(|name| EnvOp::Unset {
        name: (*name).to_owned(),
    });
    let mut env: Vec<EnvOp> = foreign.chain(resolution.env.iter().cloned()).collect();
    let mut args = resolution.args.clone();
    let python_path = env::join_paths(&resolution.python_path)
        .map_err(|error| io::Error::other(format!("`python_path`: {error}")))?;
    let python_path = python_path.to_string_lossy().into_owned();
    match &resolution.elsewhere {
        Some(_) if pool.request.custom.is_none() => {
            let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
            in_container(&mut args, &python_path, is_terminal);
        }
        _ if python_path.is_empty() => {}
        Some(place) => anstream::eprintln!(
            "{WARN}warning{WARN:#}: this Python does not see the folders of `python_path`: how it gets variables in {place} \
             the package's own environment knows alone"
        ),
        None => env.push(EnvOp::Set {
            name: "PYTHONPATH".to_owned(),
            value: python_path,
        }),
    }
    let cwd = resolution.cwd.as_ref().map_or(here, PathBuf::from);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let program = Program {
        env: &env,
        cwd: Some(&cwd),
        ..Program::new(Path::new(&resolution.command), &args, Duration::MAX)
    };
    Err(program.command().args(arguments).exec())
}

/// The engine's client gives the container neither its variables nor its terminal, unless it is told to.
fn in_container(args: &mut Vec<String>, python_path: &str, is_terminal: bool) {
    let Some(interactive) = args.iter().position(|arg| arg == "-i") else {
        return;
    };
    let mut more = Vec::new();
    if is_terminal {
        more.push("-t".to_owned());
    }
    if !python_path.is_empty() {
        more.extend(["-e".to_owned(), format!("PYTHONPATH={python_path}")]);
    }
    args.splice(interactive + 1..interactive + 1, more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_gets_the_terminal_and_the_folders_before_its_name() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut args = words("exec -i ml python3");
        in_container(&mut args, "/srv/python", true);
        assert_eq!(
            args,
            words("exec -i -t -e PYTHONPATH=/srv/python ml python3")
        );
        let mut args = words("run --rm -i --init ml python3");
        in_container(&mut args, "", false);
        assert_eq!(args, words("run --rm -i --init ml python3"));
    }
}
