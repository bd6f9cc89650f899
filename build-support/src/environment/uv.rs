//! `uv`: a project with `uv.lock`, and the environment that `uv sync` makes of it. A member of a workspace has its
//! root's. <https://docs.astral.sh/uv/concepts/projects/layout/>
//!
//! It has to be in step with its lock when the program is built, also where uv starts the workers (`launch = manager`)
//! and would bring it in step: a build changes nothing of what it looks at.

mod asking;
mod outdated;
mod python;
mod step;

use std::path::{Path, PathBuf};

use self::asking::{Asked, unchanging};
use super::{Config, ExtraMetadata, Launch, PythonEnvironment, Venv, permission};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Table};
use crate::host::Host;
use crate::json::Value;
use crate::manifest::EnvOp;
use crate::shell::quoted;
use crate::tilde;

/// A project of uv.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uv;

/// The variable that names another folder than `.venv`; a relative one starts at the workspace's root.
/// <https://docs.astral.sh/uv/concepts/projects/config/#project-environment-path>
const ENVIRONMENT: &str = "UV_PROJECT_ENVIRONMENT";

/// The folder of the Pythons that uv installs. <https://docs.astral.sh/uv/reference/storage/#python-versions>
pub(crate) fn pythons(host: &dyn Host) -> Option<PathBuf> {
    let variable = |name: &str| host.variable(name).map(PathBuf::from);
    let data =
        || variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
    variable("UV_PYTHON_INSTALL_DIR").or_else(|| Some(data()?.join("uv/python")))
}

/// Where faults of the project stand.
const PLACE: &str = "option:project_dir";

/// What the declaration and the folders say.
struct Project {
    /// The folder that the declaration names.
    folder: PathBuf,
    /// The same, as the lock counts folders.
    member: PathBuf,
    /// The folder with the lock.
    root: PathBuf,
    lock: Table,
    /// Another environment than the root's `.venv`, as somebody wrote it.
    named: Option<String>,
    python: Option<String>,
}

impl PythonEnvironment for Uv {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let project = Project::read(config, host)?;
        if !config.manager_launch {
            let found = Venv.resolve_executable(&project.venv(), host);
            return found.map_err(|fault| project.broken(&fault, host));
        }
        host.which("uv").ok_or_else(|| {
            let message = "`launch = manager` wants `uv`, which is not on the search path";
            let help = "install uv, or remove `launch = manager`";
            Diagnostic::new(Code::UvNotInstalled, message, help).at("launch")
        })
    }

    fn resolve_environment(&self, config: &Config, host: &dyn Host) -> Result<Launch, Diagnostic> {
        let project = Project::read(config, host)?;
        if !config.manager_launch {
            return Venv.resolve_environment(&project.venv(), host);
        }
        let python = project.python.iter();
        let python = python.flat_map(|version| ["--python", version]);
        let args = ["run"].into_iter().chain(python).chain(["python"]);
        Ok(Launch {
            args: args.map(str::to_owned).collect(),
            env: project.env(),
            asking: unchanging(),
            cwd: Some(project.folder),
            ..Launch::default()
        })
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        let project = Project::read(config, host)?;
        // They decide what uv does, if they are there.
        for folder in [&project.root, &project.folder] {
            for name in ["pyproject.toml", "uv.toml", ".python-version"] {
                let _ = host.consult(&folder.join(name));
            }
        }
        if config.manager_launch && !project.is_uvs(host) {
            return Ok(());
        }
        let executable = Venv
            .resolve_executable(&project.venv(), host)
            .map_err(|fault| project.broken(&fault, host))?;
        Venv.validate_environment(&project.venv(), host)
            .map_err(|fault| project.broken(&fault, host))?;
        python::check(&project, &executable, host)?;
        let by_files = || {
            outdated::compare(&project, host)?;
            step::compare(&project, &executable, host)
        };
        let Some(uv) = host.which("uv") else {
            return by_files();
        };
        // Mostly one question answers both: whether the lock is up to date, and the environment in step with it.
        match project.ask(&uv, "--locked", config.manager_launch, host) {
            Asked::InStep => return Ok(()),
            Asked::CannotTell => return by_files(),
            Asked::NotInStep(_) => outdated::ask(&project, &uv, host)?,
        }
        // Without the network, uv cannot always tell what a project depends on: then the lock is believed.
        match project.ask(&uv, "--frozen", config.manager_launch, host) {
            Asked::InStep => Ok(()),
            Asked::CannotTell => by_files(),
            // uv says that something is to be done, and the files most often what.
            Asked::NotInStep(said) => {
                step::compare(&project, &executable, host)?;
                Err(project.not_synced(&said))
            }
        }
    }

    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let project = Project::read(config, host)?;
        let folder = project.folder.display().to_string();
        Ok(ExtraMetadata::from([("project_dir".to_owned(), folder)]))
    }
}

impl Project {
    fn read(config: &Config, host: &dyn Host) -> Result<Self, Diagnostic> {
        let folder = config.project_dir(host)?;
        let shown = folder.display();
        let python = config.option("python_version").map(str::to_owned);
        if let Some(version) = &python
            && (version.trim().is_empty() || version.starts_with('-'))
        {
            let message = format!("`python_version` is `{version}`, which is no version of Python");
            let fault =
                Diagnostic::new(Code::PythonVersionInvalid, message, "write one like `3.13`");
            return Err(fault.at("option:python_version"));
        }
        let Some((root, member, lock)) = locked(&folder, host)? else {
            let message = format!("no `uv.lock` in `{shown}`");
            let is_project = host.info(&folder.join("pyproject.toml")).is_some();
            let help = match is_project {
                true => format!("run `uv lock` in `{shown}`"),
                false => format!("run `uv init --bare` in `{shown}`, then `uv lock`"),
            };
            return Err(Diagnostic::new(Code::UvLockNotFound, message, help).at(PLACE));
        };
        let named = match config.option("uv_environment") {
            Some(text) => Some(text.to_owned()),
            None => host
                .variable(ENVIRONMENT)
                .map(|text| text.to_string_lossy().into_owned()),
        };
        Ok(Self {
            folder,
            member,
            root,
            lock,
            named: named.filter(|text| !text.is_empty()),
            python,
        })
    }

