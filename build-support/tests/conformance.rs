//! The seed's cases, run from `seed.toml`. A case whose tool cannot be had is skipped, and never where all are required.

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use snakepit_build::cache::Cache;
use snakepit_build::detector::detect;
use snakepit_build::manifest::{EnvOp, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Diagnostic, Host, Machine, declare};
use snakepit_test_tools::{self as tools, tool};
use support::World;
use toml::{Table, Value};

/// Each interpreter answers once for all cases.
static PROBES: LazyLock<Cache> = LazyLock::new(Cache::default);

/// The folder of an interpreter of a version such as `3.13`.
fn folder_of_python(version: &str) -> Option<PathBuf> {
    let below = format!("{version}.");
    let mut pythons = tools::pythons().into_iter();
    let python = pythons.find(|python| python.version.to_string().starts_with(&below))?;
    python.path.parent().map(Path::to_owned)
}

/// The path of a tool of the test set-up.
fn which(name: &str) -> String {
    tool(name).map_or_else(|| "none".to_owned(), |path| path.display().to_string())
}

/// One case, its folder made.
struct Case<'a> {
    id: &'a str,
    table: &'a Table,
    project: PathBuf,
    python: PathBuf,
    /// The engine, for a case that needs one.
    engine: Option<&'static tools::Engine>,
    _folder: tempfile::TempDir,
}

impl<'a> Case<'a> {
    fn prepare(table: &'a Table) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().canonicalize().unwrap();
        let case = Self {
            id: table["id"].as_str().unwrap(),
            table,
            project,
            python: support::python(),
            engine: None,
            _folder: folder,
        };
        for (path, content) in case.given("files") {
            case.write(&path, content.as_str().unwrap());
        }
        for dir in table
            .get("given")
            .and_then(|given| given.get("dirs"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            std::fs::create_dir_all(case.project.join(dir.as_str().unwrap())).unwrap();
        }
        for (path, target) in case.given("links") {
            let link = case.project.join(path);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(case.filled(target.as_str().unwrap()), link).unwrap();
        }
        case
    }

    fn write(&self, path: &str, content: &str) {
        let file = self.project.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn given(&self, part: &str) -> Table {
        let given = self.table.get("given").and_then(Value::as_table);
        given
            .and_then(|given| given.get(part))
            .and_then(Value::as_table)
            .cloned()
            .unwrap_or_default()
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{project}", self.project.to_str().unwrap())
            .replace("{python}", self.python.to_str().unwrap())
            .replace(
                "{which:docker}",
                &Machine
                    .which("docker")
                    .unwrap_or_default()
                    .display()
                    .to_string(),
            )
            .replace("{which:uv}", &which("uv"))
            .replace("{which:poetry}", &self.which_poetry())
    }

    /// Whether the case wants the real tool of a name.
    fn wants(&self, tool: &str) -> bool {
        self.given("tools").get(tool).and_then(Value::as_str) == Some("real")
    }

    fn which_poetry(&self) -> String {
        let path = self.wants("poetry").then(poetry).flatten();
        path.unwrap_or_default().display().to_string()
    }

    fn option(&self, name: &str) -> Option<String> {
        let options = self.table.get("options")?.as_table()?;
        Some(options.get(name)?.as_str()?.to_owned())
    }

    fn world(&self) -> World {
        let absent: Vec<String> = self
            .given("tools")
            .iter()
            .filter(|(_, how)| how.as_str() == Some("none"))
            .map(|(name, _)| name.clone())
            .collect();
        let mut variables: BTreeMap<String, OsString> = self
            .given("env")
            .iter()
            .map(|(name, value)| (name.clone(), self.filled(value.as_str().unwrap()).into()))
            .collect();
        if let Some(engine) = self.engine {
            for (name, value) in &engine.variables {
                let variable = variables.entry((*name).to_owned());
                variable.or_insert_with(|| value.clone().into());
            }
        }
        let poetry = self.wants("poetry").then(poetry).flatten();
        World {
            variables,
            which: Box::new(move |name| {
                let there = !absent.iter().any(|absent| absent == name);
                let own = poetry.clone().filter(|_| name == "poetry");
                let real = || match name {
                    "uv" => tool(name),
                    "poetry" => own,
                    _ => Machine.which(name),
                };
                there.then(real)?
            }),
            runs: true,
            path: self
                .option("python_version")
                .as_deref()
                .and_then(folder_of_python),
        }
    }

    /// The container that the case wants, as `name, state`.
    fn container(&self) -> Option<tools::Container<'static>> {
        let (name, state) = self
            .table
            .get("given")?
            .get("container")?
            .as_str()?
            .split_once(", ")?;
        let container = self.engine?.container(name);
        if state == "stopped" {
            self.engine?.output(&["kill", name]);
        }
        Some(container)
    }

    /// The case's attribute, as a program would write it.
    fn attribute(&self) -> String {
        if let Some(text) = self.table.get("declaration") {
            return text.as_str().unwrap().to_owned();
        }
        let kind = self.table["environment"].as_str().unwrap();
        let mut options: Vec<String> = Vec::new();
        if kind == "custom" {
            options.push("\"unregistered\"".to_owned());
        }
        for (name, value) in self
            .table
            .get("options")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            options.push(format!(
                "{name} = {:?}",
                self.filled(value.as_str().unwrap())
            ));
        }
        let options = if options.is_empty() {
            String::new()
        } else {
            format!("({})", options.join(", "))
        };
        let profile = match self.table.get("profile").and_then(Value::as_str) {
            Some("thread") => ", profile = thread(threads = 4)",
            Some("process") => ", profile = process",
            _ => "",
        };
        let launch = match self.table.get("launch").and_then(Value::as_str) {
            Some("manager") => ", launch = manager",
            _ => "",
        };
        format!("#[pool(environment = {kind}{options}{profile}{launch})]")
    }

