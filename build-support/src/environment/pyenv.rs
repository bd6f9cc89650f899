//! `pyenv`: `versions/NAME/bin/python3` below pyenv's root, where its versions and the environments of
//! pyenv-virtualenv are. <https://github.com/pyenv/pyenv#understanding-python-version-selection>
//!
//! The version is the option's, else that of the nearest `.python-version`, else `PYENV_VERSION`. pyenv's global
//! version does not count: it is the machine's and says nothing of the project.

use std::path::{Component, Path, PathBuf};

use super::{Config, Launch, PythonEnvironment, System, interpreter_in};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::shell::quoted;

/// A version of pyenv.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pyenv;

/// The file that names the versions of a folder.
const FILE: &str = ".python-version";

/// Where faults of the version stand.
const PLACE: &str = "option:python_version";

/// What is asked for, and who asks.
struct Wanted {
    names: Vec<String>,
    by: String,
}

impl PythonEnvironment for Pyenv {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let wanted = Wanted::read(config, host)?;
        let fault = |code, message, help| Diagnostic::new(code, message, help).at(PLACE);
        let Some(root) = root(config, host).filter(|root| is_dir(&root.join("versions"), host))
        else {
            if wanted.names.iter().any(|name| name == "system") {
                return system(config, None, host);
            }
            let message = format!(
                "{} wants Python {}, but pyenv is not there: {}",
                wanted.by,
                wanted.listed(),
                match root(config, host) {
                    Some(root) => format!("no `{}`", root.join("versions").display()),
                    None => "neither `PYENV_ROOT` nor `HOME` is set".to_owned(),
                }
            );
            let help = "install pyenv, or set `PYENV_ROOT` to where it is";
            return Err(fault(Code::PyenvNotInstalled, message, help.to_owned()));
        };
        let versions = root.join("versions");
        let mut installed: Vec<String> = host
            .list(&versions)
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        installed.sort_by_key(|name| numbers(name));
        for name in &wanted.names {
            if name == "system" {
                return system(config, Some(&root), host);
            }
            if let Some(found) = chosen(name, &installed, &versions, host) {
                return interpreter(&versions.join(&found), &found, host)
                    .map_err(|fault| fault.at(PLACE));
            }
        }
        let there = if installed.is_empty() {
            "none".to_owned()
        } else {
            installed.join(", ")
        };
        let message = format!(
            "{} wants Python {}, which is not installed in `{}` (installed: {there})",
            wanted.by,
            wanted.listed(),
            versions.display()
        );
        // All that pyenv installs has a number in its name, such as `3.12` or `pypy3.10`.
        let is_version =
            |name: &&String| !name.starts_with('-') && name.contains(|c: char| c.is_ascii_digit());
        let help = match wanted.names.first().filter(is_version) {
            Some(name) => format!("run `pyenv install {}`", quoted(name)),
            None if installed.is_empty() => {
                "name a version that `pyenv install --list` shows, and install it".to_owned()
            }
            None => "name a version that `pyenv versions` lists".to_owned(),
        };
        Err(fault(Code::PyenvVersionNotFound, message, help))
    }

    fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        Ok(Launch::default())
    }

    fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
        Ok(())
    }
}

impl Wanted {
    fn read(config: &Config, host: &dyn Host) -> Result<Self, Diagnostic> {
        let some =
            |names: Vec<String>, by: String| (!names.is_empty()).then_some(Self { names, by });
        let parts = |text: &str| {
            text.split(':')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect()
        };
        let file = |folder: &Path| {
            let path = folder.join(FILE);
            let bytes = host.consult(&path).ok()?;
            some(
                names(&String::from_utf8_lossy(&bytes)),
                format!("`{}`", path.display()),
            )
        };
        let variable = || {
            let text = host.variable("PYENV_VERSION")?;
            some(parts(&text.to_string_lossy()), "`PYENV_VERSION`".to_owned())
        };
        if let Some(text) = config.option("python_version")
            && text.trim().starts_with(['<', '>', '=', '!', '~'])
        {
            let message =
                format!("`python_version` is `{text}`, which is a range and no version of pyenv");
            let help = format!("write one like `3.13`; for a range there is `python = {text:?}`");
            return Err(Diagnostic::new(Code::PythonVersionInvalid, message, help).at(PLACE));
        }
        let found = match config.option("python_version") {
            Some(text) => some(parts(text), "`python_version`".to_owned()),
            None => config.base.ancestors().find_map(file).or_else(variable),
        };
        found.ok_or_else(|| {
            let message = format!(
                "no Python version is named: no `python_version`, no `{FILE}` with one in `{}` or above, \
                 no `PYENV_VERSION`",
                config.base.display()
            );
            let help = "name one: `environment = pyenv(python_version = \"3.13\")`, or run `pyenv local 3.13`";
            Diagnostic::new(Code::PythonVersionRequired, message, help).at(PLACE)
        })
    }

