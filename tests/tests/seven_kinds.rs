//! One program with seven pools, one of each kind, whose environments the real tools made. What every worker says from
//! inside is compared with what the tools made, and printed: `cargo test --test seven_kinds -- --nocapture`.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use snakepit_test_tools as tools;
use snakepit_tests::{HostPackage, Outcome};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

const CONTAINER: &str = "snakepit-seven-kinds";

/// Prints a line of JSON for each pool.
const MAIN: &str = r#"use snakepit::{Pool, PoolConfig, SpawnSpec, snakepit_pools};
use serde_json::{Value, json};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = system(python_executable = "PYTHON"), adapter = "inside", python_path = ["python"])]
    pub system: PoolConfig,
    #[pool(environment = uv(project_dir = "uv app"), adapter = "inside", python_path = ["python"])]
    pub uv: PoolConfig,
    #[pool(environment = venv(venv_path = "venv"), adapter = "inside", python_path = ["python"])]
    pub venv: PoolConfig,
    #[pool(
        environment = docker(container_name = "snakepit-seven-kinds"),
        adapter = "inside",
        python_path = ["/srv/code"],
    )]
    pub docker: PoolConfig,
    #[pool(environment = pyenv(python_version = "VERSION"), adapter = "inside", python_path = ["python"])]
    pub pyenv: PoolConfig,
    #[pool(environment = poetry(project_dir = "poetry-app"), adapter = "inside", python_path = ["python"])]
    pub poetry: PoolConfig,
    #[pool(environment = conda(prefix = "envs/demo"), adapter = "inside", python_path = ["python"])]
    pub conda: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    tell(AppConfig::SYSTEM, &pools.system).await?;
    tell(AppConfig::UV, &pools.uv).await?;
    tell(AppConfig::VENV, &pools.venv).await?;
    tell(AppConfig::DOCKER, &pools.docker).await?;
    tell(AppConfig::PYENV, &pools.pyenv).await?;
    tell(AppConfig::POETRY, &pools.poetry).await?;
    tell(AppConfig::CONDA, &pools.conda).await?;
    pools.shutdown().await;
    Ok(())
}

async fn tell(spec: &SpawnSpec, pool: &Pool) -> Result<(), snakepit::Error> {
    let witness = std::env::args().nth(1).expect("a file of this machine");
    let inside: Value = pool.execute("inside", &(witness,)).await?;
    let build = &spec.metadata;
    println!("{}", json!({
        "pool": spec.pool,
        "environment": build.environment,
        "frozen": [build.python_version, build.prefix],
        "inside": inside,
    }));
    Ok(())
}
"#;

/// What a worker should say.
struct Wanted {
    pool: &'static str,
    executable: PathBuf,
    prefix: PathBuf,
    version: String,
    /// Its activation variables.
    variables: BTreeMap<&'static str, String>,
    /// The first entry of `PATH`, where activation puts one there.
    path: Option<PathBuf>,
}

impl Wanted {
    fn new(pool: &'static str, prefix: &Path, python: &str, version: &str) -> Self {
        Self {
            pool,
            executable: prefix.join(python),
            prefix: prefix.to_owned(),
            version: version.to_owned(),
            variables: BTreeMap::new(),
            path: None,
        }
    }

    fn virtual_environment(pool: &'static str, folder: &Path) -> Self {
        let version = tools::python().version.to_string();
        Self {
            variables: BTreeMap::from([("VIRTUAL_ENV", folder.display().to_string())]),
            path: Some(folder.join("bin")),
            ..Self::new(pool, folder, "bin/python3", &version)
        }
    }

