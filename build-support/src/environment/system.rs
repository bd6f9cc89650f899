//! `system`: the option, else `SNAKEPIT_PYTHON`, else `python3` or `python` on the search path, and of a shim there
//! the interpreter behind it.

use std::path::{Path, PathBuf};

use super::pyenv::behind_shim;
use super::{Config, Launch, PythonEnvironment, unseen};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;

/// The interpreter of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System;

impl PythonEnvironment for System {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        if let Some(executable) = config.option("python_executable") {
            return named(config, executable, "the option `python_executable`", host)
                .map_err(|diagnostic| diagnostic.at("option:python_executable"));
        }
        if let Some(executable) = host.variable("SNAKEPIT_PYTHON") {
            let executable = executable.to_str().ok_or_else(|| {
                Diagnostic::new(
                    Code::PathNotUtf8,
                    format!("`SNAKEPIT_PYTHON` is not UTF-8: `{}`", executable.display()),
                    "name an interpreter whose path is UTF-8",
                )
            })?;
            return named(config, executable, "`SNAKEPIT_PYTHON`", host);
        }
        let found = ["python3", "python"].iter().find_map(|name| host.which(name)).ok_or_else(|| {
            Diagnostic::new(
                Code::PythonNotFound,
                "no `python3` or `python` on the search path",
                "install Python 3, or name one: `environment = system(python_executable = \"...\")`, \
                 or set `SNAKEPIT_PYTHON`",
            )
        })?;
        started_by(found, config, host)
    }

    fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        Ok(Launch::default())
    }

    fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn explain(&self, config: &Config, _: &dyn Host, fault: Diagnostic) -> Diagnostic {
        match config.option("python_executable") {
            Some(_) => fault.at("option:python_executable"),
            None => fault,
        }
    }
}

/// What a program on the search path starts. A shim costs its own start each time, twice an interpreter's, so the
/// interpreter behind it is taken, unless the script makes a difference to what it starts.
fn started_by(found: PathBuf, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    if !host.is_script(&found) {
        return Ok(found);
    }
    if let Some(interpreter) = behind_shim(&found, config, host) {
        return Ok(interpreter);
    }
    let started = host.interpreter(&found)?;
    let interpreter = PathBuf::from(&started.executable);
    let is_itself = interpreter.is_absolute()
        && host
            .info(&interpreter)
            .is_some_and(|info| info.is_executable)
        && !host.is_script(&interpreter)
        && host
            .interpreter(&interpreter)
            .is_ok_and(|alone| alone == started);
    Ok(if is_itself { interpreter } else { found })
}

/// An interpreter that somebody named: a path, or a program's name.
fn named(config: &Config, name: &str, who: &str, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let path = if Path::new(name).components().count() > 1 {
        config.absolute(name)
    } else {
        host.which(name).unwrap_or_else(|| config.absolute(name))
    };
    let missing = |found: &str| {
        Diagnostic::new(
            Code::PythonNotFound,
            format!("{who} names `{name}`, which {found}"),
            "name an interpreter that is there, for example the answer of `command -v python3`",
        )
    };
    match host.info(&path) {
        None if Path::new(name).components().count() == 1 => {
            Err(missing("is not on the search path"))
        }
        None => Err(match unseen(&path, host) {
            Some(error) => missing(&format!("cannot be looked at: {error}")),
            None => missing("does not exist"),
        }),
        Some(info) if info.is_dir => Err(missing("is a folder")),
        Some(info) if !info.is_executable => Err(missing("is not executable")),
        Some(_) => Ok(path),
    }
}
