//! A package with ten pools over all kinds but docker, whose environments the real tools made in a temporary folder.
//! Its build script is this program, started with [`EMIT`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use serde_json::Value;
use snakepit_build::manifest::{FILE_NAME, Manifest, Outcome, Resolution};
use snakepit_test_tools as tools;
use tempfile::TempDir;

use crate::measure::seconds;

/// The argument that makes this program a build script.
pub(crate) const EMIT: &str = "--emit";

/// Its declarations: they are parsed, and never compiled.
const SOURCE: &str = r#"
#[snakepit_pools]
struct Pools {
    #[pool(environment = system)]
    system: PoolConfig,
    #[pool(environment = system(python_executable = "python3"))]
    named: PoolConfig,
    #[pool(environment = uv(project_dir = "uv"))]
    uv: PoolConfig,
    #[pool(environment = venv(venv_path = "venv"))]
    venv: PoolConfig,
    #[pool(environment = auto(project_dir = "auto"))]
    auto: PoolConfig,
    #[pool(environment = pyenv(python_version = "NEW"))]
    pyenv: PoolConfig,
    #[pool(environment = pyenv(python_version = "OLD"))]
    pyenv_old: PoolConfig,
    #[pool(environment = poetry(project_dir = "poetry"))]
    poetry: PoolConfig,
    #[pool(environment = poetry(project_dir = "poetry-too"))]
    poetry_too: PoolConfig,
    #[pool(environment = conda(prefix = "envs/demo"))]
    conda: PoolConfig,
}
"#;

/// The package, its environments made.
pub(crate) struct Kinds {
    folder: TempDir,
    /// The search path, with the managers.
    path: OsString,
    pub(crate) uv: PathBuf,
    pub(crate) poetry: PathBuf,
    /// The root of the machine's pyenv.
    pub(crate) pyenv: PathBuf,
}

/// The package; it is made once. An error is what the machine lacks.
pub(crate) fn kinds() -> Result<&'static Kinds, &'static str> {
    static KINDS: LazyLock<Result<Kinds, String>> = LazyLock::new(Kinds::make);
    KINDS.as_ref().map_err(String::as_str)
}

impl Kinds {
    fn make() -> Result<Self, String> {
        let program = |name: &str| Ok::<_, String>(tools::install(name)?.join(name));
        let (uv, poetry) = (program("uv")?, program("poetry")?);
        let pyenv = tools::pyenv_root().filter(|root| root.join("versions").exists());
        let pyenv = pyenv.ok_or("pyenv")?;
        let versions = pyenv.join("versions");
        let installed: Vec<String> = tools::pythons()
            .iter()
            .map(|python| python.version.to_string())
            .filter(|version| versions.join(version).exists())
            .collect();
        let [new, .., old] = &installed[..] else {
            return Err("two versions of pyenv".to_owned());
        };
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let within = |path: &str| folder.path().join(path);
        for path in ["src", "out", "uv"] {
            fs::create_dir(within(path)).map_err(|error| error.to_string())?;
        }
        let source = SOURCE.replace("NEW", new).replace("OLD", old);
        fs::write(within("src/main.rs"), source).map_err(|error| error.to_string())?;
        tools::uv_project(&uv, &within("uv"));
        let python = tools::python();
        for path in ["venv", "auto/.venv"] {
            python.make_venv(&within(path));
        }
        for path in ["poetry", "poetry-too"] {
            tools::poetry_project(&poetry, &within(path));
        }
        let packages = ["python", "settings"];
        tools::conda_environment(folder.path(), &within("envs/demo"), &packages)
            .ok_or("py-rattler")?;
        let path = env::var_os("PATH").unwrap_or_default();
        let managers = [&uv, &poetry].map(|program| program.with_file_name(""));
        let path = env::join_paths(env::split_paths(&path).chain(managers))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            folder,
            path,
            uv,
            poetry,
            pyenv,
        })
    }

    /// A path in the package.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// The package's build script.
    pub(crate) fn build_script(&self) -> Command {
        let mut script = Command::new(env::current_exe().expect("this program is there"));
        script
            .arg(EMIT)
            .current_dir(self.folder.path())
            .env("CARGO_MANIFEST_DIR", self.folder.path())
            .env("OUT_DIR", self.path("out"))
            .env("PATH", &self.path)
            .env_remove("SNAKEPIT_PYTHON");
        script
    }

    /// Seconds that the build script takes.
    pub(crate) fn resolve(&self) -> f64 {
        let mut script = self.build_script();
        seconds(|| {
            let output = script.output().expect("this program starts");
            assert!(output.status.success(), "{output:?}");
        })
    }

    /// Removes what the build script remembers.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_file(self.path("out/snakepit-probes.json"));
    }

    /// What the last build script found, by the pools' names.
    pub(crate) fn resolutions(&self) -> Vec<(String, Resolution)> {
        let manifest = Manifest::read(&self.path("out").join(FILE_NAME));
        let manifest = manifest.expect("the build script wrote it");
        let pools = manifest.pools.into_iter().map(|(key, outcome)| {
            let request: Value = serde_json::from_str(&key).expect("a key is JSON");
            let name = request["pool"].as_str().unwrap_or_default().to_owned();
            match outcome {
                Outcome::Resolved(resolution) => (name, *resolution),
                Outcome::Failed(faults) => panic!("{name}: {faults:?}"),
            }
        });
        pools.collect()
    }

    /// Runs a manager in one of the projects.
    pub(crate) fn manager(&self, program: &Path, args: &[&str], folder: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.path(folder))
            .env("PATH", &self.path)
            .env_remove("VIRTUAL_ENV");
        command
    }
}
