//! `doctor`: what a bug report needs to know of a machine, in one paste. It names tools, versions and settings, and no
//! value that may be a secret.

use std::env;
use std::path::Path;
use std::thread;
use std::time::Duration;

use clap_cargo::style::{HEADER, WARN};
use snakepit_build::host::Program;
use snakepit_build::{FOREIGN, Host, known};

use crate::args::Doctor;
use crate::failure::Failure;
use crate::interrupt::{self, Interruptible};
use crate::output::Output;
use crate::package;

/// A tool, and the arguments that make it tell its version.
const TOOLS: [(&str, &[&str]); 13] = [
    ("rustc", &["--version"]),
    ("cargo", &["--version"]),
    ("python3", &["--version"]),
    ("python", &["--version"]),
    ("uv", &["--version"]),
    ("poetry", &["--version", "--no-ansi"]),
    ("pyenv", &["--version"]),
    ("conda", &["--version"]),
    ("mamba", &["--version"]),
    ("micromamba", &["--version"]),
    ("virtualenv", &["--version"]),
    (
        "docker",
        &[
            "version",
            "--format",
            "client {{.Client.Version}}, engine {{.Server.Version}}",
        ],
    ),
    (
        "podman",
        &["version", "--format", "client {{.Client.Version}}"],
    ),
];

/// Variables that decide which Python is found: their values are paths, names and versions.
const TELLING: [&str; 16] = [
    "CONDA_DEFAULT_ENV",
    "CONDA_EXE",
    "CONDA_PREFIX",
    "DOCKER_CONTEXT",
    "MAMBA_ROOT_PREFIX",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "PYTHONHOME",
    "PYTHONPATH",
    "SNAKEPIT_MANIFEST",
    "SNAKEPIT_OFFLINE",
    "SNAKEPIT_PYTHON",
    "SNAKEPIT_RECHECK",
    "SNAKEPIT_SYSROOT",
    "UV_PROJECT_ENVIRONMENT",
    "VIRTUAL_ENV",
];

/// Longest wait for a version.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn run(doctor: &Doctor, output: &mut Output) -> Result<bool, Failure> {
    interrupt::guard()?;
    output.line(format!(
        "{HEADER}cargo-snakepit{HEADER:#} {}",
        env!("CARGO_PKG_VERSION")
    ));
    output.line(format!(
        "  {:<12} {} {}",
        "system",
        env::consts::OS,
        env::consts::ARCH
    ));
    if let Some(name) = distribution() {
        output.line(format!("  {:<12} {name}", "release"));
    }
    output.line(format!("{HEADER}tools{HEADER:#}"));
    let told = thread::scope(|scope| {
        let asked = TOOLS.map(|(name, args)| scope.spawn(move || version(name, args)));
        asked.map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    });
    for ((name, _), told) in TOOLS.iter().zip(told) {
        output.line(format!("  {name:<12} {told}"));
    }
    output.line(format!("{HEADER}variables{HEADER:#}"));
    for name in TELLING {
        if let Some(value) = env::var_os(name) {
            output.line(format!("  {name}={}", without_home(Path::new(&value))));
        }
    }
    for name in ["DOCKER_HOST", "PIP_INDEX_URL", "UV_INDEX_URL"] {
        // It may hold a password.
        if env::var_os(name).is_some() {
            output.line(format!("  {name} is set"));
        }
    }
    output.line(format!("{HEADER}environments{HEADER:#}"));
    match known::conda(&Interruptible) {
        Ok(known) => output.line(format!("  {:<12} {} environments", "conda", known.len())),
        Err(fault) => output.line(format!(
            "  {:<12} {WARN}{}{WARN:#}",
            "conda",
            fault.message()
        )),
    }
    let versions: Vec<String> = known::pyenv(&Interruptible)
        .into_iter()
        .map(|known| known.name)
        .collect();
    output.line(format!("  {:<12} {}", "pyenv", versions.join(", ")));
    output.line(format!("{HEADER}package{HEADER:#}"));
    match package::metadata(&doctor.manifest) {
        Ok(metadata) => {
            for member in metadata.workspace_packages() {
                let of_ours = |dependency: &&cargo_metadata::Dependency| {
                    [package::RUNTIME, package::BUILD].contains(&dependency.name.as_str())
                };
                let ours: Vec<String> = member
                    .dependencies
                    .iter()
                    .filter(of_ours)
                    .map(|dependency| format!("{} {}", dependency.name, dependency.req))
                    .collect();
                let ours = if ours.is_empty() {
                    "no Snakepit".to_owned()
                } else {
                    ours.join(", ")
                };
                output.line(format!("  {:<12} {ours}", member.name));
            }
        }
        Err(_) => output.line("  none here"),
    }
    output.line(format!("{HEADER}odd{HEADER:#}"));
    let odd = odd();
    if odd.is_empty() {
        output.line("  nothing");
    }
    for odd in odd {
        output.line(format!("  {WARN}{odd}{WARN:#}"));
    }
    Ok(true)
}

/// What a tool says of itself, in a line.
fn version(name: &str, args: &[&str]) -> String {
    let Some(path) = Interruptible.which(name) else {
        return "none".to_owned();
    };
    let shown = without_home(&path);
    match Interruptible.run(&Program::new(&path, args, LIMIT)) {
        Err(error) => format!("cannot be started: {error} ({shown})"),
        Ok(answer) => {
            let is_first = answer.success && !answer.stdout.trim_ascii().is_empty();
            let text = if is_first {
                answer.stdout
            } else {
                answer.stderr
            };
            let text = String::from_utf8_lossy(&text);
            let line = text
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .unwrap_or_default();
            let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
            match answer.success {
                true => format!("{line} ({shown})"),
                false => format!("does not answer ({shown}): {}, {line}", answer.status),
            }
        }
    }
}

/// The name of a Linux distribution. <https://www.freedesktop.org/software/systemd/man/os-release.html>
fn distribution() -> Option<String> {
    let text = Interruptible.read(Path::new("/etc/os-release")).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

/// A path without the name of whoever asks for help.
fn without_home(path: &Path) -> String {
    let home = env::home_dir().filter(|home| home.components().count() > 1);
    let Some(home) = home.and_then(|home| home.to_str().map(str::to_owned)) else {
        return path.display().to_string();
    };
    path.display().to_string().replace(&home, "~")
}

/// What is unusual, and explains what a build finds.
fn odd() -> Vec<String> {
    let mut odd = Vec::new();
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    for name in FOREIGN {
        if set(name) {
            odd.push(format!(
                "`{name}` is set: other programs see it, workers do not"
            ));
        }
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if set(name) {
            odd.push(format!("an environment is activated (`{name}`): a build does not follow it, save for `python3` on the search path"));
        }
    }
    let path = env::var_os("PATH").unwrap_or_default();
    for folder in env::split_paths(&path) {
        if !folder.is_absolute() {
            odd.push(format!("the search path has the relative folder `{}`: what is found depends on where one is", folder.display()));
        }
    }
    if let Some(python) = Interruptible.which("python3") {
        if Interruptible.is_script(&python) {
            odd.push(format!(
                "`python3` is a script (`{}`), such as pyenv's shims",
                without_home(&python)
            ));
        }
    } else {
        odd.push("there is no `python3` on the search path".to_owned());
    }
    #[cfg(target_os = "linux")]
    if rustix::process::geteuid().is_root() {
        odd.push(
            "this is root, whose home folder and rights are others than the program's may be"
                .to_owned(),
        );
    }
    odd
}
