//! `uv`: projects that the real uv locks and syncs.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::Diagnostic;
use snakepit_build::declaration::{Adapter, Request};
use snakepit_build::manifest::{Check, EnvOp, Resolution};
use snakepit_test_tools::{succeeds, tool, uv_project};
use support::wheels::wheel;
use support::{World, request};

/// A folder with a project of uv: one dependency, whose sources lie beside it, so that no network is needed.
struct Project {
    folder: tempfile::TempDir,
    uv: PathBuf,
    world: World,
}

impl Project {
    fn new() -> Option<Self> {
        let uv = tool("uv")?;
        let mut world = World::with(None);
        let there = uv.clone();
        world.which = Box::new(move |name| (name == "uv").then(|| there.clone()));
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            uv,
            world,
        };
        uv_project(&project.uv, &project.app());
        Some(project)
    }

    fn app(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn uv(&self, args: &[&str]) {
        succeeds(&self.uv, args, &self.app());
    }

    /// Adds a dependency with metadata only: no build backend has to be had.
    fn with_dependency(&self) {
        let wheel = wheel(&self.app().join("wheels"), "alpha", "1.0", &[]);
        self.uv(&["add", "--quiet", wheel.to_str().unwrap()]);
    }

    fn resolve(&self, request: &Request) -> Result<Resolution, Diagnostic> {
        self.world.resolve(request, &self.app())
    }

    fn refused(&self, request: &Request) -> Diagnostic {
        self.resolve(request).unwrap_err()
    }

    fn without_uv(&mut self) {
        self.world.which = Box::new(|_| None);
    }
}

fn uv() -> Request {
    request("uv", &[])
}

#[test]
fn a_synced_project_starts_its_own_interpreter_and_auto_finds_it() {
    let Some(project) = Project::new() else {
        return;
    };
    for request in [uv(), request("auto", &[])] {
        let found = project.resolve(&request).unwrap();
        assert_eq!(
            Path::new(&found.command),
            project.app().join(".venv/bin/python3")
        );
        assert_eq!(found.metadata.environment, "uv");
        assert_eq!(
            Path::new(&found.metadata.prefix),
            project.app().join(".venv")
        );
        // The lock is no concern of the program: the interpreter and `pyvenv.cfg` are.
        assert_eq!(found.checks.len(), 2, "{:?}", found.checks);
        assert!(found.checks.iter().all(|check| match check {
            Check::Size { path, .. }
            | Check::Content { path, .. }
            | Check::Settings { path, .. } => path.contains(".venv"),
        }));
    }
}

#[test]
fn an_environment_that_lacks_what_is_locked_is_refused_and_the_fix_mends_it() {
    let Some(mut project) = Project::new() else {
        return;
    };
    project.with_dependency();
    project.resolve(&uv()).unwrap();
    project.uv(&["pip", "uninstall", "--quiet", "alpha"]);
    let fault = project.refused(&uv());
    assert_eq!(fault.code(), "environment_not_synced");
    assert!(fault.help().contains("run `uv sync` in"), "{fault:?}");
    assert!(fault.message().ends_with(" is not installed"), "{fault:?}");
    let which = std::mem::replace(&mut project.world.which, Box::new(|_| None));
    let fault = project.refused(&uv());
    assert_eq!(fault.code(), "environment_not_synced");
    assert!(
        fault.message().contains("alpha 1.0 is not installed"),
        "{fault:?}"
    );
    project.uv(&["sync", "--quiet"]);
    project.resolve(&uv()).unwrap();
    project.world.which = which;
    project.resolve(&uv()).unwrap();
}

#[test]
fn another_version_than_the_locked_one_is_refused_without_uv_too() {
    let Some(mut project) = Project::new() else {
        return;
    };
    project.with_dependency();
    project.without_uv();
    let lock = project.app().join("uv.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let other = text.replace(
        "name = \"alpha\"\nversion = \"1.0\"",
        "name = \"alpha\"\nversion = \"2.0\"",
    );
    assert_ne!(text, other);
    fs::write(&lock, other).unwrap();
    let fault = project.refused(&uv());
    assert!(
        fault
            .message()
            .contains("alpha 1.0 is installed, locked is 2.0"),
        "{fault:?}"
    );
}

