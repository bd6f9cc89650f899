//! `conda`: a prefix with `conda-meta`, made by conda, mamba, micromamba or one of their kin; by its path, its name
//! or the name in `environment.yml`. What activation would set is found out once, here: `conda run` costs a second.
//!
//! Layout and activation: <https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/activation.html>

mod activation;
pub(crate) mod manager;
pub(crate) mod places;
mod yaml;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{
    Config, ExtraMetadata, Launch, NO_INTERPRETER, PythonEnvironment, interpreter_in, permission,
};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::ordered::Map;
use crate::shell::{quoted, quoted_path};
use manager::Manager;
use places::Places;
use yaml::Value;

/// A conda environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conda;

/// The names of the file that describes an environment.
const FILES: [&str; 2] = ["environment.yml", "environment.yaml"];

/// An environment that is there.
struct Found {
    prefix: PathBuf,
    /// The option that named it.
    place: &'static str,
}

impl PythonEnvironment for Conda {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let found = find(config, host)?;
        let python = interpreter(&found, host)?;
        if config.manager_launch {
            return manager(host).map(|manager| manager.path);
        }
        Ok(python)
    }

    fn resolve_environment(&self, config: &Config, host: &dyn Host) -> Result<Launch, Diagnostic> {
        let Found { prefix, place } = find(config, host)?;
        if config.manager_launch {
            // The path, and never the name: it is absolute, so that nobody takes it for an option, and no setting
            // of the day leads to another environment of that name.
            let mut args = vec!["run".to_owned()];
            args.extend(manager(host)?.options.iter().map(|&text| text.to_owned()));
            args.extend(["-p", &prefix.display().to_string(), "python"].map(str::to_owned));
            return Ok(Launch {
                args,
                ..Launch::default()
            });
        }
        Ok(Launch {
            env: activation::changes(&prefix, &default_name(&prefix, host), host)
                .map_err(|fault| fault.at(place))?,
            ..Launch::default()
        })
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        // Every change that a manager makes to the environment is written down there.
        let history = find(config, host)?.prefix.join("conda-meta/history");
        // A prefix without one has never been changed since.
        let _ = host.consult(&history);
        Ok(())
    }

    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let prefix = find(config, host)?.prefix;
        let mut extra = ExtraMetadata::new();
        extra.insert("environment_name".to_owned(), default_name(&prefix, host));
        extra.insert("conda_prefix".to_owned(), prefix.display().to_string());
        if let Some(package) = python_package(&prefix, host) {
            extra.insert("python_package".to_owned(), package);
        }
        Ok(extra)
    }
}

/// The environment that the options name.
fn find(config: &Config, host: &dyn Host) -> Result<Found, Diagnostic> {
    let found = match (config.option("prefix"), config.option("environment_name")) {
        (Some(_), Some(_)) => {
            return Err(Diagnostic::new(
                Code::CondaOptionsConflict,
                "both `prefix` and `environment_name` are given",
                "remove one of them: each names an environment by itself",
            )
            .at("option:environment_name"));
        }
        (Some(prefix), None) => Found {
            prefix: config.absolute(prefix),
            place: "option:prefix",
        },
        (None, Some(name)) => {
            let option = match name {
                name if name.starts_with('-') => format!("--name={}", quoted(name)),
                name => format!("-n {}", quoted(name)),
            };
            let conda = manager::name(host);
            let help = format!(
                "run `{conda} create {option} python`, or `{conda} env create {option} -f environment.yml`"
            );
            named(name, "option:environment_name", help, host)?
        }
        (None, None) => described(config, host)?,
    };
    whole(&found, host)?;
    Ok(found)
}

/// The environment that `environment.yml` describes.
fn described(config: &Config, host: &dyn Host) -> Result<Found, Diagnostic> {
    let folder = config.project_dir(host)?;
    let place = match config.option("project_dir") {
        Some(_) => "option:project_dir",
        None => "environment",
    };
    let mut files = FILES.iter().map(|name| folder.join(name));
    let Some(file) = files.find(|file| host.info(file).is_some_and(|info| !info.is_dir)) else {
        return Err(Diagnostic::new(
            Code::CondaFileNotFound,
            format!("no `environment.yml` in `{}`", folder.display()),
            "write one, or name the environment: `environment_name = \"...\"` or `prefix = \"...\"`",
        )
        .at(place));
    };
    let settings = settings(&file, &["name"], host).map_err(|fault| fault.at(place))?;
    let Some(Value::Text(name)) = settings.get("name") else {
        return Err(Diagnostic::new(
            Code::CondaFileInvalid,
            format!("`{}` gives its environment no name", file.display()),
            "add the line `name: ...` to it, or name the environment in the declaration",
        )
        .at(place));
    };
    let conda = manager::name(host);
    let help = format!("run `{conda} env create -f {}`", quoted_path(&file));
    named(name, place, help, host)
}

/// The environment of a name, in the first of all places that has one.
fn named(
    name: &str,
    place: &'static str,
    help: String,
    host: &dyn Host,
) -> Result<Found, Diagnostic> {
    // <https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html>
    if name.is_empty() || name.contains(['/', '\\', ':', '#']) || name == "." || name == ".." {
        return Err(Diagnostic::new(
            Code::CondaEnvironmentNotFound,
            format!("`{name}` is no name that a conda environment can have"),
            "correct the name, or name the environment's folder: `prefix = \"...\"`",
        )
        .at(place));
    }
    let places = Places::of(host).map_err(|fault| fault.at(place))?;
    if let Some(prefix) = places.environment(name, host) {
        return Ok(Found { prefix, place });
    }
    let looked: Vec<String> = places
        .folders
        .iter()
        .map(|folder| format!("`{}`", folder.display()))
        .collect();
    let message = match looked.is_empty() {
        true => format!("no conda environment `{name}`: no folder of conda environments is there"),
        false => format!("no conda environment `{name}` in {}", looked.join(", ")),
    };
    Err(Diagnostic::new(Code::CondaEnvironmentNotFound, message, help).at(place))
}

