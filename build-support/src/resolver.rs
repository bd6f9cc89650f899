//! Declaration to resolution, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::catalogue::Code;
use crate::declaration::{Adapter, Profile, Request};
use crate::demand::{self, Demands};
use crate::detector::detect;
use crate::diagnostic::Diagnostic;
use crate::distribution::Installed;
use crate::environment::{
    Conda, Config, Docker, ExtraMetadata, Launch, Poetry, Pyenv, PythonEnvironment, System, Uv,
    Venv, absolute, without_pyenv,
};
use crate::host::Host;
use crate::manifest::{Check, EnvOp, Metadata, Resolution};
use crate::probe::{self, Cache, Interpreter};
use crate::recorder::{Facts, Recorder};
use crate::{adapter, elsewhere, remedy, upgrade};

/// Kinds that a program registered in its `build.rs`.
pub type Custom = BTreeMap<String, Box<dyn PythonEnvironment>>;

/// Kinds whose manager can start the interpreter itself.
const MANAGED: &[&str] = &["conda", "poetry", "uv"];

/// The longest file that is compared at start-up, in bytes.
const MOST_CONTENT: usize = 64 * 1024;

/// Finds and checks the environment of one pool.
///
/// # Errors
/// Everything that is wrong with the pool, as far as one fault does not hide another.
pub fn resolve(
    request: &Request,
    package_dir: &Path,
    custom: &Custom,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Resolution, Vec<Diagnostic>> {
    let one = |diagnostic| vec![diagnostic];
    let (kind, detected_by, config) = choose(request, package_dir, host).map_err(one)?;
    if request.manager_launch && !MANAGED.contains(&kind.as_str()) {
        let message = format!(
            "`launch = manager` makes no sense for `{}`, which no manager starts",
            kind
        );
        let help = "remove it: the interpreter is started directly";
        return Err(one(Diagnostic::new(
            Code::LaunchNotSupported,
            message,
            help,
        )
        .at("launch")));
    }
    let environment: &dyn PythonEnvironment = match kind.as_str() {
        "docker" => &Docker,
        "pyenv" => &Pyenv,
        "system" => &System,
        "uv" => &Uv,
        "venv" => &Venv,
        "conda" => &Conda,
        "poetry" => &Poetry,
        name => custom.get(name).map(Box::as_ref).ok_or_else(|| {
            let message = format!("no environment `{name}` is registered");
            let help =
                format!("register it in `build.rs`: `Builder::new().environment(\"{name}\", ...)`");
            one(Diagnostic::new(
                Code::CustomEnvironmentNotRegistered,
                message,
                help,
            ))
        })?,
    };
    // What the environment itself looks at is what the re-check looks at; what comes after are demands on it.
    let own = Recorder::new(host, probes);
    let executable = environment.resolve_executable(&config, &own).map_err(one)?;
    if !executable.is_absolute() {
        // The program would search for it at run time.
        let message = format!(
            "`{kind}` gave `{}`, which is no absolute path",
            executable.display()
        );
        let help = "make its `resolve_executable` give the interpreter's whole path";
        return Err(one(Diagnostic::new(
            Code::ExecutableNotAbsolute,
            message,
            help,
        )));
    }
    upgrade::watch(&executable, host);
    environment
        .validate_environment(&config, &own)
        .map_err(one)?;
    let launch = environment
        .resolve_environment(&config, &own)
        .map_err(one)?;
    let extra = environment.metadata(&config, &own).map_err(one)?;
    let command = utf8(&executable).map_err(one)?;
    let facts = own.into_facts();
    let interpreter = if launch.elsewhere.is_some() {
        // No file of this machine tells whether an answer of an earlier build still holds.
        probe::ask(&launch.program(&executable, &[]), host)
    } else if launch.args.is_empty() {
        probes.ask(&executable, host)
    } else {
        let program = launch.program(&executable, &[]);
        probes.ask_through(
            &program,
            &(&launch.env, &facts.files, &facts.consulted, &extra),
            host,
        )
    };
    let interpreter =
        interpreter.map_err(|fault| one(environment.explain(&config, host, fault)))?;

    let mut faults = Vec::new();
    if let Some(specifier) = &request.python {
        let command = launch.shown(&executable);
        faults.extend(demand::check_python(specifier, &interpreter.version, &command).err());
    }
    let embedded = match &request.adapter {
        Some(Adapter::Embed(file)) => match adapter::read(file, package_dir, host) {
            Ok(file) => Some(file),
            Err(fault) => {
                faults.push(fault);
                None
            }
        },
        _ => None,
    };
    let (python_path, checks) = match &launch.elsewhere {
        Some(place) => {
            faults.extend(elsewhere::check(
                request,
                &interpreter,
                &executable,
                &launch,
                place,
                host,
            ));
            let folders = request.python_path.iter().map(PathBuf::from).collect();
            (folders, Vec::new())
        }
        None => {
            let python_path: Vec<PathBuf> = request
                .python_path
                .iter()
                .map(|folder| absolute(package_dir, folder))
                .collect();
            faults.extend(distributions(
                request,
                &kind,
                &extra,
                &interpreter,
                &launch.shown(&executable),
                host,
            ));
            let here = check_here(
                request,
                &python_path,
                &interpreter,
                &executable,
                &launch,
                host,
            );
            faults.extend(here);
            (python_path, checks(&facts, &executable, host))
        }
    };
    if !faults.is_empty() {
        return Err(faults);
    }

    let mut env = launch.env;
    if launch.elsewhere.is_none() {
        env.extend(request.env.iter().map(|(name, value)| EnvOp::Set {
            name: name.clone(),
            value: value.clone(),
        }));
    }
    let mut texts = Vec::new();
    for folder in &python_path {
        texts.push(utf8(folder).map_err(one)?);
    }
    Ok(Resolution {
        args: launch.args,
        env,
        cwd: launch.cwd.as_deref().map(utf8).transpose().map_err(one)?,
        checks,
        python_path: texts,
        embedded: embedded.as_deref().map(utf8).transpose().map_err(one)?,
        warnings: warnings(request, &interpreter),
        metadata: metadata(kind, detected_by, &interpreter, extra),
        command,
    })
}

/// What is installed, against `requires`.
fn distributions(
    request: &Request,
    kind: &str,
    extra: &ExtraMetadata,
    interpreter: &Interpreter,
    command: &str,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    if request.requires.is_empty() {
        return Vec::new();
    }
    let mut installed = Installed::of(&interpreter.site_packages, host);
    if let Some(prefix) = extra.get("conda_prefix") {
        installed = installed.with_conda(Path::new(prefix));
    }
    let demands = Demands {
        variables: &interpreter.markers,
        command,
        distributions: &installed,
        remedy: &|wanted, part| remedy::install(kind, extra, command, wanted, part, host),
    };
    demands.check(&request.requires)
}

/// Where the modules have to be, for an interpreter that sees the same files as the build script.
fn check_here(
    request: &Request,
    python_path: &[PathBuf],
    interpreter: &Interpreter,
    executable: &Path,
    launch: &Launch,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for folder in python_path {
        if !host.info(folder).is_some_and(|info| info.is_dir) {
            let message = format!(
                "`python_path` names `{}`, which is no folder",
                folder.display()
            );
            faults.push(
                Diagnostic::new(
                    Code::PythonPathNotFound,
                    message,
                    "make it, or correct the path",
                )
                .at("python_path"),
            );
        }
    }
    // A module is not missed in a folder that is missing.
    let searchable = !faults
        .iter()
        .any(|fault| fault.is(Code::PythonPathNotFound));
    if let Some(Adapter::Module(module)) = request.adapter.as_ref().filter(|_| searchable) {
        faults.extend(
            adapter::check(module, python_path, interpreter, executable, launch, host).err(),
        );
    }
    faults
}

/// The kind to use, why, and its options.
fn choose(
    request: &Request,
    package_dir: &Path,
    host: &dyn Host,
) -> Result<(String, String, Config), Diagnostic> {
    let mut config = Config {
        base: package_dir.to_owned(),
        options: request.options.clone(),
        manager_launch: request.manager_launch,
        pool: request.pool.clone(),
        env: request.env.clone(),
    };
    if request.kind != "auto" {
        let kind = request
            .custom
            .clone()
            .unwrap_or_else(|| request.kind.clone());
        return Ok((kind, "declared".to_owned(), config));
    }
    let dir = config.absolute(config.option("project_dir").unwrap_or("."));
    if !host.info(&dir).is_some_and(|info| info.is_dir) {
        let message = format!(
            "`project_dir` names `{}`, which is no folder",
            dir.display()
        );
        let help = "make it, or correct the path";
        return Err(
            Diagnostic::new(Code::ProjectDirNotFound, message, help).at("option:project_dir")
        );
    }
    let found = detect(&dir, host);
    if found.kind == "pyenv" {
        // The environment reads the file itself: it may name several versions.
        config.base.clone_from(&dir);
        config.options.clear();
        let mut kind = found.kind;
        if let Some(python) = without_pyenv(&dir, host) {
            let option = ("python_executable".to_owned(), utf8(&python?)?);
            config.options.extend([option]);
            kind = "system";
        }
        return Ok((kind.to_owned(), found.marker.to_owned(), config));
    }
    // The detector names folders as they stand in the one that it looked at.
    config.base = dir;
    config.options = found
        .options
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok((found.kind.to_owned(), found.marker.to_owned(), config))
}

fn metadata(
    kind: String,
    detected_by: String,
    interpreter: &Interpreter,
    extra: BTreeMap<String, String>,
) -> Metadata {
    Metadata {
        environment: kind,
        detected_by,
        python_version: interpreter.version.clone(),
        implementation: interpreter.implementation.clone(),
        prefix: interpreter.prefix.clone(),
        base_prefix: interpreter.base_prefix.clone(),
        free_threading: interpreter.free_threading,
        extra,
    }
}

/// What the program compares at start-up: the interpreter's length, and the small text files that the environment
/// is made of.
fn checks(facts: &Facts, executable: &Path, host: &dyn Host) -> Vec<Check> {
    let length = host.info(executable).and_then(|info| {
        Some(Check::Size {
            path: executable.to_str()?.to_owned(),
            bytes: info.len,
        })
    });
    let contents = facts.files.iter().filter_map(|(path, bytes)| {
        let bytes = bytes.as_ref().filter(|bytes| bytes.len() <= MOST_CONTENT)?;
        Some(Check::Content {
            path: path.to_str()?.to_owned(),
            text: String::from_utf8(bytes.clone()).ok()?,
        })
    });
    length.into_iter().chain(contents).collect()
}

/// The seed's matrix of profile and Python.
fn warnings(request: &Request, interpreter: &Interpreter) -> Vec<String> {
    let Profile::Thread(threads) = request.profile else {
        return Vec::new();
    };
    let version = &interpreter.version;
    let minor = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let warning = if minor(version).is_some_and(|version| version < (3, 13)) {
        Diagnostic::new(
            Code::ThreadProfileWithoutFreeThreading,
            format!(
                "{threads} threads share one GIL on Python {version}, which has no free-threaded build"
            ),
            "use `profile = process`, or Python 3.13t or later",
        )
    } else if interpreter.gil_enabled {
        Diagnostic::new(
            Code::GilStillEnabled,
            format!("{threads} threads share one GIL, which is enabled in this Python {version}"),
            "use `profile = process`, or a free-threaded build",
        )
    } else {
        return Vec::new();
    };
    vec![warning.warning_of_pool(&request.pool)]
}

/// A path as the program's constants hold it.
fn utf8(path: &Path) -> Result<String, Diagnostic> {
    if let Some(text) = path.to_str() {
        return Ok(text.to_owned());
    }
    let message = format!(
        "the path `{}` is not UTF-8, which a constant of the program must be",
        path.display()
    );
    Err(Diagnostic::new(
        Code::PythonNotFound,
        message,
        "move the environment to a folder whose name is UTF-8",
    ))
}

/// Whether a folder is there; the builder asks before it watches one.
pub(crate) fn is_dir(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
