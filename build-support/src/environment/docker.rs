//! `docker`: an interpreter inside a container, either one that runs already or one that is made of an image for
//! each worker. `engine = "podman"` means podman, whose commands are the same.
//! <https://docs.docker.com/reference/cli/docker/container/exec/>
//! <https://docs.docker.com/reference/cli/docker/container/run/>
//!
//! The container has files and variables of its own: what the declaration says of them is put into the arguments,
//! and nothing of it is looked up on the build machine. Which engine the client talks to stays the business of the
//! machine that it runs on (`DOCKER_HOST`, contexts).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Config, Elsewhere, ExtraMetadata, Launch, PythonEnvironment};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Answer, Host, Program};
use crate::json::{self, Value};
use crate::said::last_line;

/// A Python in a container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Docker;

/// Longest wait for an answer of the engine.
const LIMIT: Duration = Duration::from_secs(10);

/// What decides which engine a client talks to: another one makes Cargo ask again.
pub(crate) const SELECTION: &[&str] = &["CONTAINER_HOST", "DOCKER_CONTEXT", "DOCKER_HOST"];

/// Where the interpreter is.
enum Place<'a> {
    Container(&'a str),
    Image(&'a str),
}

impl<'a> Place<'a> {
    /// What the declaration names.
    fn of(config: &'a Config) -> Result<Self, Diagnostic> {
        let place = match (config.option("container_name"), config.option("image")) {
            (Some(name), None) => Self::Container(name),
            (None, Some(name)) => Self::Image(name),
            (None, None) => {
                return Err(Diagnostic::new(
                    Code::ContainerOrImageRequired,
                    "wants a container or an image, but the declaration names neither",
                    "write `docker(container_name = \"...\")` or `docker(image = \"...\")`",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Diagnostic::new(
                    Code::ContainerOrImageRequired,
                    "wants a container or an image, but the declaration names both",
                    "remove `container_name` or `image`",
                )
                .at("option:image"));
            }
        };
        if place.is_well_formed() {
            return Ok(place);
        }
        let message = format!("{place} has a name that no {} can have", place.word());
        let marks = place.marks();
        let help = format!(
            "write its name with letters, digits and `{marks}`, beginning with a letter or a digit"
        );
        Err(Diagnostic::new(Code::ContainerNameInvalid, message, help).at(place.option()))
    }

    /// A name that the client cannot take for an option, or for two words.
    /// <https://pkg.go.dev/github.com/distribution/reference#pkg-overview>
    fn is_well_formed(&self) -> bool {
        let (name, marks) = (self.name(), self.marks());
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
    }

    /// What a name may have beside letters and digits.
    fn marks(&self) -> &'static str {
        match self {
            Self::Container(_) => "_.-",
            Self::Image(_) => "_.-/:@+",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Image(_) => "image",
        }
    }

    fn name(&self) -> &'a str {
        match self {
            Self::Container(name) | Self::Image(name) => name,
        }
    }

    fn option(&self) -> &'static str {
        match self {
            Self::Container(_) => "option:container_name",
            Self::Image(_) => "option:image",
        }
    }

    fn missing(&self, engine: &str) -> Diagnostic {
        let name = self.name();
        let (code, help) = match self {
            Self::Container(_) => (
                Code::ContainerNotFound,
                format!(
                    "start one: `{engine} run --detach --name {name} IMAGE`; `{engine} ps --all` lists those that are there"
                ),
            ),
            Self::Image(_) => (
                Code::ImageNotFound,
                format!(
                    "get it with `{engine} pull {name}`, or make it with `{engine} build --tag {name} .`"
                ),
            ),
        };
        Diagnostic::new(code, format!("{engine} has no {self}"), help).at(self.option())
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.word(), self.name())
    }
}