    fn environment(&self) -> PathBuf {
        super::absolute(&self.root, self.named.as_deref().unwrap_or(".venv"))
    }

    /// The environment is a virtual one like others.
    fn venv(&self) -> Config {
        let folder = self.environment().display().to_string();
        Config {
            base: self.root.clone(),
            options: [("venv_path".to_owned(), folder)].into(),
            ..Config::default()
        }
    }

    fn env(&self) -> Vec<EnvOp> {
        let set = |value: &String| EnvOp::Set {
            name: ENVIRONMENT.to_owned(),
            value: value.clone(),
        };
        self.named.iter().map(set).collect()
    }

    /// Whether uv finds a project here. Without one `uv run` starts an interpreter of the machine.
    fn is_uvs(&self, host: &dyn Host) -> bool {
        let mut folders = self.folder.ancestors();
        folders.any(|folder| host.info(&folder.join("pyproject.toml")).is_some())
    }

    /// The command that brings the environment in step.
    fn sync(&self) -> String {
        let mut command = "uv sync".to_owned();
        if let Some(folder) = &self.named {
            command = format!("{ENVIRONMENT}={} {command}", quoted(folder));
        }
        if let Some(version) = &self.python {
            command = format!("{command} --python {}", quoted(version));
        }
        format!("run `{command}` in `{}`", self.folder.display())
    }

    fn not_synced(&self, found: &str) -> Diagnostic {
        let message = format!(
            "the environment `{}` is not in step with `{}`: {found}",
            self.environment().display(),
            self.root.join("uv.lock").display()
        );
        Diagnostic::new(Code::EnvironmentNotSynced, message, self.sync())
    }

    /// The environment is not there, or not whole.
    fn broken(&self, fault: &Diagnostic, host: &dyn Host) -> Diagnostic {
        let folder = self.environment();
        let diagnostic = self.not_synced(fault.message());
        if let Some(help) = permission(&folder.join("pyvenv.cfg"), host) {
            return diagnostic.with_help(help);
        }
        if host.info(&folder).is_none()
            && let Some(help) = self.named.as_ref().and_then(|path| tilde::help(path, host))
        {
            return diagnostic.with_help(help);
        }
        // uv replaces environments, and nothing else.
        let is_other = match host.info(&folder) {
            None => host.is_link(&folder),
            Some(info) if info.is_dir => {
                host.info(&folder.join("pyvenv.cfg")).is_none() && !host.list(&folder).is_empty()
            }
            Some(_) => true,
        };
        if is_other {
            let help = format!("move `{}` away, then {}", folder.display(), self.sync());
            return diagnostic.with_help(help);
        }
        diagnostic
    }
}

/// The lock of a project: its own, or that of a workspace above which it is a member of.
fn locked(folder: &Path, host: &dyn Host) -> Result<Option<(PathBuf, PathBuf, Table)>, Diagnostic> {
    let is_locked = |root: &Path| {
        host.info(&root.join("uv.lock"))
            .is_some_and(|info| !info.is_dir)
    };
    if is_locked(folder) {
        let lock = parsed(folder, host).map_err(|why| {
            let file = folder.join("uv.lock");
            let message = format!("`{}` {why}", file.display());
            let help = permission(&file, host).unwrap_or_else(|| {
                format!("remove it, then run `uv lock` in `{}`", folder.display())
            });
            Diagnostic::new(Code::UvLockInvalid, message, help).at(PLACE)
        })?;
        return Ok(Some((folder.to_owned(), folder.to_owned(), lock)));
    }
    let Ok(member) = host.canonical(folder) else {
        return Ok(None);
    };
    for root in member.ancestors().skip(1).filter(|root| is_locked(root)) {
        // A lock above that is somebody else's is no concern of this project.
        if let Ok(lock) = parsed(root, host)
            && packages(&lock).any(|package| is_at(package, root, &member))
        {
            return Ok(Some((root.to_owned(), member.clone(), lock)));
        }
    }
    Ok(None)
}

/// Whether the lock of a workspace's root counts a folder among its members.
pub(crate) fn is_member(root: &Path, folder: &Path, host: &dyn Host) -> bool {
    match (host.canonical(root), host.canonical(folder)) {
        (Ok(root), Ok(folder)) => parsed(&root, host)
            .is_ok_and(|lock| packages(&lock).any(|package| is_at(package, &root, &folder))),
        _ => false,
    }
}

/// The lock in a folder, or what is wrong with it.
fn parsed(root: &Path, host: &dyn Host) -> Result<Table, String> {
    document::read(&root.join("uv.lock"), host)
}

fn packages(lock: &Table) -> impl Iterator<Item = &Table> {
    let packages = lock.get("package").and_then(Value::as_array);
    packages.into_iter().flatten().filter_map(Value::as_object)
}

/// Whether a package of the lock is the one whose source is in a folder.
fn is_at(package: &Table, root: &Path, folder: &Path) -> bool {
    ["editable", "virtual", "directory"]
        .iter()
        .filter_map(|kind| source(package, kind))
        .any(|path| super::absolute(root, path) == folder)
}

fn source<'a>(package: &'a Table, kind: &str) -> Option<&'a str> {
    package.get("source")?.get(kind)?.as_str()
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}
