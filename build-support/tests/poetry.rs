//! The kind `poetry`: projects that the real poetry installs, in step with their lock and out of it, and broken ones.

mod support;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::{Check, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_test_tools::{poetry, succeeds, tool, tools};
use support::{World, request, script, wheels};
use tempfile::TempDir;

/// A project's folder, and the machine on which it is looked at; poetry's own files are in the same folder.
struct Site {
    root: PathBuf,
    app: PathBuf,
    world: World,
    _keep: TempDir,
}

impl Site {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        let app = root.join("my app");
        fs::create_dir(&app).unwrap();
        let mut site = Self {
            root,
            app,
            world: World::with(None),
            _keep: keep,
        };
        for (name, folder) in [("HOME", "home"), ("POETRY_CACHE_DIR", "cache")] {
            let value: OsString = site.root.join(folder).into();
            site.world.variables.insert(name.to_owned(), value);
        }
        site
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.app.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// A project that asks for the given distributions.
    fn project(&self, dependencies: &[&str]) {
        self.write(
            "pyproject.toml",
            format!(
                "[project]\nname = \"My_App\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = {dependencies:?}\n[tool.poetry]\npackage-mode = false\n"
            ),
        );
    }

    /// Runs the real poetry; `None` where it cannot be had.
    fn poetry(&self, args: &[&str]) -> Option<()> {
        let tool = tool("poetry")?;
        // What the world says in variables, poetry is told in its own file.
        let cache = self.root.join("cache");
        let settings = self.app.join("poetry.toml");
        let own = fs::read_to_string(&settings).unwrap_or_default();
        if !own.contains("cache-dir") {
            fs::write(&settings, format!("cache-dir = {cache:?}\n{own}")).unwrap();
        }
        poetry(&tool, &self.app, args);
        Some(())
    }

    fn resolved(&self, request: &Request) -> Result<Resolution, Vec<Diagnostic>> {
        let probes = Cache::default();
        resolve(request, &self.root, &Custom::new(), &probes, &self.world)
    }

    fn resolution(&self) -> Resolution {
        self.resolved(&declared()).unwrap()
    }

    #[track_caller]
    fn refused(&self, request: &Request) -> Diagnostic {
        let mut faults = self.resolved(request).expect_err("the project is broken");
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }

    /// The one environment in a folder of them.
    fn environment(&self, folder: &str) -> PathBuf {
        let entries = fs::read_dir(self.root.join(folder)).unwrap();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.retain(|path| path.is_dir());
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders.remove(0)
    }
}

fn declared() -> Request {
    request("poetry", &[("project_dir", "my app")])
}

#[track_caller]
fn is(fault: &Diagnostic, code: &str, help: &str) {
    assert_eq!(
        (fault.code(), fault.place()),
        (code, "option:project_dir"),
        "{fault:?}"
    );
    assert!(fault.help().contains(help), "{fault:?}");
}

#[test]
fn the_central_environment_is_found_by_poetrys_rules_without_poetry() {
    let mut site = Site::new();
    site.project(&[]);
    let Some(()) = site.poetry(&["install"]) else {
        return;
    };
    let environment = site.environment("cache/virtualenvs");
    let resolution = site.resolution();
    assert_eq!(
        Path::new(&resolution.command),
        environment.join("bin/python3")
    );
    // One stat, and one open, read and close: the four system calls that a re-check may cost.
    let [Check::Size { .. }, Check::Content { path, .. }] = &resolution.checks[..] else {
        panic!("{:?}", resolution.checks);
    };
    assert_eq!(Path::new(path), environment.join("pyvenv.cfg"));

    // An environment of another Python beside it: which one counts is what `poetry env use` wrote down.
    let name = environment.file_name().unwrap().to_str().unwrap();
    let (base, minor) = name.rsplit_once("-py").unwrap();
    fs::create_dir(environment.with_file_name(format!("{base}-py3.1"))).unwrap();
    is(
        &site.refused(&declared()),
        "poetry_environment_not_found",
        "poetry install",
    );
    let poetry = tool("poetry").unwrap();
    site.world.which = Box::new(move |_| Some(poetry.clone()));
    assert_eq!(
        site.resolution().command,
        resolution.command,
        "poetry was asked"
    );
    site.world.which = Box::new(|_| None);
    site.poetry(&["env", "use", &format!("python{minor}")]);
    assert_eq!(site.resolution().command, resolution.command);
}

#[test]
fn auto_takes_the_environment_in_the_project() {
    let site = Site::new();
    site.project(&[]);
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["install"]) else {
        return;
    };
    let resolution = site
        .resolved(&request("auto", &[("project_dir", "my app")]))
        .unwrap();
    assert_eq!(resolution.metadata.environment, "poetry");
    assert_eq!(resolution.metadata.detected_by, "poetry.lock");
    assert_eq!(
        Path::new(&resolution.command),
        site.app.join(".venv/bin/python3")
    );