impl Docker {
    fn engine(config: &Config) -> Result<&'static str, Diagnostic> {
        match config.option("engine") {
            None | Some("docker") => Ok("docker"),
            Some("podman") => Ok("podman"),
            Some(other) => {
                let message = format!("wants the engine `{other}`, which is not known");
                let help = "write `engine = \"docker\"` or `engine = \"podman\"`";
                Err(Diagnostic::new(Code::EngineUnknown, message, help).at("option:engine"))
            }
        }
    }

    /// The interpreter as the container finds it.
    fn python(config: &Config) -> &str {
        config.option("python_path").unwrap_or("python3")
    }

    fn client(config: &Config, host: &dyn Host) -> Result<(&'static str, PathBuf), Diagnostic> {
        let engine = Self::engine(config)?;
        let path = host.which(engine).ok_or_else(|| {
            let (package, other) = match engine {
                "podman" => ("podman", "docker"),
                _ => ("docker.io", "podman"),
            };
            let message = format!("wants the client `{engine}`, which is not on the search path");
            let help = format!(
                "install it (Debian: `apt-get install {package}`), or write `engine = \"{other}\"`"
            );
            Diagnostic::new(Code::DockerNotInstalled, message, help)
        })?;
        for name in SELECTION {
            // Asking is recording.
            let _ = host.variable(name);
        }
        Ok((engine, path))
    }

    /// What the engine knows of the container or the image.
    fn inspect(config: &Config, host: &dyn Host) -> Result<Value, Diagnostic> {
        let place = Place::of(config)?;
        let (engine, client) = Self::client(config, host)?;
        let answer = run(&client, &[place.word(), "inspect", place.name()], host);
        if let Ok(answer) = &answer
            && answer.success
        {
            let text = str::from_utf8(&answer.stdout).ok();
            let facts = text.and_then(|text| json::parse(text).ok());
            return facts
                .and_then(|facts| facts.as_array()?.first().cloned())
                .ok_or_else(|| {
                    unreachable(engine, &format!("it described {place} in no known form"))
                });
        }
        // What "no such container" is called differs between clients, so that the engine itself is asked.
        match run(&client, &["version"], host) {
            Ok(version) if version.success => Err(place.missing(engine)),
            Ok(version) => Err(unreachable(engine, &in_words(&version))),
            Err(error) => Err(unreachable(engine, &error.to_string())),
        }
    }
}