/// Whether there is an environment at the prefix.
fn whole(Found { prefix, place }: &Found, host: &dyn Host) -> Result<(), Diagnostic> {
    let shown = prefix.display();
    let conda = manager::name(host);
    let create = format!("run `{conda} create -p {} python`", quoted_path(prefix));
    let invalid = |message: String, help: String| {
        Err(Diagnostic::new(Code::CondaEnvironmentInvalid, message, help).at(*place))
    };
    match host.canonical(prefix) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("no conda environment at `{shown}`");
            Err(Diagnostic::new(Code::CondaEnvironmentNotFound, message, create).at(*place))
        }
        Err(error) => invalid(
            format!("the conda environment `{shown}` cannot be looked at: {error}"),
            "correct the path, or its permissions".to_owned(),
        ),
        Ok(_) if !host.info(prefix).is_some_and(|info| info.is_dir) => invalid(
            format!("`{shown}` is a file, not a conda environment"),
            format!("move it away, then {create}"),
        ),
        Ok(_) if !is_environment(prefix, host) => invalid(
            format!("`{shown}` is no conda environment: it has no folder `conda-meta`"),
            if host.info(&prefix.join("pyvenv.cfg")).is_some() {
                "it is a virtual environment: write `environment = venv(venv_path = \"...\")`"
                    .to_owned()
            } else {
                format!("name another `prefix`, or move the folder away, then {create}")
            },
        ),
        Ok(_) => Ok(()),
    }
}

fn is_environment(prefix: &Path, host: &dyn Host) -> bool {
    let meta = host.info(&prefix.join("conda-meta"));
    meta.is_some_and(|info| info.is_dir)
}

/// The environment's Python.
fn interpreter(Found { prefix, place }: &Found, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let conda = manager::name(host);
    let files = ["bin/python", "python.exe"];
    let fault = match interpreter_in(prefix, &files, host) {
        Ok(python) => return Ok(python),
        Err(NO_INTERPRETER) if python_package(prefix, host).is_none() => {
            return Err(Diagnostic::new(
                Code::CondaPythonMissing,
                format!("no Python in the conda environment `{}`", prefix.display()),
                format!("run `{conda} install -p {} python`", quoted_path(prefix)),
            )
            .at(*place));
        }
        Err(NO_INTERPRETER) => "lost its interpreter, though the package `python` is installed",
        Err(fault) => fault,
    };
    let closed = files
        .iter()
        .find_map(|file| permission(&prefix.join(file), host));
    Err(Diagnostic::new(
        Code::CondaEnvironmentInvalid,
        format!("the conda environment `{}` {fault}", prefix.display()),
        closed.unwrap_or_else(|| {
            let prefix = quoted_path(prefix);
            format!("run `{conda} install --force-reinstall -p {prefix} python`")
        }),
    )
    .at(*place))
}

/// Version and build of the installed package `python`, from the name of its record:
/// `conda-meta/python-3.12.1-hab00c5b_0_cpython.json`.
pub(crate) fn python_package(prefix: &Path, host: &dyn Host) -> Option<String> {
    host.list(&prefix.join("conda-meta"))
        .iter()
        .find_map(|path| {
            let rest = path.file_name()?.to_str()?.strip_prefix("python-")?;
            let rest = rest.strip_suffix(".json")?;
            rest.starts_with(|c: char| c.is_ascii_digit())
                .then(|| rest.to_owned())
        })
}

/// What activation calls the environment: `base`, its name where it is in a folder `envs`, else its path.
pub(crate) fn default_name(prefix: &Path, host: &dyn Host) -> String {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let is_root = ["bin/conda", "condabin/conda", "condabin/mamba"]
        .iter()
        .any(|program| host.info(&prefix.join(program)).is_some());
    if is_root {
        return "base".to_owned();
    }
    let parent = prefix.parent().and_then(name);
    match name(prefix) {
        Some(own) if parent.as_deref() == Some("envs") => own,
        _ => prefix.display().to_string(),
    }
}

/// The manager, which `launch = manager` cannot do without.
fn manager(host: &dyn Host) -> Result<Manager, Diagnostic> {
    manager::find(host).ok_or_else(|| {
        Diagnostic::new(
            Code::CondaNotFound,
            "`launch = manager` needs conda, but none of `conda`, `micromamba` and `mamba` is on the search path",
            "install one, set `CONDA_EXE`, or remove `launch = manager`: the environment's own interpreter needs none",
        )
        .at("launch")
    })
}

/// What a file of settings says of these keys.
fn settings<'a>(
    file: &Path,
    keys: &'a [&'a str],
    host: &dyn Host,
) -> Result<Map<&'a str, Value>, Diagnostic> {
    let invalid = |why: String| {
        Diagnostic::new(
            Code::CondaFileInvalid,
            format!("`{}` cannot be read as YAML: {why}", file.display()),
            permission(file, host).unwrap_or_else(|| "correct the file".to_owned()),
        )
    };
    let bytes = host
        .consult(file)
        .map_err(|error| invalid(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    yaml::values(&text, keys).map_err(invalid)
}