#[test]
fn without_uv_too_only_what_counts_for_the_interpreter_has_to_be_there() {
    let Some(mut project) = Project::new() else {
        return;
    };
    let wheels = project.app().join("wheels");
    for (name, version, headers) in [
        (
            "alpha",
            "1.0",
            &[
                "Provides-Extra: fast",
                "Requires-Dist: beta; extra == 'fast'",
            ][..],
        ),
        ("alpha", "0.5", &[]),
        (
            "beta",
            "1.0",
            &["Requires-Dist: gamma; python_version >= '3'"],
        ),
        ("gamma", "1.0", &[]),
        ("windows-only", "1.0", &[]),
        ("only-for-extra", "1.0", &[]),
        ("only-for-dev", "1.0", &[]),
    ] {
        wheel(&wheels, &name.replace('-', "_"), version, headers);
    }
    let text = "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n\
        dependencies = [\"alpha[fast]==1.0; sys_platform != 'win32'\", \"alpha==0.5; sys_platform == 'win32'\", \
        \"windows-only; sys_platform == 'win32'\"]\noptional-dependencies.more = [\"only-for-extra\"]\n\
        [dependency-groups]\ndev = [\"only-for-dev\"]\n\
        [tool.uv]\nno-index = true\nfind-links = [\"wheels\"]\n";
    fs::write(project.app().join("pyproject.toml"), text).unwrap();
    project.uv(&["sync", "--quiet", "--no-default-groups"]);
    project.resolve(&uv()).unwrap();
    project.without_uv();
    project.resolve(&uv()).unwrap();
    for (args, found) in [
        // What an extra of a dependency brings, and what that brings.
        (["uninstall", "gamma"], "gamma 1.0 is not installed"),
        (["uninstall", "beta"], "beta 1.0 is not installed"),
        // A version of the lock, but that of another platform.
        (
            ["install", "alpha==0.5"],
            "alpha 0.5 is installed, locked is 1.0",
        ),
    ] {
        project.uv(&["pip", args[0], "--quiet", args[1]]);
        let fault = project.refused(&uv());
        assert_eq!(fault.code(), "environment_not_synced");
        assert!(fault.message().contains(found), "{fault:?}");
        project.uv(&["sync", "--quiet"]);
        project.resolve(&uv()).unwrap();
    }
}

#[test]
fn half_deleted_environments_are_mended_by_sync() {
    let Some(project) = Project::new() else {
        return;
    };
    let venv = project.app().join(".venv");
    for broken in ["bin/python3", "bin", "../.venv"] {
        if broken == "bin/python3" {
            for name in ["python3", "python"] {
                fs::remove_file(venv.join("bin").join(name)).unwrap();
                std::os::unix::fs::symlink("/nonexistent", venv.join("bin").join(name)).unwrap();
            }
        } else {
            fs::remove_dir_all(venv.join(broken)).unwrap();
        }
        let fault = project.refused(&uv());
        assert_eq!(fault.code(), "environment_not_synced");
        assert!(fault.help().starts_with("run `uv sync`"), "{fault:?}");
        project.uv(&[
            "sync",
            "--quiet",
            "--python",
            support::python().to_str().unwrap(),
        ]);
        project.resolve(&uv()).unwrap();
    }
    fs::remove_dir_all(&venv).unwrap();
    fs::write(&venv, "").unwrap();
    let fault = project.refused(&uv());
    assert!(fault.help().starts_with("move `"), "{fault:?}");
}

#[test]
fn a_requirement_that_is_not_met_is_added_by_uv() {
    let Some(project) = Project::new() else {
        return;
    };
    let mut request = uv();
    request.requires = vec!["alpha>=1".to_owned()];
    let fault = project.refused(&request);
    assert_eq!(fault.code(), "requirement_not_installed");
    assert!(fault.help().contains("`uv add 'alpha>=1'` in"), "{fault:?}");
    project.with_dependency();
    project.resolve(&request).unwrap();
}

#[test]
fn started_by_uv_an_adapter_is_read_as_the_worker_will_find_it() {
    let Some(project) = Project::new() else {
        return;
    };
    let folder = project.app().join("python");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("tools.py"), "def found(): pass\n").unwrap();
    let mut managed = uv();
    managed.manager_launch = true;
    managed.python_path = vec![folder.display().to_string()];
    let file = folder.join("tools.py").display().to_string();
    for adapter in [Adapter::Module("tools".to_owned()), Adapter::Embed(file)] {
        managed.adapter = Some(adapter);
        assert_eq!(project.resolve(&managed).unwrap().tools[0].name, "found");
    }
}