    fn listed(&self) -> String {
        self.names.join(" or ")
    }
}

/// The versions that a `.python-version` names: the words of its lines, comments left out.
pub(crate) fn names(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| {
            line.split_whitespace()
                .take_while(|word| !word.starts_with('#'))
        })
        .map(str::to_owned)
        .collect()
}

/// Where pyenv keeps what it installed.
pub(crate) fn root(config: &Config, host: &dyn Host) -> Option<PathBuf> {
    let root = host.variable("PYENV_ROOT").map(PathBuf::from);
    root.or_else(|| Some(Path::new(&host.variable("HOME")?).join(".pyenv")))
        .map(|root| config.absolute(root))
}

fn is_dir(path: &Path, host: &dyn Host) -> bool {
    host.info(path).is_some_and(|info| info.is_dir)
}

/// The versions that are installed, the newest last, each with its folder.
pub(crate) fn installed(host: &dyn Host) -> Vec<(String, PathBuf)> {
    let Some(root) = root(&Config::default(), host) else {
        return Vec::new();
    };
    let folders = host.list(&root.join("versions")).into_iter();
    let named = folders.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)));
    let mut installed: Vec<_> = named.filter(|(_, path)| is_dir(path, host)).collect();
    installed.sort_by_key(|(name, _)| numbers(name));
    installed
}

/// The folder below `versions` that a name means: the one of that name, else the newest release that the name is the
/// beginning of.
fn chosen(name: &str, installed: &[String], versions: &Path, host: &dyn Host) -> Option<String> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return None;
    }
    let bare = name.strip_prefix("python-");
    for name in [Some(name), bare].into_iter().flatten() {
        let folder = versions.join(name);
        // A link that leads nowhere is a removed version, and says so.
        if host.info(&folder).is_some() || host.is_link(&folder) {
            return Some(name.to_owned());
        }
    }
    newest(bare.unwrap_or(name), installed).map(str::to_owned)
}

/// The newest installed release of a prefix: `3.12` means 3.12.x, `3.13t` means 3.13.x without a GIL.
fn newest<'a>(wanted: &str, installed: &'a [String]) -> Option<&'a str> {
    let split = |name: &str| match name.strip_suffix('t') {
        Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit()) => (rest.len(), true),
        _ => (name.len(), false),
    };
    let (end, free_threading) = split(wanted);
    let prefix = &wanted[..end];
    installed
        .iter()
        .map(String::as_str)
        .filter(|name| {
            let (end, is_free_threading) = split(name);
            let rest = name[..end].strip_prefix(prefix);
            is_free_threading == free_threading
                && rest.is_some_and(|rest| {
                    rest.starts_with(['.', '-'])
                        && rest
                            .chars()
                            .all(|c| c.is_ascii_digit() || ".-v".contains(c))
                })
        })
        .max_by_key(|name| numbers(name))
}

fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

fn interpreter(folder: &Path, name: &str, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let files = ["bin/python3", "bin/python", "python.exe"];
    let fault = match interpreter_in(folder, &files, host) {
        Ok(python) => return Ok(python),
        Err(fault) => fault,
    };
    let message = format!("pyenv's version `{}` {fault}", folder.display());
    let release = name.starts_with(|c: char| c.is_ascii_digit());
    let help = if release && !name.contains('/') {
        format!("install it again: `pyenv install --force {}`", quoted(name))
    } else {
        "remove it and install it again, or name another version".to_owned()
    };
    Err(Diagnostic::new(Code::PyenvVersionInvalid, message, help))
}

/// The interpreter that a shim of pyenv starts, from the files that pyenv itself reads: its chain of shell scripts
/// takes longer than any interpreter. `None` where only pyenv can tell, and where it is no shim.
pub(super) fn behind_shim(shim: &Path, config: &Config, host: &dyn Host) -> Option<PathBuf> {
    let program = Path::new(shim.file_name()?);
    let root = shim
        .parent()
        .filter(|dir| dir.ends_with("shims"))?
        .parent()?;
    let versions = root.join("versions");
    let selected = match host.variable("PYENV_VERSION") {
        Some(variable) => variable.to_str()?.replace(':', "\n"),
        None => {
            let files = config.base.ancestors().map(|folder| folder.join(FILE));
            let mut files = files.chain([root.join("version")]);
            let found = files.find_map(|file| host.consult(&file).ok())?;
            String::from_utf8(found).ok()?
        }
    };
    for name in names(&selected) {
        // Anything but the name of an installed version is for pyenv to understand.
        let is_installed = chosen(&name, &[], &versions, host).as_ref() == Some(&name);
        let bin = is_installed.then(|| versions.join(&name).join("bin"))?;
        let interpreter = bin.join(program);
        if host
            .info(&interpreter)
            .is_some_and(|info| info.is_executable)
        {
            return Some(interpreter).filter(|found| !host.is_script(found));
        }
    }
    None
}