    // Half deleted; then what the help says, word by word.
    fs::remove_dir_all(site.app.join(".venv/bin")).unwrap();
    let fault = site.refused(&declared());
    is(
        &fault,
        "poetry_environment_invalid",
        "poetry env remove --all",
    );
    let command = fault.help().strip_prefix("run `").unwrap();
    let mended = Command::new("sh")
        .args(["-c", command.strip_suffix('`').unwrap()])
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", tools("poetry").unwrap().display()),
        )
        .env_remove("VIRTUAL_ENV")
        .output()
        .unwrap();
    assert!(mended.status.success(), "{mended:?}");
    assert_eq!(site.resolution().command, resolution.command);

    fs::remove_dir_all(site.app.join(".venv")).unwrap();
    is(
        &site.refused(&declared()),
        "poetry_environment_not_found",
        "poetry install",
    );
    site.poetry(&["install"]);
    assert_eq!(site.resolution().command, resolution.command);
}

/// A requirement of a distribution that needs no index.
fn wheel(folder: &Path, name: &str, version: &str) -> String {
    let file = wheels::wheel(folder, name, version, &[]);
    format!("{name} @ file://{}", file.display())
}

#[test]
fn an_environment_out_of_step_with_its_lock_is_mended_by_a_sync() {
    let site = Site::new();
    let [one, two, other] = [
        ("demo_one", "1.0"),
        ("demo_one", "2.0"),
        ("demo_two", "1.0"),
    ]
    .map(|(name, version)| wheel(&site.root, name, version));
    site.project(&[&one]);
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["install"]) else {
        return;
    };
    site.resolution();
    for (dependencies, fault) in [
        (vec![&*two], "demo-one is 1.0, not 2.0"),
        (vec![&*two, &*other], "demo-two 1.0 is not installed"),
    ] {
        site.project(&dependencies);
        site.poetry(&["lock"]);
        let found = site.refused(&declared());
        is(&found, "poetry_lock_out_of_step", "poetry sync");
        assert!(found.message().contains(fault), "{found:?}");
        site.poetry(&["sync"]);
        site.resolution();
    }
}

#[test]
fn only_what_counts_for_the_interpreter_and_is_installed_by_default_has_to_be_there() {
    let site = Site::new();
    let [plain, windows, extra, dev, older] = [
        ("plain", "2.0"),
        ("windows_only", "1.0"),
        ("only_for_extra", "1.0"),
        ("only_for_dev", "1.0"),
        ("plain", "1.0"),
    ]
    .map(|(name, version)| wheel(&site.root, name, version));
    site.write(
        "pyproject.toml",
        format!(
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\n\
             dependencies = [\"{plain} ; sys_platform != 'win32'\", \"{older} ; sys_platform == 'win32'\", \"{windows} ; sys_platform == 'win32'\"]\n\
             optional-dependencies.fast = [\"{extra}\"]\n\
             [dependency-groups]\ndev = [\"{dev}\"]\n[tool.poetry]\npackage-mode = false\n"
        ),
    );
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["install", "--only", "main"]) else {
        return;
    };
    site.resolution();
    let pip = |args: &[&str]| {
        let python = site.app.join(".venv/bin/python");
        succeeds(&python, &["-m", "ensurepip"], &site.app);
        succeeds(&python, &[&["-m", "pip"], args].concat(), &site.app);
    };
    // A version of the lock, but that of another platform.
    pip(&["install", "--quiet", "--force-reinstall", &older]);
    let fault = site.refused(&declared());
    is(&fault, "poetry_lock_out_of_step", "poetry sync");
    assert!(
        fault.message().contains("plain is 1.0, not 2.0"),
        "{fault:?}"
    );
    pip(&["uninstall", "--quiet", "--yes", "plain"]);
    let fault = site.refused(&declared());
    assert!(
        fault.message().contains("plain 2.0 is not installed"),
        "{fault:?}"
    );
    site.poetry(&["sync", "--all-extras"]);
    site.resolution();
}