#[test]
fn started_by_uv_a_failure_shows_the_command_and_the_lack_of_uv_is_named() {
    let Some(mut project) = Project::new() else {
        return;
    };
    let mut managed = uv();
    managed.manager_launch = true;
    let found = project.resolve(&managed).unwrap();
    assert_eq!(Path::new(&found.command), project.uv);
    assert_eq!(found.args, ["run", "python"]);
    assert_eq!(found.cwd.as_deref().map(Path::new), Some(&*project.app()));
    // One that finds everything in step, and starts nothing.
    let fake = project.app().join("fake/uv");
    support::script(
        &fake,
        "#!/bin/sh\ntest \"$1\" = sync || { echo 'cannot start' >&2; exit 3; }\n",
    );
    let there = fake.clone();
    project.world.which = Box::new(move |_| Some(there.clone()));
    let fault = project.refused(&managed);
    assert_eq!(fault.code(), "probe_failed");
    assert!(fault.message().contains("cannot start"), "{fault:?}");
    assert!(fault.help().contains("uv run python -c"), "{fault:?}");
    project.without_uv();
    let fault = project.refused(&managed);
    assert_eq!(
        (fault.code(), fault.place()),
        ("uv_not_installed", "launch")
    );
}

/// Every file below a folder with its content, links as what they point at.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            let path = entry.path();
            let content = match (fs::read_link(&path), path.is_dir()) {
                (Ok(target), _) => target.into_os_string().into_encoded_bytes(),
                (Err(_), true) => {
                    open.push(path.clone());
                    Vec::new()
                }
                (Err(_), false) => fs::read(&path).unwrap(),
            };
            // The interpreter itself writes what it compiled.
            if !path.ends_with("__pycache__") {
                files.insert(path, content);
            }
        }
    }
    files
}

#[test]
fn a_build_changes_nothing_where_uv_would_start_the_workers() {
    let Some(project) = Project::new() else {
        return;
    };
    project.with_dependency();
    let mut managed = uv();
    managed.manager_launch = true;
    project.resolve(&managed).unwrap();
    let venv = project.app().join(".venv");
    let unchanged = |managed: &Request, code: &str| {
        let before = snapshot(&project.app());
        let fault = project.refused(managed);
        assert_eq!(fault.code(), code, "{fault:?}");
        assert!(snapshot(&project.app()) == before, "{fault:?}");
    };
    // What `uv run` would install.
    project.uv(&["pip", "uninstall", "--quiet", "alpha"]);
    unchanged(&managed, "environment_not_synced");
    project.uv(&["sync", "--quiet"]);
    // What it would make anew with another Python, here or from the network.
    let mut other = managed.clone();
    let option = ("python_version".to_owned(), "3.99".to_owned());
    other.options.extend([option]);
    unchanged(&other, "python_version_mismatch");
    let text = fs::read_to_string(project.app().join("pyproject.toml")).unwrap();
    fs::write(project.app().join(".python-version"), "3.99\n").unwrap();
    unchanged(&managed, "environment_not_synced");
    fs::remove_file(project.app().join(".python-version")).unwrap();
    // What it would lock.
    let further = text.replace("dependencies = [", "dependencies = [\"beta\", ");
    fs::write(project.app().join("pyproject.toml"), further).unwrap();
    unchanged(&managed, "uv_lock_outdated");
    fs::write(project.app().join("pyproject.toml"), text).unwrap();
    // What it would make.
    fs::remove_dir_all(&venv).unwrap();
    unchanged(&managed, "environment_not_synced");
}

