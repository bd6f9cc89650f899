//! A kind of environment of this program's own: a folder with a script that starts its Python.

use std::path::PathBuf;

use snakepit_build::{
    Builder, Config, Diagnostic, EnvOp, ExtraMetadata, Host, Launch, PythonEnvironment,
};

/// `custom("toolchain", dir = "...")`: such a folder has the script `run-python` and a file `release` with its name.
struct Toolchain;

/// The folder that the declaration names; a relative one stands beside `Cargo.toml`.
fn folder(config: &Config) -> PathBuf {
    config.absolute(config.option("dir").unwrap_or("toolchain"))
}

/// What is wrong with the folder. The message stands at the option that names it.
fn fault(code: &str, message: String) -> Diagnostic {
    let help = "name the folder of a toolchain: `custom(\"toolchain\", dir = \"toolchain\")`";
    Diagnostic::custom(code, message, help).at("option:dir")
}

/// The toolchain's name. It is read through `host`, as everything is: so the build looks again when the file changes,
/// and the program notices at its start that it is another toolchain.
fn release(config: &Config, host: &dyn Host) -> Result<String, Diagnostic> {
    let file = folder(config).join("release");
    match host.read(&file) {
        Ok(text) => Ok(String::from_utf8_lossy(&text).trim().to_owned()),
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", file.display());
            Err(fault("toolchain_without_release", message))
        }
    }
}

impl PythonEnvironment for Toolchain {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        let script = folder(config).join("run-python");
        match host.info(&script) {
            Some(file) if file.is_executable => Ok(script),
            _ => {
                let message = format!("no script to start Python at `{}`", script.display());
                Err(fault("toolchain_not_found", message))
            }
        }
    }

    fn resolve_environment(&self, config: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        let home = EnvOp::Set {
            name: "TOOLCHAIN_HOME".to_owned(),
            value: folder(config).display().to_string(),
        };
        Ok(Launch {
            env: vec![home],
            ..Launch::default()
        })
    }

    fn validate_environment(&self, config: &Config, host: &dyn Host) -> Result<(), Diagnostic> {
        release(config, host).map(drop)
    }

    fn metadata(&self, config: &Config, host: &dyn Host) -> Result<ExtraMetadata, Diagnostic> {
        let name = release(config, host)?;
        Ok(ExtraMetadata::from([("release".to_owned(), name)]))
    }
}

fn main() {
    Builder::new().environment("toolchain", Toolchain).emit();
}