    fn compare(&self, said: &Value) {
        let inside = &said["inside"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(text(&said["environment"]), self.pool, "{said}");
        assert_eq!(Path::new(&text(&inside["prefix"])), self.prefix, "{said}");
        assert_eq!(text(&inside["version"]), self.version, "{said}");
        let executable = text(&inside["executable"]);
        assert_eq!(Path::new(&executable), self.executable, "{said}");
        assert_eq!(inside["variables"], serde_json::json!(self.variables));
        if let Some(path) = &self.path {
            assert_eq!(Path::new(&text(&inside["path"])), path, "{said}");
        }
        // What the build froze is what runs.
        assert_eq!(said["frozen"][0], inside["version"], "{said}");
        assert_eq!(said["frozen"][1], inside["prefix"], "{said}");
    }
}

fn print(said: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let inside = &said["inside"];
    println!("\n{}", text(&said["pool"]));
    for (name, key) in [
        ("sys.executable", "executable"),
        ("sys.prefix", "prefix"),
        ("version", "version"),
        ("host name", "host_name"),
        ("PATH begins", "path"),
    ] {
        println!("  {name:<18} {}", text(&inside[key]));
    }
    for (name, value) in inside["variables"].as_object().into_iter().flatten() {
        println!("  {name:<18} {}", text(value));
    }
}

/// `sys.prefix` of an interpreter, as it says itself.
fn prefix_of(python: &Path) -> PathBuf {
    let mut ask = Command::new(python);
    ask.args(["-c", "import sys; print(sys.prefix)"]);
    PathBuf::from(Outcome::of(&mut ask).stdout().trim_end())
}

/// A version of the machine's pyenv that workers can run on, and its folder.
fn pyenv() -> Option<(String, PathBuf)> {
    let versions = tools::pyenv_root()?.join("versions");
    let real = versions.canonicalize().ok()?;
    let mut pythons = tools::pythons().into_iter();
    // Another one than that of the other pools, if there is one.
    let found = pythons.rfind(|python| python.path.starts_with(&real))?;
    let version = found.version.to_string();
    let folder = versions.join(&version);
    folder.exists().then_some((version, folder))
}

#[test]
fn one_program_has_a_pool_of_each_kind_and_every_worker_lives_where_the_build_saw_it() {
    let (Some(uv), Some(poetry)) = (tools::tool("uv"), tools::tool("poetry")) else {
        return;
    };
    let Some(engine) = tools::engine() else {
        return;
    };
    let Some((version, pyenv)) = pyenv() else {
        return tools::skip("pyenv with a Python from 3.8 on");
    };
    let python = tools::python();

    let main = MAIN
        .replace("PYTHON", &python.path.display().to_string())
        .replace("VERSION", &version);
    let host = HostPackage::new("host-seven-kinds", Path::new(TARGET), "", &main);
    host.depend_on("serde_json = \"1\"");
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    let adapter = include_str!("../python/inside.py");
    host.write("python/inside.py", adapter);

    fs::create_dir(host.path("uv app")).unwrap();
    tools::uv_project(&uv, &host.path("uv app"));
    python.make_venv(&host.path("venv"));
    let central = tools::poetry_project(&poetry, &host.path("poetry-app"));
    let conda = host.path("envs/demo");
    let Some(()) = tools::conda_environment(&host.path(""), &conda, &["python", "settings"]) else {
        return;
    };
    let container = engine.container(CONTAINER);
    container.shell(&format!(
        "mkdir -p /srv/code && cat > /srv/code/inside.py <<'END'\n{adapter}\nEND"
    ));

    let mut build = host.cargo(["build", "--offline"]);
    let path = env::var_os("PATH").unwrap_or_default();
    let managers = [&uv, &poetry].map(|program| program.parent().unwrap().to_owned());
    let path = env::join_paths(env::split_paths(&path).chain(managers)).unwrap();
    build
        .env("PATH", path)
        .envs(engine.variables.iter().cloned());
    Outcome::of(&mut build).stdout();

    let mut program = host.program();
    program
        .arg(host.path("Cargo.toml"))
        // Each interpreter says that it is the one that the build saw, with the same distributions.
        .env("SNAKEPIT_RECHECK", "thorough")
        .envs(engine.variables.iter().cloned());
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"] {
        program.env_remove(name);
    }
    let said: Vec<Value> = Outcome::of(&mut program)
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    said.iter().for_each(print);

    let own = python.version.to_string();
    let own_prefix = prefix_of(&python.path);
    let inside = container.shell("python3 -c 'import platform; print(platform.python_version())'");
    let wanted = [
        Wanted {
            executable: python.path.clone(),
            ..Wanted::new("system", &own_prefix, "", &own)
        },
        Wanted::virtual_environment("uv", &host.path("uv app/.venv")),
        Wanted::virtual_environment("venv", &host.path("venv")),
        Wanted::new("docker", Path::new("/usr"), "bin/python3", &inside),
        Wanted::new("pyenv", &pyenv, "bin/python3", &version),
        Wanted::virtual_environment("poetry", &central),
        Wanted {
            variables: BTreeMap::from([
                ("CONDA_PREFIX", conda.display().to_string()),
                ("CONDA_DEFAULT_ENV", "demo".to_owned()),
            ]),
            // The activation script of one of its packages puts it before `bin`.
            path: Some(conda.join("tools")),
            ..Wanted::new("conda", &conda, "bin/python", &own)
        },
    ];
    assert_eq!(said.len(), wanted.len(), "{said:?}");
    let id = engine.output(&["inspect", "--format", "{{.Config.Hostname}}", CONTAINER]);
    for (said, wanted) in said.iter().zip(&wanted) {
        wanted.compare(said);
        let in_container = wanted.pool == "docker";
        assert_eq!(said["inside"]["host_name"] == *id, in_container, "{said}");
        assert_eq!(said["inside"]["sees_witness"], !in_container, "{said}");
    }
}