impl PythonEnvironment for Docker {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        Place::of(config)?;
        Ok(Self::client(config, host)?.1)
    }

    fn resolve_environment(&self, config: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        let place = Place::of(config)?;
        let first: &[&str] = match place {
            Place::Container(_) => &["exec", "-i"],
            Place::Image(_) => &["run", "--rm", "-i", "--init"],
        };
        let mut args: Vec<String> = first.iter().map(|arg| (*arg).to_owned()).collect();
        if let Place::Image(_) = place {
            // What a crash left behind can be found: `docker ps --filter label=snakepit.pool`.
            args.extend([
                "--label".to_owned(),
                format!("snakepit.pool={}", config.pool),
            ]);
        }
        for (name, value) in &config.env {
            args.extend(["-e".to_owned(), format!("{name}={value}")]);
        }
        if let Some(folder) = config.option("cwd") {
            if !folder.starts_with('/') {
                let message =
                    format!("`cwd` names `{folder}`, which is relative to no folder of {place}");
                let help = "write the absolute path of a folder in the container";
                return Err(
                    Diagnostic::new(Code::ContainerPathRelative, message, help).at("option:cwd")
                );
            }
            args.extend(["-w".to_owned(), folder.to_owned()]);
        }
        args.extend([place.name().to_owned(), Self::python(config).to_owned()]);
        Ok(Launch {
            args,
            elsewhere: Some(Elsewhere {
                name: place.to_string(),
                is_lasting: matches!(place, Place::Container(_)),
            }),
            ..Launch::default()
        })
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        let facts = Self::inspect(config, host)?;
        let place = Place::of(config)?;
        let Place::Container(name) = place else {
            return Ok(());
        };
        let engine = Self::engine(config)?;
        let state = facts["State"]["Status"].as_str().unwrap_or("not known");
        let help = match state {
            "running" => return Ok(()),
            "paused" => format!("run `{engine} unpause {name}`"),
            "restarting" => format!("`{engine} logs {name}` says why it does not stay up"),
            _ => format!("run `{engine} start {name}`"),
        };
        let message = format!("{place} does not run: its state is `{state}`");
        Err(Diagnostic::new(Code::ContainerNotRunning, message, help).at(place.option()))
    }

    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let facts = Self::inspect(config, host)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut extra = ExtraMetadata::new();
        extra.insert("engine".to_owned(), Self::engine(config)?.to_owned());
        let digest = match Place::of(config)? {
            Place::Container(name) => {
                extra.insert("container_name".to_owned(), name.to_owned());
                // Docker keeps the name that was given in the settings, podman beside the digest.
                let named = [&facts["ImageName"], &facts["Config"]["Image"]];
                let image = named.into_iter().find(|name| name.as_str().is_some());
                extra.insert("image".to_owned(), image.map(text).unwrap_or_default());
                text(&facts["Image"])
            }
            Place::Image(name) => {
                extra.insert("image".to_owned(), name.to_owned());
                text(&facts["Id"])
            }
        };
        // Podman leaves the algorithm out.
        let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
        extra.insert("image_digest".to_owned(), format!("sha256:{digest}"));
        Ok(extra)
    }

    fn explain(&self, config: &Config, host: &dyn Host, fault: Diagnostic) -> Diagnostic {
        let (Ok(place), Ok((engine, client)), Ok(launch)) = (
            Place::of(config),
            Self::client(config, host),
            self.resolve_environment(config, host),
        ) else {
            return fault;
        };
        let python = Self::python(config);
        let mut program = launch.program(&client, &["-c", ""]);
        // The process that `--init` puts before it has exit codes of its own.
        if let Place::Image(_) = place {
            program.args.retain(|arg| *arg != "--init");
        }
        let Ok(answer) = host.run(&program) else {
            return fault;
        };
        let words = in_words(&answer);
        if let Some(folder) = config.option("cwd")
            && (words.contains("chdir to cwd") || words.contains("workdir"))
        {
            let message = format!("{place} has no folder `{folder}`");
            let help = "make it, or correct the path";
            return Diagnostic::new(Code::ContainerPathNotFound, message, help).at("option:cwd");
        }
        // Both engines: 126 for what cannot be invoked, 127 for what is not found.
        // <https://docs.docker.com/reference/cli/docker/container/run/#exit-status>
        if !["126", "127"]
            .iter()
            .any(|code| answer.status.ends_with(code))
        {
            return fault;
        }
        let message = format!("{place} cannot run the Python `{python}`: {words}");
        let help = match place {
            Place::Container(name) => format!(
                "install Python in it, or name one in `python_path`: `{engine} exec {name} sh -c 'ls /usr/bin/python* /usr/local/bin/python*'` lists the usual ones"
            ),
            Place::Image(_) => {
                "take an image with Python in it, or name its interpreter in `python_path`"
                    .to_owned()
            }
        };
        Diagnostic::new(Code::ContainerPythonNotFound, message, help).at("option:python_path")
    }
}

fn run(client: &Path, args: &[&str], host: &dyn Host) -> std::io::Result<Answer> {
    host.run(&Program::new(client, args, LIMIT))
}

fn unreachable(engine: &str, found: &str) -> Diagnostic {
    Diagnostic::new(
        Code::DockerEngineUnreachable,
        format!("the engine of `{engine}` does not answer: {found}"),
        format!(
            "start it, and see that `{engine} version` shows a server; `DOCKER_HOST` and `{engine} context` decide which one"
        ),
    )
}

/// The last line of what the client said, or how it ended.
fn in_words(answer: &Answer) -> String {
    [&answer.stderr, &answer.stdout]
        .iter()
        .find_map(|bytes| last_line(&String::from_utf8_lossy(bytes)))
        .unwrap_or_else(|| answer.status.clone())
}