/// The interpreter that is there without pyenv: the first on the search path that is no shim.
fn system(config: &Config, root: Option<&Path>, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let mut system = Config {
        options: Default::default(),
        ..config.clone()
    };
    if host.variable("SNAKEPIT_PYTHON").is_none()
        && let Some(shims) = root.map(|root| root.join("shims"))
        && let Some(path) = host.variable("PATH")
    {
        let found = std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute() && *folder != shims)
            .flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)))
            .find(|python| host.info(python).is_some_and(|info| info.is_executable));
        if let Some(found) = found.as_deref().and_then(Path::to_str) {
            let option = ("python_executable".to_owned(), found.to_owned());
            system.options.extend([option]);
        }
    }
    System
        .resolve_executable(&system, host)
        // That option is not the declaration's.
        .map_err(|fault| fault.at("environment"))
}

/// For `auto`: the interpreter on the search path that serves for a `.python-version` where there is no pyenv, since
/// uv writes that file, too. `None` where there is pyenv.
pub(crate) fn without_pyenv(dir: &Path, host: &dyn Host) -> Option<Result<PathBuf, Diagnostic>> {
    let config = Config {
        base: dir.to_owned(),
        ..Config::default()
    };
    if root(&config, host).is_some_and(|root| is_dir(&root.join("versions"), host)) {
        return None;
    }
    Some(Wanted::read(&config, host).and_then(|wanted| {
        for name in &wanted.names {
            if name == "system" {
                return system(&config, None, host);
            }
            let version = name
                .trim_start_matches("cpython")
                .trim_start_matches("python")
                .trim_start_matches(['-', '@']);
            if !version.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            for program in [format!("python{version}"), "python3".into(), "python".into()] {
                if let Some(python) = host.which(&program)
                    && let Ok(found) = host.interpreter(&python)
                    && is_version(&found.version, found.free_threading, version)
                {
                    return Ok(python);
                }
            }
        }
        let message = format!(
            "{} wants Python {}, but pyenv is not there, and no interpreter on the search path is one",
            wanted.by,
            wanted.listed()
        );
        let help = "install that Python or pyenv, or correct `.python-version`";
        Err(Diagnostic::new(Code::PyenvNotInstalled, message, help))
    }))
}

/// Whether a version is the wanted one or, where that is shorter, one of its releases.
pub(crate) fn is_version(found: &str, free_threading: bool, wanted: &str) -> bool {
    let (wanted, is_free_threading) = match wanted.strip_suffix('t') {
        Some(wanted) => (wanted, true),
        None => (wanted, false),
    };
    (!is_free_threading || free_threading)
        && found
            .strip_prefix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_means_the_newest_release_by_number() {
        let installed = [
            "3.12.10",
            "3.12.9",
            "3.12-dev",
            "3.12.11rc1",
            "3.13.0",
            "3.13.1t",
            "3.1.9",
            "pypy3.10-7.3.12",
            "pypy3.10-7.3.9",
            "3.12.1x",
        ]
        .map(str::to_owned);
        for (wanted, found) in [
            ("3.12", Some("3.12.10")),
            ("3.13", Some("3.13.0")),
            ("3.13t", Some("3.13.1t")),
            ("3.1", Some("3.1.9")),
            ("3", Some("3.13.0")),
            ("pypy3.10", Some("pypy3.10-7.3.12")),
            ("3.14", None),
            ("", None),
        ] {
            assert_eq!(newest(wanted, &installed), found, "{wanted}");
        }
    }

    #[test]
    fn a_file_names_its_words_and_no_comments() {
        assert_eq!(
            names("# mine\n\n3.13 3.12 # both\r\n  ml \n"),
            ["3.13", "3.12", "ml"]
        );
    }

    #[test]
    fn a_version_is_met_by_its_releases_only() {
        assert!(is_version("3.12.1", false, "3.12") && is_version("3.12.1", false, "3.12.1"));
        assert!(!is_version("3.12.1", false, "3.1") && !is_version("3.13.0", false, "3.13t"));
    }
}