#[test]
fn a_lock_that_is_not_up_to_date_is_refused_with_and_without_uv() {
    let Some(mut project) = Project::new() else {
        return;
    };
    for version in ["1.0", "2.0"] {
        wheel(&project.app().join("wheels"), "alpha", version, &[]);
    }
    let file = project.app().join("pyproject.toml");
    let declare = |dependencies: &str| {
        let text = format!(
            "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n\
             dependencies = [{dependencies}]\n[tool.uv]\nno-index = true\nfind-links = [\"wheels\"]\n"
        );
        fs::write(&file, text).unwrap();
    };
    declare("'Alpha == 1.*'");
    project.uv(&["sync", "--quiet"]);
    project.resolve(&uv()).unwrap();
    let which = std::mem::replace(&mut project.world.which, Box::new(|_| None));
    project.resolve(&uv()).unwrap();
    // Other words for the same versions.
    for same in ["'ALPHA==1.*'", "'alpha == v1.*'", "'alpha==01.*'"] {
        declare(same);
        project.resolve(&uv()).unwrap();
    }
    let absent = "the dependency `beta` is not in the lock";
    let changes = [
        ("'alpha==1.*', 'beta'", absent),
        ("'alpha==1.*', \"beta; sys_platform == 'win32'\"", absent),
        ("", "`alpha` is locked, and no dependency any more"),
        (
            "'alpha>=1'",
            "`alpha` was locked for other versions than are asked for now",
        ),
    ];
    let refused = |project: &Project| {
        for (dependencies, found) in changes {
            declare(dependencies);
            let fault = project.refused(&uv());
            assert_eq!(fault.code(), "uv_lock_outdated", "{fault:?}");
            assert_eq!(fault.place(), "option:project_dir");
            assert!(fault.message().contains(found), "{fault:?}");
            assert!(fault.help().starts_with("run `uv lock` in"), "{fault:?}");
        }
    };
    refused(&project);
    project.world.which = which;
    refused(&project);
    project.uv(&["lock", "--quiet"]);
    project.resolve(&uv()).unwrap();
}

#[test]
fn a_lock_that_does_not_parse_is_its_own_error() {
    let Some(project) = Project::new() else {
        return;
    };
    for bytes in [&b"version = ["[..], b"\xff\xfe"] {
        fs::write(project.app().join("uv.lock"), bytes).unwrap();
        let fault = project.refused(&uv());
        assert_eq!(
            (fault.code(), fault.place()),
            ("uv_lock_invalid", "option:project_dir")
        );
    }
}

#[test]
fn members_of_a_workspace_use_their_roots_environment_and_strangers_do_not() {
    let Some(project) = Project::new() else {
        return;
    };
    let member = project.app().join("packages/a b");
    fs::create_dir_all(&member).unwrap();
    fs::create_dir_all(project.app().join("stranger")).unwrap();
    let text = "[project]\nname = \"member\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n";
    fs::write(member.join("pyproject.toml"), text).unwrap();
    let root = project.app().join("pyproject.toml");
    let text = fs::read_to_string(&root).unwrap();
    fs::write(
        &root,
        text + "\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n",
    )
    .unwrap();
    project.uv(&["sync", "--quiet"]);
    for dir in ["packages/a b", "./packages/../packages/a b"] {
        let found = project
            .resolve(&request("uv", &[("project_dir", dir)]))
            .unwrap();
        assert_eq!(
            Path::new(&found.command),
            project.app().join(".venv/bin/python3")
        );
    }
    let fault = project.refused(&request("uv", &[("project_dir", "stranger")]));
    assert_eq!(fault.code(), "uv_lock_not_found");
    let fault = project.refused(&request("uv", &[("project_dir", "absent")]));
    assert_eq!(fault.code(), "project_dir_not_found");
}

#[test]
fn the_option_and_the_variable_name_another_environment() {
    let Some(mut project) = Project::new() else {
        return;
    };
    let python = support::python();
    for name in ["of option", "-of-variable"] {
        let args = [
            "-c",
            "UV_PROJECT_ENVIRONMENT=\"$1\" \"$0\" sync -q --python \"$2\"",
        ];
        let uv = project.uv.to_str().unwrap();
        let args = [&args[..], &[uv, name, python.to_str().unwrap()]].concat();
        succeeds(Path::new("/bin/sh"), &args, &project.app());
    }
    let option = request("uv", &[("uv_environment", "of option")]);
    let app = project.app();
    let command = |folder: &str| app.join(folder).join("bin/python3");
    let variables = &mut project.world.variables;
    variables.insert("UV_PROJECT_ENVIRONMENT".to_owned(), "-of-variable".into());
    let found = project.resolve(&option).unwrap();
    assert_eq!(Path::new(&found.command), command("of option"));
    let found = project.resolve(&uv()).unwrap();
    assert_eq!(Path::new(&found.command), command("-of-variable"));
    let fault = project.refused(&request("uv", &[("uv_environment", "a b")]));
    assert!(
        fault
            .help()
            .contains("`UV_PROJECT_ENVIRONMENT='a b' uv sync`"),
        "{fault:?}"
    );
    let mut managed = uv();
    managed.manager_launch = true;
    let set = EnvOp::Set {
        name: "UV_PROJECT_ENVIRONMENT".to_owned(),
        value: "-of-variable".to_owned(),
    };
    let found = project.resolve(&managed).unwrap();
    assert_eq!(found.env, [set]);
    assert_eq!(
        Path::new(&found.metadata.prefix),
        project.app().join("-of-variable")
    );
}

