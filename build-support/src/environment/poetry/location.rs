//! Where poetry keeps the virtual environment of a project.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Project;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::Table;
use crate::host::{Host, Program};
use crate::json::Value;
use crate::manifest::EnvOp;
use crate::requirement::normalized;
use crate::said::{complained, said};

/// Longest wait for poetry's answer, which takes half a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

/// The project's virtual environment: a folder that is there.
pub(super) fn find(project: &Project, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let is_dir = |path: &Path| host.info(path).is_some_and(|info| info.is_dir);
    let settings = Settings::of(project, host)?;
    let own = project.folder.join(".venv");
    if settings.flag("in-project") != Some(false) && is_dir(&own) {
        return Ok(own);
    }
    if settings.flag("create") != Some(false)
        && let Some(folder) = settings.folder()
    {
        let name = base_name(project, host)?;
        // `poetry env use` writes its choice down.
        let choices = folder.join("envs.toml");
        let chosen = match host.info(&choices) {
            Some(_) => project.settings(&choices, host)?,
            None => Table::new(),
        };
        if let Some(minor) = chosen
            .get(&name)
            .and_then(|choice| choice.get("minor")?.as_str())
        {
            let environment = folder.join(format!("{name}-py{minor}"));
            if is_dir(&environment) {
                return Ok(environment);
            }
        }
        let mut candidates = host.list(&folder);
        candidates.retain(|path| {
            let file = path.file_name().and_then(|file| file.to_str());
            let rest = file.and_then(|file| file.strip_prefix(&name)?.strip_prefix("-py"));
            rest.is_some() && is_dir(path)
        });
        // Of several, the one of the Python that poetry would choose today: only poetry knows.
        if let [only] = &candidates[..] {
            return Ok(only.clone());
        }
    }
    ask(project, host)
}

/// What poetry itself says.
fn ask(project: &Project, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
    let shown = project.folder.display();
    let absent = || {
        project.fault(
            Code::PoetryEnvironmentNotFound,
            format!("no environment is installed for the poetry project `{shown}`"),
            format!("run `poetry install` in `{shown}`"),
        )
    };
    let poetry = host.which("poetry").ok_or_else(absent)?;
    // What is activated in the builder's shell is not the project's own.
    let env = ["VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"].map(|name| EnvOp::Unset {
        name: name.to_owned(),
    });
    let args = ["env", "info", "--path", "--no-interaction", "--no-ansi"];
    let program = Program {
        env: &env,
        cwd: Some(&project.folder),
        ..Program::new(&poetry, &args, LIMIT)
    };
    let failed = |why: String| {
        project.fault(
            Code::PoetryFailed,
            format!(
                "`{}` did not tell where the environment of `{shown}` is: {why}",
                poetry.display()
            ),
            format!("run `poetry env info` in `{shown}` to see what is wrong"),
        )
    };
    let answer = host
        .run(&program)
        .map_err(|error| failed(error.to_string()))?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let is_silent = |text: &str| text.trim().is_empty();
    if answer.success && !is_silent(&stdout) {
        // It may have had something to say before.
        let folder = stdout.lines().map(str::trim).rfind(|line| !line.is_empty());
        let folder = PathBuf::from(folder.unwrap_or_default());
        let is_dir = host.info(&folder).is_some_and(|info| info.is_dir);
        if folder.is_absolute() && is_dir {
            return Ok(folder);
        }
        return Err(failed(said(&stdout)));
    }
    // No environment: status 1 and not a word.
    if answer.status == "exit status: 1" && is_silent(&stdout) && is_silent(&stderr) {
        return Err(absent());
    }
    let text = if is_silent(&stderr) { stdout } else { stderr };
    Err(failed(format!("{}, {}", answer.status, complained(&text))))
}

/// `demo-2UWaDhPs`: the project's name, and a digest of its path, as poetry's `generate_env_name` puts them together.
fn base_name(project: &Project, host: &dyn Host) -> Result<String, Diagnostic> {
    let file = project.folder.join("pyproject.toml");
    let table = project.settings(&file, host)?;
    let in_project = table.get("project").and_then(|table| table.get("name"));
    let in_tool = || table.get("tool")?.get("poetry")?.get("name");
    let name = in_project
        .or_else(in_tool)
        .and_then(Value::as_str)
        .unwrap_or("non-package-mode");
    let folder = host
        .canonical(&project.folder)
        .unwrap_or_else(|_| project.folder.clone());
    Ok(env_name(name, &folder))
}

fn env_name(name: &str, folder: &Path) -> String {
    let name: String = normalized(name)
        .chars()
        .map(|c| {
            if " $`!*@\"\\\r\n\t".contains(c) {
                '_'
            } else {
                c
            }
        })
        .take(42)
        .collect();
    let digest = hmac_sha256::Hash::hash(folder.as_os_str().as_encoded_bytes());
    format!("{name}-{}", base64(&digest[..6]))
}

