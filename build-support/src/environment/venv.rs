//! `venv`: a folder with `pyvenv.cfg` and an interpreter, as PEP 405 lays it out.

use std::path::{Path, PathBuf};

use super::{Config, Launch, PythonEnvironment, interpreter_in, permission, unseen};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::manifest::EnvOp;
use crate::shell::quoted_path;

/// A virtual environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Venv;

impl Venv {
    fn folder(config: &Config) -> PathBuf {
        config.absolute(config.option("venv_path").unwrap_or(".venv"))
    }
}

/// What to write where the option names something inside of an environment, such as its interpreter. The package's own
/// folder may be in one that is not meant.
fn correction(config: &Config, host: &dyn Host) -> Option<String> {
    let written = Path::new(config.option("venv_path")?);
    let is_one = |written: &&Path| {
        let folder = config.absolute(written);
        !config.base.starts_with(&folder) && host.info(&folder.join("pyvenv.cfg")).is_some()
    };
    let folder = written.ancestors().skip(1).find(is_one)?;
    Some(format!("write `venv_path = {folder:?}`"))
}

/// What to do about one that is not whole.
fn again(folder: &Path) -> String {
    let folder = quoted_path(folder);
    format!("make it again: `python3 -m venv --clear {folder}`")
}

impl PythonEnvironment for Venv {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let folder = Self::folder(config);
        let shown = quoted_path(&folder);
        let create = format!("run `python3 -m venv {shown}`");
        let or_correct = |help: String| correction(config, host).unwrap_or(help);
        match host.info(&folder) {
            None if let Some(error) = unseen(&folder, host) => {
                return Err(Diagnostic::new(
                    Code::VenvInvalid,
                    format!(
                        "the virtual environment `{}` cannot be looked at: {error}",
                        folder.display()
                    ),
                    "correct the path, or its permissions",
                )
                .at("option:venv_path"));
            }
            None => {
                let message = format!("no virtual environment at `{}`", folder.display());
                let fault = Diagnostic::new(Code::VenvNotFound, message, or_correct(create));
                return Err(fault.at("option:venv_path"));
            }
            Some(info) if !info.is_dir => {
                return Err(Diagnostic::new(
                    Code::VenvInvalid,
                    format!(
                        "`{}` is a file, not a virtual environment",
                        folder.display()
                    ),
                    or_correct(format!("move it away, then {create}")),
                )
                .at("option:venv_path"));
            }
            Some(_) => {}
        }
        let files = ["bin/python3", "bin/python", "Scripts/python.exe"];
        let fault = match interpreter_in(&folder, &files, host) {
            Ok(python) => return Ok(python),
            Err(fault) => fault,
        };
        // A folder that is no virtual environment is not the place for a command that clears it.
        let is_one = ["pyvenv.cfg", "bin", "Scripts"]
            .iter()
            .any(|name| host.info(&folder.join(name)).is_some());
        let help = if is_one || host.list(&folder).is_empty() {
            again(&folder)
        } else {
            format!(
                "`{}` holds other files: name another `venv_path`",
                folder.display()
            )
        };
        Err(Diagnostic::new(
            Code::VenvInvalid,
            format!("the virtual environment `{}` {fault}", folder.display()),
            or_correct(help),
        )
        .at("option:venv_path"))
    }

    fn resolve_environment(&self, config: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        let folder = Self::folder(config);
        let bin = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
        let text = |path: &Path| path.display().to_string();
        Ok(Launch {
            env: vec![
                EnvOp::Set {
                    name: "VIRTUAL_ENV".to_owned(),
                    value: text(&folder),
                },
                EnvOp::Prepend {
                    name: "PATH".to_owned(),
                    value: text(&bin),
                },
                EnvOp::Unset {
                    name: "PYTHONHOME".to_owned(),
                },
            ],
            ..Launch::default()
        })
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        let folder = Self::folder(config);
        let path = folder.join("pyvenv.cfg");
        if host.info(&path).is_none() {
            if !has_lost_its_settings(&folder, host) {
                return Ok(());
            }
            let message = format!(
                "the virtual environment `{}` has lost its `pyvenv.cfg`: its interpreter would not use what is installed there",
                folder.display()
            );
            let fault = Diagnostic::new(Code::VenvInvalid, message, again(&folder));
            return Err(fault.at("option:venv_path"));
        }
        let found = match host.read(&path) {
            Ok(bytes) if std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0) => {
                return Ok(());
            }
            Ok(_) => "cannot be read as UTF-8 text".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        Err(Diagnostic::new(
            Code::VenvInvalid,
            format!("`{}` {found}", path.display()),
            permission(&path, host).unwrap_or_else(|| again(&folder)),
        )
        .at("option:venv_path"))
    }

    fn explain(&self, _: &Config, _: &dyn Host, fault: Diagnostic) -> Diagnostic {
        fault.at("option:venv_path")
    }
}

/// Whether a folder without `pyvenv.cfg` has distributions of its own and no standard library: without that file its
/// interpreter takes both from where it was installed. A whole Python needs no such file, and a folder with nothing but
/// an interpreter has nothing to lose.
fn has_lost_its_settings(folder: &Path, host: &dyn Host) -> bool {
    let is_there = |path: PathBuf| host.info(&path).is_some();
    let mut pythons = host.list(&folder.join("lib")).into_iter();
    pythons.any(|python| is_there(python.join("site-packages")) && !is_there(python.join("os.py")))
}