#[test]
fn a_python_that_is_another_version_is_refused_and_one_that_is_none() {
    let Some(project) = Project::new() else {
        return;
    };
    let version = |text: &str| request("uv", &[("python_version", text)]);
    let real = project.resolve(&uv()).unwrap().metadata.python_version;
    for good in [&real, real.rsplit_once('.').unwrap().0, ">=3.8"] {
        project.resolve(&version(good)).unwrap();
    }
    for other in ["3.99", ">=3.99"] {
        let fault = project.refused(&version(other));
        assert_eq!(fault.code(), "python_version_mismatch");
        assert_eq!(fault.place(), "option:python_version");
    }
    for none in ["", "--version"] {
        assert_eq!(
            project.refused(&version(none)).code(),
            "python_version_invalid"
        );
    }
}

#[test]
fn a_python_that_the_project_does_not_allow_is_told_before_uv_looks_for_another() {
    let Some(mut project) = Project::new() else {
        return;
    };
    let file = project.app().join("pyproject.toml");
    let text = fs::read_to_string(&file).unwrap();
    let real = project.resolve(&uv()).unwrap().metadata.python_version;
    let synced = format!("run `uv sync` in `{}`", project.app().display());
    let chosen = "name a `python_version` that is `>=3.99`".to_owned();
    let by_version = request("uv", &[("python_version", &real)]);
    let both = [
        (uv(), "environment", synced),
        (by_version, "option:python_version", chosen),
    ];
    let lock = fs::read_to_string(project.app().join("uv.lock")).unwrap();
    // What is only in the lock is that of another member of a workspace.
    for (changed, whose) in [
        ((">=3.99", ">=3.8"), "pyproject.toml"),
        ((">=3.8", ">=3.99"), "uv.lock"),
    ] {
        let (own, locked) = changed;
        fs::write(&file, text.replace(">=3.8", own)).unwrap();
        fs::write(project.app().join("uv.lock"), lock.replace(">=3.8", locked)).unwrap();
        let says = format!(
            "`requires-python` of `{}` wants Python `>=3.99`, but `",
            project.app().join(whose).display()
        );
        for (request, place, help) in &both {
            let fault = project.refused(request);
            assert_eq!(fault.code(), "python_version_mismatch", "{fault:?}");
            assert_eq!((fault.place(), fault.help()), (*place, help.as_str()));
            assert!(fault.message().starts_with(&says), "{fault:?}");
            assert!(
                fault.message().ends_with(&format!("is Python {real}")),
                "{fault:?}"
            );
        }
    }
    fs::write(&file, text).unwrap();
    fs::write(project.app().join("uv.lock"), lock).unwrap();
    project.resolve(&uv()).unwrap();
    project.without_uv();
    project.resolve(&uv()).unwrap();
}

#[test]
fn a_manager_that_hangs_or_asks_is_told_apart_from_one_that_answers() {
    let Some(mut project) = Project::new() else {
        return;
    };
    let fake = project.app().join("fake/uv");
    let there = fake.clone();
    project.world.which = Box::new(move |_| Some(there.clone()));
    // Its standard input is closed: the question is answered by its end.
    support::script(
        &fake,
        "#!/bin/sh\nread answer || { echo 'no answer' >&2; exit 3; }\n",
    );
    let fault = project.refused(&uv());
    assert!(fault.message().contains("no answer"), "{fault:?}");
    support::script(&fake, "#!/bin/sh\nexec sleep 100\n");
    let fault = project.refused(&uv());
    assert!(fault.message().contains("did not end within"), "{fault:?}");
    // The cause is in front of the hints.
    support::script(
        &fake,
        "#!/bin/sh\nprintf 'error: no Python\\n  Caused by: a shim\\nNote:\\n  at the same time.\\n' >&2; exit 2\n",
    );
    let fault = project.refused(&uv());
    assert!(
        fault.message().ends_with("it printed `error: no Python`"),
        "{fault:?}"
    );
    // One that is too old for the question leaves it to the lock.
    support::script(
        &fake,
        "#!/bin/sh\necho \"error: unexpected argument '--check' found\" >&2; exit 2\n",
    );
    project.resolve(&uv()).unwrap();
}
