//! `run`: a pool's Python, in the place of this program, with the environment that its workers get.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use snakepit_build::manifest::{EnvOp, Resolution};

use crate::args::Run;
use crate::failure::Failure;
use crate::report::PoolReport;
use crate::snippet;
use crate::survey::{How, only, survey};

/// Variables that the runtime takes from its workers.
const FOREIGN: [&str; 3] = ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"];

/// It returns only if the program cannot be started.
pub(crate) fn run(run: &Run) -> Result<bool, Failure> {
    let here = env::current_dir()?;
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
    rustix::process::set_child_subreaper(None).map_err(io::Error::from)?;
    let Err(error) = replaced(resolution, &run.arguments, here);
    Err(Failure::failed(format!(
        "`{}` cannot be started: {error}",
        resolution.command
    )))
}

/// What a build would accept.
fn startable(pool: &PoolReport) -> Option<&Resolution> {
    let is_failed = pool.status() == crate::report::Status::Error;
    pool.resolution.as_deref().filter(|_| !is_failed)
}

fn replaced(
    resolution: &Resolution,
    arguments: &[OsString],
    here: PathBuf,
) -> io::Result<Infallible> {
    let mut command = Command::new(&resolution.command);
    for name in FOREIGN {
        command.env_remove(name);
    }
    for op in &resolution.env {
        match op {
            EnvOp::Set { name, value } => command.env(name, value),
            EnvOp::Prepend { name, value } => {
                let rest = env::var_os(name).filter(|rest| !rest.is_empty());
                let paths = std::iter::once(PathBuf::from(value));
                let paths = paths.chain(rest.iter().flat_map(env::split_paths));
                command.env(
                    name,
                    env::join_paths(paths).unwrap_or_else(|_| value.into()),
                )
            }
            EnvOp::Unset { name } => command.env_remove(name),
        };
    }
    let mut args = resolution.args.clone();
    let python_path = env::join_paths(&resolution.python_path).map_err(io::Error::other)?;
    if resolution.metadata.environment == "docker" {
        in_container(&mut args, &python_path.to_string_lossy());
    } else if !python_path.is_empty() {
        command.env("PYTHONPATH", python_path);
    }
    command
        .args(args)
        .args(arguments)
        .current_dir(resolution.cwd.as_ref().map_or(here, PathBuf::from));
    Err(command.exec())
}

/// The engine's client gives the container neither its variables nor its terminal, unless it is told to.
fn in_container(args: &mut Vec<String>, python_path: &str) {
    let Some(interactive) = args.iter().position(|arg| arg == "-i") else {
        return;
    };
    let mut more = Vec::new();
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        more.push("-t".to_owned());
    }
    if !python_path.is_empty() {
        more.extend(["-e".to_owned(), format!("PYTHONPATH={python_path}")]);
    }
    args.splice(interactive + 1..interactive + 1, more);
}