    fn resolve(&self) -> Result<Resolution, Vec<Diagnostic>> {
        let source = format!(
            "#[snakepit_pools] struct Config {{ {} pool: PoolConfig }}",
            self.attribute()
        );
        let item: syn::DeriveInput = syn::parse_str(&source).unwrap();
        let declaration = declare::parse_struct(&item);
        if !declaration.mistakes.is_empty() {
            let mistakes = declaration.mistakes.iter();
            return Err(mistakes
                .map(|mistake| mistake.diagnostic().clone())
                .collect());
        }
        let request = &declaration.pools[0].request;
        resolve(
            request,
            &self.project,
            &Custom::new(),
            &PROBES,
            &self.world(),
        )
    }
}

/// Runs one case; `None`: a tool that it needs cannot be had.
fn run(table: &Table) -> Option<Result<(), String>> {
    let id = table["id"].as_str().unwrap();
    let kind = id.split('/').next().unwrap();
    if id == "validator/thread-with-gil" || id == "validator/thread-before-3.13" {
        return Some(matrix(id));
    }
    let mut case = Case::prepare(table);
    if case.given("tools").get("docker").and_then(Value::as_str) == Some("real") {
        case.engine = Some(tools::engine()?);
    }
    let _container = case.container();
    if id == "poetry/direct" {
        return poetry_direct(&case);
    }
    if case.wants("poetry") {
        poetry()?;
        // The environment that poetry makes for the run shall end with the case.
        case.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    }
    if kind == "uv" {
        let uv = tool("uv")?;
        if case.option("python_version").is_some() && case.world().path.is_none() {
            tools::skip("the Python that the case names");
            return None;
        }
        if table
            .get("given")
            .is_some_and(|given| given.get("project").is_some())
        {
            tools::uv_project(&uv, &case.project);
        }
    }
    let expect = table["expect"].as_table().unwrap();
    if table.get("detect_only").is_some() {
        return Some(detects(&case, expect));
    }
    Some(
        match (
            case.resolve(),
            expect
                .get("error")
                .or(expect.get("error_when_unregistered")),
        ) {
            (Ok(_), Some(code)) => Err(format!("resolved, wanted {code}")),
            (Err(faults), Some(code)) => refused(&case, &faults, code.as_str().unwrap(), expect),
            (Err(faults), None) => Err(format!("{faults:?}")),
            (Ok(resolution), None) => resolved(&case, &resolution, expect),
        },
    )
}

/// The matrix needs interpreters of both sides of 3.13: their words are given, the warning is ours.
fn matrix(id: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let (version, code) = if id.ends_with("gil") {
        ("3.13.1", "gil_still_enabled")
    } else {
        ("3.12.1", "thread_profile_without_free_threading")
    };
    let python = folder.path().join("python3");
    support::script(&python, &support::answering(version, ""));
    let table: Table = toml::from_str(&format!(
        "id = \"{id}\"\nenvironment = \"system\"\nprofile = \"thread\"\noptions = {{ python_executable = \"{}\" }}",
        python.display()
    ))
    .unwrap();
    let warnings = Case::prepare(&table)
        .resolve()
        .map_err(|faults| format!("{faults:?}"))?
        .warnings;
    same(
        "warnings",
        warnings.len() == 1 && warnings[0].code() == code,
        &warnings,
    )
}

/// The tests' own poetry.
fn poetry() -> Option<PathBuf> {
    tool("poetry")
}

