//! A package outside the workspace, as a user would write it, built by a real cargo. It fetches nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use tempfile::TempDir;

/// A new package in a temporary folder, with path dependencies on the workspace.
#[derive(Debug)]
pub struct HostPackage {
    name: String,
    folder: TempDir,
    target: PathBuf,
}

/// How a command ended, and all that it printed.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it succeeded.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error: here cargo and the compiler speak.
    pub stderr: String,
}

impl HostPackage {
    /// Writes a package: its manifest, the usual `build.rs`, and `main`, its program.
    ///
    /// Packages that share the folder `target` compile their dependencies once; their names must differ.
    /// `dependency` is what stands behind `snakepit = ` beside the path, such as `default-features = false`.
    ///
    /// # Panics
    /// If the files cannot be written.
    pub fn new(name: &str, target: &Path, dependency: &str, main: &str) -> Self {
        let package = Self::empty(name, target);
        let workspace = workspace();
        let comma = if dependency.is_empty() { "" } else { ", " };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nsnakepit = {{ path = {runtime:?}{comma}{dependency} }}\n\n\
             [build-dependencies]\nsnakepit-build = {{ path = {build:?} }}\n",
            runtime = workspace.join("runtime"),
            build = workspace.join("build-support"),
        );
        package.write("Cargo.toml", &manifest);
        package.write("build.rs", "fn main() {\n    snakepit_build::emit();\n}\n");
        package.write("src/main.rs", main);
        package.lock();
        package
    }

    /// The smallest program with PyO3, of `tests/rivals/pyo3`, to be compared with ours.
    ///
    /// # Errors
    /// What is needed to build it: its crates come from their registry.
    pub fn pyo3(target: &Path) -> Result<Self, String> {
        let package = Self::empty("rival-pyo3", target);
        let source = workspace().join("tests/rivals/pyo3");
        for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
            let text = fs::read_to_string(source.join(file)).expect("it is committed");
            package.write(file, &text);
        }
        let mut fetch = package.cargo(["fetch", "--locked"]);
        let fetched = Outcome::of(fetch.env("CARGO_NET_OFFLINE", "false"));
        if fetched.success {
            Ok(package)
        } else {
            let why = fetched.stderr.lines().last().unwrap_or_default();
            Err(format!("the crates of PyO3 from their registry ({why})"))
        }
    }

    /// A copy of an example, as somebody would take it for a start: what it needs is made there, and not in the
    /// checkout.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub fn example(name: &str, target: &Path) -> Self {
        let package = Self::empty(name, target);
        let workspace = workspace();
        copy_sources(
            &workspace.join("examples").join(name),
            package.folder.path(),
        );
        let manifest = fs::read_to_string(package.path("Cargo.toml")).expect("it is committed");
        let outside = format!("path = \"{}", workspace.display());
        package.write("Cargo.toml", &manifest.replace("path = \"../..", &outside));
        package.lock();
        package
    }

    /// The versions that the workspace has downloaded: any other would have to be fetched.
    fn lock(&self) {
        let lock = workspace().join("Cargo.lock");
        fs::copy(lock, self.path("Cargo.lock")).expect("the workspace is locked");
    }

    fn empty(name: &str, target: &Path) -> Self {
        Self {
            name: name.to_owned(),
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            target: target.to_owned(),
        }
    }

    /// A path in the package.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file of the package.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        let parent = path.parent().expect("a file stands in a folder");
        fs::create_dir_all(parent).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Adds a line to the package's `[dependencies]`.
    ///
    /// # Panics
    /// If the manifest cannot be written.
    pub fn depend_on(&self, line: &str) {
        let manifest = fs::read_to_string(self.path("Cargo.toml")).expect("the manifest is there");
        let section = "[dependencies]\n";
        let changed = manifest.replacen(section, &format!("{section}{line}\n"), 1);
        self.write("Cargo.toml", &changed);
    }

    /// `cargo <arguments>` in the package, with nothing of the test run's own surroundings.
    pub fn cargo<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = self.command(cargo);
        cargo.args(arguments);
        cargo
    }

    /// Another program in the package, likewise.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for (name, _) in env::vars_os() {
            let foreign = name.to_str().is_some_and(|name| {
                name.starts_with("SNAKEPIT_") || name.starts_with("CARGO_PKG_")
            });
            if foreign {
                command.env_remove(name);
            }
        }
        for name in [
            "OUT_DIR",
            "CARGO_BUILD_TARGET",
            "VIRTUAL_ENV",
            "PYTHONHOME",
            "PYTHONPATH",
        ] {
            command.env_remove(name);
        }
        command
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            // The program lives as long as the test: nothing is worth keeping for its next compilation.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    }

    /// `cargo build --offline`, with more arguments.
    pub fn build(&self, more: &[&str]) -> Outcome {
        Outcome::of(self.cargo(["build", "--offline"]).args(more))
    }

    /// The program that the last build made.
    pub fn program(&self) -> Command {
        let file = format!("{}{}", self.name, env::consts::EXE_SUFFIX);
        Command::new(self.target.join("debug").join(file))
    }
}

impl Drop for HostPackage {
    fn drop(&mut self) {
        // Else each run of the tests would leave its programs in the shared target folder.
        let _ = self
            .cargo(["clean", "--offline", "--package", &self.name])
            .output();
    }
}

impl Outcome {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            success: status.success(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// What it wrote to standard output.
    ///
    /// # Panics
    /// If it failed; the message is all that it printed.
    #[track_caller]
    pub fn stdout(self) -> String {
        assert!(self.success, "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// What it wrote to standard error.
    ///
    /// # Panics
    /// If it succeeded.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(!self.success, "it should have failed\n{}", self.stderr);
        self.stderr
    }
}

/// Copies a package, without what was made in its folder.
fn copy_sources(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name();
        if ["bundle", "target", ".venv"]
            .iter()
            .any(|made| name == *made)
        {
            continue;
        }
        let (from, to) = (entry.path(), to.join(name));
        if from.is_dir() {
            fs::create_dir(&to).expect("the folder can be made");
            copy_sources(&from, &to);
        } else {
            fs::copy(&from, &to).expect("the file can be copied");
        }
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package stands in the workspace")
}