#[test]
fn a_lock_of_another_project_file_is_made_again() {
    let site = Site::new();
    let [one, two] = ["demo_one", "demo_two"].map(|name| wheel(&site.root, name, "1.0"));
    let path = |requirement: &str| requirement.split_once("file://").unwrap().1.to_owned();
    let modern = |group: &str| {
        format!(
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"{one}\"]\n\
             [dependency-groups]\n{group} = [\"{two}\"]\n[tool.poetry]\npackage-mode = false\n"
        )
    };
    let legacy = |path: &str| {
        format!(
            "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = \">=3.8\"\ndemo_one = {{ path = {path:?} }}\n\
             [tool.poetry.group.docs]\noptional = true\n"
        )
    };
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    for (before, after) in [
        (modern("dev"), modern("test")),
        (legacy(&path(&one)), modern("dev")),
        (modern("dev"), legacy(&path(&one))),
    ] {
        site.write("pyproject.toml", before);
        let (Some(()), Some(())) = (site.poetry(&["lock"]), site.poetry(&["install"])) else {
            return;
        };
        site.resolution();
        site.write("pyproject.toml", &after);
        let fault = site.refused(&declared());
        is(&fault, "poetry_lock_outdated", "run `poetry lock` in");
        site.poetry(&["lock"]);
        site.resolution();
        // What does not decide may change.
        site.write("pyproject.toml", format!("{after}[tool.other]\nx = 1\n"));
        site.resolution();
    }
}

#[test]
fn the_settings_decide_where_environments_are_the_strongest_first() {
    let mut site = Site::new();
    site.project(&[]);
    let Some(()) = site.poetry(&["install"]) else {
        return;
    };
    let mut environment = site.environment("cache/virtualenvs");
    // Each setting is stronger than those before it.
    let settings: [(&str, &str, &str); 3] = [
        (
            "c",
            "home/.config/pypoetry/config.toml",
            "[virtualenvs]\npath = \"~/../c\"\n",
        ),
        (
            "cache/b",
            "my app/poetry.toml",
            "[virtualenvs]\npath = \"{cache-dir}/b\"\n",
        ),
        ("a", "", ""),
    ];
    for (folder, file, text) in settings {
        if file.is_empty() {
            let value = site.root.join(folder).into();
            let name = "POETRY_VIRTUALENVS_PATH".to_owned();
            site.world.variables.insert(name, value);
        } else {
            site.write(site.root.join(file).to_str().unwrap(), text);
        }
        is(
            &site.refused(&declared()),
            "poetry_environment_not_found",
            "poetry install",
        );
        let moved = site
            .root
            .join(folder)
            .join(environment.file_name().unwrap());
        fs::create_dir_all(moved.parent().unwrap()).unwrap();
        fs::rename(&environment, &moved).unwrap();
        environment = moved;
        let command = PathBuf::from(site.resolution().command);
        let expected = environment.join("bin/python3").canonicalize();
        assert!(command.starts_with(&site.root), "{command:?}");
        assert_eq!(command.canonicalize().unwrap(), expected.unwrap());
    }

    // A `.venv` counts unless the settings say otherwise.
    fs::create_dir(site.app.join(".venv")).unwrap();
    is(
        &site.refused(&declared()),
        "poetry_environment_invalid",
        "poetry install",
    );
    site.write("poetry.toml", "[virtualenvs]\nin-project = false\n");
    site.resolution();
    let on = "1".into();
    site.world
        .variables
        .insert("POETRY_VIRTUALENVS_IN_PROJECT".to_owned(), on);
    is(
        &site.refused(&declared()),
        "poetry_environment_invalid",
        "poetry install",
    );
}

