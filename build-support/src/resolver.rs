//! Declaration to resolution, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::adapter::{Adapted, Source};
use crate::cache::Cache;
use crate::catalogue::Code;
use crate::choice::{Choice, Kind, choose};
use crate::declaration::Request;
use crate::declare::{hint, nearest};
use crate::demand::{self, Demands};
use crate::diagnostic::Diagnostic;
use crate::distribution::{Distributions, Installed};
use crate::environment::{
    Conda, Config, Docker, ExtraMetadata, Launch, Poetry, Pyenv, PythonEnvironment, System, Uv,
    Venv, absolute, utf8,
};
use crate::fingerprint::fingerprint;
use crate::host::{Host, Program};
use crate::manifest::{Check, EnvOp, Fingerprint, Metadata, Resolution};
use crate::ordered::Ordered;
use crate::probe::{self, Interpreter};
use crate::recorder::{Facts, Recorder};
use crate::remedy::Target;
use crate::{adapter, elsewhere, remedy, sysroot, tilde, upgrade, validator, written};

/// Kinds that a program registered in its `build.rs`.
pub type Custom = BTreeMap<String, Box<dyn PythonEnvironment>>;

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
    attempt(request, package_dir, custom, probes, host).map_err(|faults| {
        let faults = faults.into_iter();
        faults
            .map(|fault| tilde::explained(fault, request, package_dir, host))
            .collect()
    })
}

