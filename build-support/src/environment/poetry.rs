//! `poetry`: a project with `poetry.lock`, and the virtual environment that poetry keeps for it: `.venv` in the
//! project, else one in poetry's own folder. Where that is follows from poetry's settings and the project's path;
//! poetry itself, which takes half a second, is asked only where these rules do not lead to one environment.
//! <https://python-poetry.org/docs/configuration/#virtualenvspath>

mod content_hash;
mod location;
mod step;

use std::path::{Path, PathBuf};

use super::{Config, ExtraMetadata, Launch, PythonEnvironment, Venv, permission, utf8};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Table};
use crate::host::Host;
use crate::manifest::EnvOp;
use crate::shell::quoted_path;

/// The virtual environment of a poetry project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poetry;

impl PythonEnvironment for Poetry {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let project = Project::of(config, host)?;
        // A lock that says nothing is the first thing to mend.
        let lock = step::read_lock(&project, host)?;
        content_hash::check(&project, &lock, host)?;
        if config.manager_launch {
            return host.which("poetry").ok_or_else(|| {
                Diagnostic::new(
                    Code::PoetryNotFound,
                    "`launch = manager` needs poetry, but no `poetry` is on the search path",
                    "install it, or remove `launch = manager`: the environment's own interpreter needs none",
                )
                .at("launch")
            });
        }
        Venv.resolve_executable(&project.environment(config, host)?, host)
            .map_err(|fault| project.invalid(&fault))
    }

    fn resolve_environment(&self, config: &Config, host: &dyn Host) -> Result<Launch, Diagnostic> {
        let project = Project::of(config, host)?;
        if config.manager_launch {
            return Ok(Launch {
                args: ["run", "python"].map(str::to_owned).to_vec(),
                asking: project.unchanging(config, host)?,
                cwd: Some(project.folder),
                ..Launch::default()
            });
        }
        Venv.resolve_environment(&project.environment(config, host)?, host)
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        let project = Project::of(config, host)?;
        let lock = step::read_lock(&project, host)?;
        // `poetry run` makes an environment where there is none at the start of a worker: an empty one, which is all that
        // such a lock asks for.
        if config.manager_launch && step::asks_for_nothing(&lock) {
            return Ok(());
        }
        let environment = project.environment(config, host)?;
        let folder = environment.absolute(environment.option("venv_path").unwrap_or_default());
        Venv.validate_environment(&environment, host)
            .map_err(|fault| {
                let invalid = project.invalid(&fault);
                match permission(&folder.join("pyvenv.cfg"), host) {
                    Some(help) => invalid.with_help(help),
                    None => invalid,
                }
            })?;
        let executable = Venv.resolve_executable(&environment, host)?;
        let interpreter = host.interpreter(&executable)?;
        step::check(&project, &lock, &folder, &interpreter, host)
    }

    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let project = Project::of(config, host)?;
        Ok(ExtraMetadata::from([(
            "project_dir".to_owned(),
            project.folder.display().to_string(),
        )]))
    }
}

/// A folder with `poetry.lock` and `pyproject.toml`.
struct Project {
    folder: PathBuf,
    /// The option that named it, or the environment itself.
    place: &'static str,
}

impl Project {
    fn of(config: &Config, host: &dyn Host) -> Result<Self, Diagnostic> {
        let project = Self {
            folder: config.project_dir(host)?,
            place: match config.option("project_dir") {
                Some(_) => "option:project_dir",
                None => "environment",
            },
        };
        let shown = project.folder.display();
        let is_file = |name: &str| {
            let info = host.info(&project.folder.join(name));
            info.is_some_and(|info| !info.is_dir)
        };
        if !is_file("pyproject.toml") {
            return Err(project.fault(
                Code::PoetryProjectNotFound,
                format!("no `pyproject.toml` in `{shown}`"),
                format!("run `poetry init` in `{shown}`, or name another `project_dir`"),
            ));
        }
        if !is_file("poetry.lock") {
            return Err(project.fault(
                Code::PoetryLockNotFound,
                format!("no `poetry.lock` in `{shown}`"),
                format!("run `poetry lock` in `{shown}`, then `poetry install`"),
            ));
        }
        Ok(project)
    }

    /// The project's virtual environment, as the kind `venv` takes it.
    fn environment(&self, config: &Config, host: &dyn Host) -> Result<Config, Diagnostic> {
        let folder = location::find(self, host)?;
        Ok(Config {
            base: self.folder.clone(),
            options: [("venv_path".to_owned(), self.text(&folder)?)].into(),
            manager_launch: config.manager_launch,
            ..Config::default()
        })
    }

    /// What keeps poetry from making an environment while it is asked: where there is none, and none is wanted, it
    /// starts the interpreter of which it would make one. Of an environment that is there this would make it look away.
    fn unchanging(&self, config: &Config, host: &dyn Host) -> Result<Vec<EnvOp>, Diagnostic> {
        let lock = step::read_lock(self, host)?;
        if !step::asks_for_nothing(&lock) || self.environment(config, host).is_ok() {
            return Ok(Vec::new());
        }
        Ok(vec![EnvOp::Set {
            name: "POETRY_VIRTUALENVS_CREATE".to_owned(),
            value: "false".to_owned(),
        }])
    }

    fn text(&self, folder: &Path) -> Result<String, Diagnostic> {
        utf8(folder).map_err(|fault| fault.at(self.place))
    }

    /// What the kind `venv` found wrong, with poetry's own remedy.
    fn invalid(&self, fault: &Diagnostic) -> Diagnostic {
        let folder = quoted_path(&self.folder);
        self.fault(
            Code::PoetryEnvironmentInvalid,
            fault.message(),
            format!("run `cd {folder} && poetry env remove --all && poetry install`"),
        )
    }

    fn fault(&self, code: Code, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, message, help).at(self.place)
    }

    /// A file of the project or of poetry's settings, which is the user's to correct.
    fn settings(&self, file: &Path, host: &dyn Host) -> Result<Table, Diagnostic> {
        document::read(file, host).map_err(|why| {
            self.fault(
                Code::PoetryFileInvalid,
                format!("`{}` {why}", file.display()),
                permission(file, host).unwrap_or_else(|| "correct the file".to_owned()),
            )
        })
    }
}