#[test]
fn a_broken_project_is_refused_for_what_it_is() {
    let site = Site::new();
    let fault = site.refused(&request("poetry", &[("project_dir", "absent")]));
    is(&fault, "project_dir_not_found", "make it");
    is(
        &site.refused(&declared()),
        "poetry_project_not_found",
        "poetry init",
    );
    site.project(&[]);
    is(
        &site.refused(&declared()),
        "poetry_lock_not_found",
        "poetry lock",
    );
    for text in [&b"<<<<<<< HEAD\n"[..], b"caf\xe9 = 1\n"] {
        site.write("poetry.lock", text);
        let fault = site.refused(&declared());
        is(&fault, "poetry_lock_invalid", "poetry lock");
    }
    site.write("poetry.lock", "");
    site.write("poetry.toml", "[virtualenvs\n");
    is(
        &site.refused(&declared()),
        "poetry_file_invalid",
        "correct the file",
    );
}

#[test]
fn a_poetry_that_answers_nonsense_fails_or_is_absent_is_named() {
    let mut site = Site::new();
    site.project(&[]);
    site.write("poetry.lock", "");
    let tool = site.root.join("bin/poetry");
    let path = tool.clone();
    site.world.which = Box::new(move |_| Some(path.clone()));
    for (text, found) in [
        ("echo rubbish", "`rubbish`"),
        ("echo broken >&2; exit 3", "`broken`"),
        ("true", "printed nothing"),
        // A question gets no answer.
        ("read answer || echo \"no answer\"", "`no answer`"),
    ] {
        script(&tool, &format!("#!/bin/sh\n{text}\n"));
        let fault = site.refused(&declared());
        is(&fault, "poetry_failed", "poetry env info");
        assert!(fault.message().contains(found), "{fault:?}");
    }
    let mut managed = declared();
    managed.manager_launch = true;
    site.world.which = Box::new(|_| None);
    let fault = site.refused(&managed);
    assert_eq!(
        (fault.code(), fault.place()),
        ("poetry_not_found", "launch")
    );
}

#[test]
fn poetry_itself_starts_the_interpreter_where_it_is_asked_to() {
    let mut site = Site::new();
    site.project(&[]);
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["install"]) else {
        return;
    };
    let poetry = tool("poetry").unwrap();
    let path = poetry.clone();
    site.world.which = Box::new(move |_| Some(path.clone()));
    let mut managed = declared();
    managed.manager_launch = true;
    let resolution = site.resolved(&managed).unwrap();
    assert_eq!(Path::new(&resolution.command), poetry);
    assert_eq!(resolution.args, ["run", "python"]);
    assert_eq!(resolution.cwd.as_deref(), site.app.to_str());
    assert_eq!(
        Path::new(&resolution.metadata.prefix),
        site.app.join(".venv")
    );
}

#[test]
fn a_build_makes_no_environment_where_poetry_would_start_the_workers() {
    let mut site = Site::new();
    site.project(&[]);
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["lock"]) else {
        return;
    };
    let venv = site.app.join(".venv");
    let _ = fs::remove_dir_all(&venv);
    let poetry = tool("poetry").unwrap();
    site.world.which = Box::new(move |_| Some(poetry.clone()));
    let mut managed = declared();
    managed.manager_launch = true;
    site.resolved(&managed).unwrap();
    assert!(!venv.exists());
}

#[test]
fn a_poetry_that_hangs_is_ended_at_the_limit() {
    let mut site = Site::new();
    site.project(&[]);
    site.write("poetry.lock", "");
    let tool = site.root.join("bin/poetry");
    script(&tool, "#!/bin/sh\nexec sleep 60\n");
    site.world.which = Box::new(move |_| Some(tool.clone()));
    let fault = site.refused(&declared());
    is(&fault, "poetry_failed", "poetry env info");
    assert!(
        fault.message().contains("did not end within 30 s"),
        "{fault:?}"
    );
}

#[test]
fn a_manager_is_not_left_to_start_workers_without_what_the_lock_demands() {
    let mut site = Site::new();
    let one = wheel(&site.root, "demo_one", "1.0");
    site.project(&[&one]);
    site.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
    let Some(()) = site.poetry(&["lock"]) else {
        return;
    };
    let poetry = tool("poetry").unwrap();
    site.world.which = Box::new(move |_| Some(poetry.clone()));
    let mut managed = declared();
    managed.manager_launch = true;
    // Locking made an empty environment already.
    is(
        &site.refused(&managed),
        "poetry_lock_out_of_step",
        "poetry sync",
    );
    fs::remove_dir_all(site.app.join(".venv")).unwrap();
    is(
        &site.refused(&managed),
        "poetry_environment_not_found",
        "poetry install",
    );
    site.poetry(&["install"]);
    site.resolved(&managed).unwrap();
}