fn attempt(
    request: &Request,
    package_dir: &Path,
    custom: &Custom,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Resolution, Vec<Diagnostic>> {
    // Sources are here, and what belongs to the environment is where the program will run.
    let sources_dir = package_dir;
    let package_dir = &*host.package(package_dir);
    let chosen = choose(request, package_dir, host);
    let kind = chosen.as_ref().ok().map(|choice| &choice.kind);
    let mut faults = written::check(request, kind, package_dir, host);
    let source = adapter::read(request, sources_dir, host).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    let found = chosen.and_then(|choice| find(choice, custom, probes, host));
    let found = match found {
        Ok(found) => found,
        Err(fault) => {
            faults.push(fault);
            return Err(faults);
        }
    };
    let source = source.as_ref();
    let adapted = demanded(request, package_dir, source, &found, probes, host);
    let adapted = adapted.unwrap_or_else(|more| {
        faults.extend(more);
        Adapted::default()
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    let fingerprint = fingerprint(
        &found.interpreter,
        &found.extra,
        found.launch.elsewhere.is_some(),
        &found.facts,
        source,
        probes,
        host,
    );
    let frozen = frozen(request, package_dir, source, adapted, found, host);
    let resolution = frozen.map_err(|fault| vec![fault])?;
    Ok(Resolution {
        fingerprint,
        ..resolution
    })
}

/// An environment that is there and whole.
struct Found {
    kind: Kind,
    detected_by: String,
    executable: PathBuf,
    launch: Launch,
    extra: ExtraMetadata,
    interpreter: Interpreter,
    /// What the environment itself looked at.
    facts: Facts,
}

fn find(
    choice: Choice,
    custom: &Custom,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Found, Diagnostic> {
    let Choice {
        kind,
        detected_by,
        mut config,
        reasons,
    } = choice;
    if host.target().is_some() {
        must_be_files(&kind, config.manager_launch)?;
    }
    // A manager that is not there was told before, and does not keep the rest from being checked.
    config.manager_launch &= written::is_managed(&kind);
    let environment = environment(&kind, custom)?;
    // What the environment itself looks at is what the re-check looks at; what comes after are demands on it.
    let own = Recorder::new(host, probes);
    let executable = environment.resolve_executable(&config, &own)?;
    if !executable.is_absolute() {
        // The program would search for it at run time.
        let message = format!(
            "`{kind}` gave `{}`, which is no absolute path",
            executable.display()
        );
        let help = "make its `resolve_executable` give the interpreter's whole path";
        return Err(Diagnostic::new(Code::ExecutableNotAbsolute, message, help));
    }
    upgrade::watch(&executable, host);
    environment.validate_environment(&config, &own)?;
    let launch = environment.resolve_environment(&config, &own)?;
    let extra = environment.metadata(&config, &own)?;
    utf8(&executable)?;
    let facts = own.into_facts();
    let interpreter = if launch.elsewhere.is_some() {
        // No file of this machine tells whether an answer of an earlier build still holds.
        probe::ask(&launch.program(&executable, &[]), host)
    } else if launch.args.is_empty() {
        probes.ask(&executable, host)
    } else {
        let env = launch.asking_env();
        let program = Program {
            env: &env,
            ..launch.program(&executable, &[])
        };
        probes.ask_through(
            &program,
            &(&launch.env, &facts.files, &facts.consulted, &extra),
            host,
        )
    };
    let interpreter = interpreter.map_err(|fault| {
        let fault = match (fault.is(Code::PythonTooOld), naming(&config)) {
            (true, Some(option)) => fault.at(format!("option:{option}")),
            _ => fault,
        };
        environment.explain(&config, host, fault)
    })?;
    Ok(Found {
        kind,
        detected_by,
        executable,
        launch,
        extra: extra.into_iter().chain(reasons).ordered(),
        interpreter,
        facts,
    })
}

/// What stands behind a kind.
fn environment<'a>(
    kind: &Kind,
    custom: &'a Custom,
) -> Result<&'a dyn PythonEnvironment, Diagnostic> {
    let found: Option<&dyn PythonEnvironment> = match kind {
        Kind::Custom(name) => custom.get(name).map(Box::as_ref),
        Kind::Builtin(name) => match name.as_str() {
            "docker" => Some(&Docker),
            "pyenv" => Some(&Pyenv),
            "system" => Some(&System),
            "uv" => Some(&Uv),
            "venv" => Some(&Venv),
            "conda" => Some(&Conda),
            "poetry" => Some(&Poetry),
            _ => None,
        },
    };
    found.ok_or_else(|| {
        let name = kind.name();
        let message = format!("no environment `{name}` is registered");
        let hint = hint(nearest(name, custom.keys().map(String::as_str)));
        let help = format!(
            "{hint}register it in `build.rs`: `snakepit_build::Builder::new().environment({name:?}, ...).emit()`"
        );
        Diagnostic::new(Code::CustomEnvironmentNotRegistered, message, help)
    })
}

/// In a target's root file system there is nothing but files.
fn must_be_files(kind: &Kind, manager_launch: bool) -> Result<(), Diagnostic> {
    let (what, help, place) = if kind.builtin() == Some("docker") {
        let help = "name an environment that is made of files, such as `venv`";
        ("a container is", help, "environment")
    } else if manager_launch {
        let help = "remove `launch = manager`: the interpreter is started directly";
        ("a manager that starts the workers is", help, "launch")
    } else {
        return Ok(());
    };
    let message = format!(
        "{what} not to be found in the root file system that `{}` names: nothing of it is run",
        sysroot::VARIABLE
    );
    Err(Diagnostic::new(Code::SysrootNotSupported, message, help).at(place))
}

/// The option that names the interpreter, or what it belongs to.
fn naming(config: &Config) -> Option<&'static str> {
    let options = [
        "python_version",
        "python_executable",
        "python_path",
        "venv_path",
        "prefix",
        "environment_name",
        "image",
        "container_name",
        "uv_environment",
        "project_dir",
    ];
    options
        .into_iter()
        .find(|name| config.option(name).is_some())
}

/// The adapter's tools, or everything that the declaration demands of its environment and that does not hold.
fn demanded(
    request: &Request,
    package_dir: &Path,
    source: Option<&Source>,
    found: &Found,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Adapted, Vec<Diagnostic>> {
    let Found {
        executable,
        launch,
        interpreter,
        ..
    } = found;
    let command = launch.shown(executable);
    let mut faults = Vec::new();
    // One that cannot be read was told before.
    if let Some(text) = &request.python
        && let Ok(wanted) = demand::specifiers(text)
    {
        faults.extend(demand::check_python(&wanted, &interpreter.version, &command).err());
    }
    let is_custom = request.custom.is_some();
    let tools = if let Some(elsewhere) = &launch.elsewhere {
        if is_custom {
            faults.extend(elsewhere::relative_folders(request, &elsewhere.name));
        }
        let place = elsewhere::Place {
            elsewhere,
            interpreter,
            executable,
            launch,
        };
        elsewhere::check(request, source, place, host)
    } else {
        faults.extend(distributions(request, found, &command, host));
        let missing = written::missing_folders(request, package_dir, host);
        // A module is not missed in a folder that is missing.
        let adapter = request.adapter.as_ref().filter(|_| missing.is_empty());
        if is_custom {
            faults.extend(missing);
        }
        folders(request, package_dir, launch)
            .and_then(|folders| {
                let place = adapter::Place {
                    interpreter,
                    executable,
                    launch,
                    python_path: &folders,
                };
                adapter::check(request, adapter, source, place, probes, host)
            })
            .map_err(|fault| vec![fault])
    };
    match tools {
        Ok(tools) if faults.is_empty() => Ok(tools),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

/// The folders of `python_path`, as the interpreter finds them.
fn folders(
    request: &Request,
    package_dir: &Path,
    launch: &Launch,
) -> Result<Vec<String>, Diagnostic> {
    let folders = request.python_path.iter();
    match launch.elsewhere {
        Some(_) => Ok(request.python_path.clone()),
        None => folders
            .map(|folder| utf8(&absolute(package_dir, folder)))
            .collect(),
    }
}

/// What the program gets.
fn frozen(
    request: &Request,
    package_dir: &Path,
    source: Option<&Source>,
    adapted: Adapted,
    found: Found,
    host: &dyn Host,
) -> Result<Resolution, Diagnostic> {
    let python_path = folders(request, package_dir, &found.launch)?;
    let Found {
        kind,
        detected_by,
        executable,
        launch,
        extra,
        interpreter,
        facts,
    } = found;
    let mut env = launch.env;
    let mut checks = Vec::new();
    if launch.elsewhere.is_none() {
        env.extend(request.env.iter().map(|(name, value)| EnvOp::Set {
            name: name.clone(),
            value: value.clone(),
        }));
        checks = compared(&facts, &executable, host);
    }
    let warnings = validator::warnings(request, &interpreter)
        .into_iter()
        .chain(adapted.warnings)
        .collect();
    Ok(Resolution {
        command: utf8(&executable)?,
        args: launch.args,
        env,
        cwd: launch.cwd.as_deref().map(utf8).transpose()?,
        checks,
        python_path,
        elsewhere: launch.elsewhere.map(|elsewhere| elsewhere.name),
        embedded: source.map(|source| utf8(&source.file)).transpose()?,
        tools: adapted.tools,
        warnings,
        metadata: metadata(&kind, detected_by, &interpreter, extra),
        fingerprint: Fingerprint::default(),
    })
}

/// What is installed, against `requires`.
fn distributions(
    request: &Request,
    found: &Found,
    command: &str,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    let Found {
        kind,
        extra,
        interpreter,
        ..
    } = found;
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
        remedy: &|wanted, part| {
            let target = Target {
                kind: kind.builtin().unwrap_or_default(),
                extra,
                command,
                interpreter: Some(interpreter),
                has_pip: installed.find("pip").is_some(),
            };
            remedy::install(&target, wanted, part, host)
        },
    };
    demands.check(&request.requires)
}

fn metadata(
    kind: &Kind,
    detected_by: String,
    interpreter: &Interpreter,
    extra: BTreeMap<String, String>,
) -> Metadata {
    Metadata {
        environment: kind.name().to_owned(),
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
fn compared(facts: &Facts, executable: &Path, host: &dyn Host) -> Vec<Check> {
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