/// Whole triples of bytes in the alphabet for URLs of RFC 4648: the name needs six bytes, which no crate is worth.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let bits = group
            .iter()
            .fold(0usize, |bits, &byte| bits << 8 | usize::from(byte));
        [18, 12, 6, 0].map(|shift| char::from(ALPHABET[bits >> shift & 63]))
    });
    groups.collect()
}

/// poetry's settings, the strongest first: variables, the project's `poetry.toml`, the user's `config.toml`.
struct Settings<'a> {
    project: &'a Project,
    host: &'a dyn Host,
    files: Vec<Table>,
}

impl<'a> Settings<'a> {
    fn of(project: &'a Project, host: &'a dyn Host) -> Result<Self, Diagnostic> {
        let user = match variable("POETRY_CONFIG_DIR", host) {
            Some(folder) => Some(folder),
            None => user_folder(&CONFIG, host),
        };
        let mut files = Vec::new();
        for file in [
            Some(project.folder.join("poetry.toml")),
            user.map(|user| user.join("config.toml")),
        ]
        .into_iter()
        .flatten()
        {
            if host.info(&file).is_some() {
                files.push(project.settings(&file, host)?);
            }
        }
        Ok(Self {
            project,
            host,
            files,
        })
    }

    /// A setting of `virtualenvs` that is true or false.
    fn flag(&self, key: &str) -> Option<bool> {
        let name = format!(
            "POETRY_VIRTUALENVS_{}",
            key.replace('-', "_").to_uppercase()
        );
        if let Some(text) = self.host.variable(&name) {
            let text = text.to_string_lossy().to_lowercase();
            return Some(matches!(text.as_str(), "true" | "1"));
        }
        self.files
            .iter()
            .find_map(|table| table.get("virtualenvs")?.get(key)?.as_bool())
    }

    /// Where virtual environments are kept outside of projects; `None` where only poetry can tell.
    fn folder(&self) -> Option<PathBuf> {
        let text = |path: PathBuf| path.to_str().map(str::to_owned);
        let cache = || {
            variable("POETRY_CACHE_DIR", self.host)
                .or_else(|| {
                    let own = self
                        .files
                        .iter()
                        .find_map(|table| table.get("cache-dir")?.as_str());
                    own.map(PathBuf::from)
                })
                .or_else(|| user_folder(&CACHE, self.host))
        };
        let named = match variable("POETRY_VIRTUALENVS_PATH", self.host) {
            Some(path) => text(path),
            None => self.files.iter().find_map(|table| {
                Some(table.get("virtualenvs")?.get("path")?.as_str()?.to_owned())
            }),
        };
        let mut path = named.unwrap_or_else(|| "{cache-dir}/virtualenvs".to_owned());
        if path.contains("{cache-dir}") {
            path = path.replace("{cache-dir}", &text(cache()?)?);
        }
        if path.contains('{') {
            return None;
        }
        let path = match path.strip_prefix("~/") {
            Some(rest) => variable("HOME", self.host)?.join(rest),
            None => PathBuf::from(path),
        };
        Some(crate::environment::absolute(&self.project.folder, path))
    }
}

/// A folder of the user: the variable that names it, what it is under the home folder, and what follows it.
struct UserFolder {
    variable: &'static str,
    default: &'static str,
    below: &'static str,
}

/// <https://python-poetry.org/docs/configuration/#default-directories>
const CONFIG: UserFolder = if cfg!(windows) {
    UserFolder {
        variable: "APPDATA",
        default: "AppData/Roaming",
        below: "pypoetry",
    }
} else if cfg!(target_os = "macos") {
    UserFolder {
        variable: "",
        default: "Library/Application Support",
        below: "pypoetry",
    }
} else {
    UserFolder {
        variable: "XDG_CONFIG_HOME",
        default: ".config",
        below: "pypoetry",
    }
};

const CACHE: UserFolder = if cfg!(windows) {
    UserFolder {
        variable: "LOCALAPPDATA",
        default: "AppData/Local",
        below: "pypoetry/Cache",
    }
} else if cfg!(target_os = "macos") {
    UserFolder {
        variable: "",
        default: "Library/Caches",
        below: "pypoetry",
    }
} else {
    UserFolder {
        variable: "XDG_CACHE_HOME",
        default: ".cache",
        below: "pypoetry",
    }
};

fn user_folder(folder: &UserFolder, host: &dyn Host) -> Option<PathBuf> {
    let named = (!folder.variable.is_empty()).then(|| variable(folder.variable, host));
    let home = || Some(variable("HOME", host)?.join(folder.default));
    Some(named.flatten().or_else(home)?.join(folder.below))
}

fn variable(name: &str, host: &dyn Host) -> Option<PathBuf> {
    let value = host.variable(name).filter(|value| !value.is_empty())?;
    Some(PathBuf::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest is what Python's own `hashlib` and `base64` make of the path.
    #[test]
    fn an_environment_is_named_by_the_projects_normalized_name_and_a_digest_of_its_path() {
        assert_eq!(
            env_name("My_Project", Path::new("/srv/app")),
            "my-project-2uZo5AhP"
        );
    }
}