/// A project that the real poetry installed, once in the project and once in poetry's own folder.
fn poetry_direct(case: &Case<'_>) -> Option<Result<(), String>> {
    let poetry = poetry()?;
    for place in ["in-project", "central"] {
        let project = case.project.join(place);
        let settings = match place {
            "in-project" => "in-project = true".to_owned(),
            _ => format!("in-project = false\npath = {:?}", case.project.join("envs")),
        };
        case.write(
            &format!("{place}/poetry.toml"),
            &format!("[virtualenvs]\n{settings}\n"),
        );
        let text = "[tool.poetry]\nname = \"Demo_App\"\npackage-mode = false\n";
        case.write(&format!("{place}/pyproject.toml"), text);
        for command in ["lock", "install"] {
            tools::poetry(&poetry, &project, &[command]);
        }
        let table: Table = toml::from_str(&format!(
            "id = \"poetry/direct\"\nenvironment = \"poetry\"\noptions = {{ project_dir = {project:?} }}",
        ))
        .unwrap();
        let environment = match place {
            "in-project" => project.join(".venv"),
            _ => std::fs::read_dir(case.project.join("envs"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.is_dir())
                .unwrap(),
        };
        let expect: Table = toml::from_str(&format!(
            "kind = \"poetry\"\ncommand = \"{0}/bin/python3\"\nargs = []\nenv_has = [\"set VIRTUAL_ENV={0}\"]",
            environment.display()
        ))
        .unwrap();
        let found = match Case::prepare(&table).resolve() {
            Ok(resolution) => resolved(case, &resolution, &expect),
            Err(faults) => Err(format!("{place}: {faults:?}")),
        };
        if found.is_err() {
            return Some(found);
        }
    }
    Some(Ok(()))
}

fn same(what: &str, holds: bool, found: &dyn std::fmt::Debug) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}"))
    }
}

fn detects(case: &Case<'_>, expect: &Table) -> Result<(), String> {
    let found = detect(&case.project, &case.world());
    same(
        "kind",
        found.kind == expect["kind"].as_str().unwrap(),
        &found,
    )?;
    if let Some(config) = expect.get("config").and_then(Value::as_table) {
        let options: Table = found
            .options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.clone())))
            .collect();
        let wanted: Table = config
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    Value::from(case.filled(value.as_str().unwrap())),
                )
            })
            .collect();
        same("config", options == wanted, &options)?;
    }
    Ok(())
}

fn refused(
    case: &Case<'_>,
    faults: &[Diagnostic],
    code: &str,
    expect: &Table,
) -> Result<(), String> {
    same(
        "code",
        faults.len() == 1 && faults[0].code() == code,
        &faults,
    )?;
    match expect.get("help").and_then(Value::as_str) {
        Some(help) => same(
            "help",
            faults[0].help().contains(&case.filled(help)),
            &faults,
        ),
        None => Ok(()),
    }
}

fn resolved(case: &Case<'_>, resolution: &Resolution, expect: &Table) -> Result<(), String> {
    let metadata = &resolution.metadata;
    for (key, value) in expect {
        let text = value
            .as_str()
            .map(|text| case.filled(text))
            .unwrap_or_default();
        let holds = match key.as_str() {
            "kind" => metadata.environment == text,
            "detected_by" => metadata.detected_by == text,
            "command" => match text.split_once(" or ") {
                Some((path, other)) => {
                    resolution.command == path
                        || Path::new(&resolution.command) == Path::new(path).with_file_name(other)
                }
                None => resolution.command == text,
            },
            "command_contains" => resolution.command.contains(&text),
            "last_arg" => resolution.args.last() == Some(&text),
            "cwd" => resolution.cwd.as_deref().unwrap_or("none") == text,
            "warning" => text == "none" && resolution.warnings.is_empty(),
            "args" => value
                .as_array()
                .unwrap()
                .iter()
                .map(|arg| arg.as_str().unwrap())
                .eq(&resolution.args),
            "env" => value.as_array().unwrap().is_empty() && resolution.env.is_empty(),
            "env_has" => value.as_array().unwrap().iter().all(|op| {
                let wanted = case.filled(op.as_str().unwrap());
                resolution.env.iter().any(|op| match op {
                    EnvOp::Set { name, value } => wanted == format!("set {name}={value}"),
                    EnvOp::Prepend { name, value } => wanted == format!("prepend {name}={value}"),
                    EnvOp::Unset { name } => wanted == format!("unset {name}"),
                })
            }),
            "metadata" => {
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|fact| match fact.as_str().unwrap() {
                        "python_path" => Path::new(&resolution.command).is_absolute(),
                        "python_version" => metadata.python_version.starts_with("3."),
                        "environment_type=system" => metadata.environment == "system",
                        "environment_type=uv" => metadata.environment == "uv",
                        "project_dir" => {
                            metadata.extra.get("project_dir").map(Path::new)
                                == Some(case.project.as_path())
                        }
                        // A plain field of the metadata: it is always there.
                        "free_threading_enabled" => true,
                        other => panic!("{}: unknown fact {other}", case.id),
                    })
            }
            other => panic!("{}: unknown expectation {other}", case.id),
        };
        same(key, holds, resolution)?;
    }
    Ok(())
}

#[test]
fn every_case_of_the_seed_passes_whose_tools_can_be_had() {
    let text = include_str!("../../tests/seed.toml");
    let seed: Table = toml::from_str(text).unwrap();
    let (mut skipped, mut failed) = (Vec::new(), Vec::new());
    for case in seed["case"].as_array().unwrap() {
        let table = case.as_table().unwrap();
        let id = table["id"].as_str().unwrap();
        match run(table) {
            None => skipped.push(id),
            Some(Ok(())) => {}
            Some(Err(why)) => failed.push(format!("{id}: {why}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    if tools::all_required() {
        assert_eq!(skipped, Vec::<&str>::new());
    }
}
