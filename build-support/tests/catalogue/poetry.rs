//! Projects of poetry.

use std::fs;
use std::path::Path;

use snakepit_build::Code;
use snakepit_test_tools::{poetry_project, tool};

use crate::support::wheels::wheel;
use crate::{Proof, Site};

/// A machine with poetry, whose environments are beside the package.
fn empty() -> Option<Site> {
    let poetry = tool("poetry")?;
    let site = Site::with_python("poetry", &[]);
    site.provide("poetry", poetry);
    Some(site)
}

/// A project that poetry installed.
fn project() -> Option<Site> {
    let site = empty()?;
    poetry_project(&tool("poetry")?, &site.root);
    Some(site)
}

/// The environment of it.
fn environments(site: &Site) -> Vec<std::path::PathBuf> {
    let folder = site.beside("poetry-environments");
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn pyproject(site: &Site, text: &str) {
    let text = format!("[tool.poetry]\nname = \"Demo_App\"\npackage-mode = false\n{text}");
    site.write("pyproject.toml", &text);
}

/// Makes the project ask for a wheel in its folder.
fn demand(site: &Site, wheel: &Path) {
    let name = wheel.file_name().unwrap();
    let dependencies = format!(
        "[tool.poetry.dependencies]\npython = \">=3.8\"\ndemo-one = {{ path = {name:?} }}\n"
    );
    pyproject(site, &dependencies);
}

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::PoetryProjectNotFound,
        place: "environment",
        says: &["no `pyproject.toml` in", "my app`"],
        help: "run `poetry init` in",
        scene: empty,
        mend: |site, help| {
            // It asks questions, and here is nobody to answer them.
            site.follow(&help.replace("poetry init", "poetry init --no-interaction"));
            // What `poetry install` wants of a project: its package.
            site.write("my_app/__init__.py", "");
        },
    },
    Proof {
        code: Code::PoetryLockNotFound,
        place: "environment",
        says: &["no `poetry.lock` in"],
        help: "run `poetry lock` in",
        scene: || {
            let site = project()?;
            fs::remove_file(site.path("poetry.lock")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PoetryLockInvalid,
        place: "environment",
        says: &["poetry.lock` is no TOML"],
        help: "remove it, then run `poetry lock` in",
        scene: || {
            let site = project()?;
            site.write("poetry.lock", "<<<<<<< HEAD\n");
            Some(site)
        },
        mend: |site, help| {
            fs::remove_file(site.path("poetry.lock")).unwrap();
            site.follow(help);
        },
    },
    Proof {
        code: Code::PoetryLockOutdated,
        place: "environment",
        says: &["pyproject.toml` was changed after"],
        help: "run `poetry lock` in",
        scene: || {
            let site = project()?;
            let file = wheel(&site.root, "demo_one", "1.0", &[]);
            demand(&site, &file);
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PoetryLockOutOfStep,
        place: "environment",
        says: &["is not in step with", "demo-one 1.0 is not installed"],
        help: "run `poetry sync` in",
        scene: || {
            let site = project()?;
            let file = wheel(&site.root, "demo_one", "1.0", &[]);
            demand(&site, &file);
            site.shell("poetry lock", &site.root);
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PoetryEnvironmentNotFound,
        place: "environment",
        says: &["no environment is installed for the poetry project"],
        help: "run `poetry install` in",
        scene: || {
            let site = project()?;
            fs::remove_dir_all(site.beside("poetry-environments")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PoetryEnvironmentInvalid,
        place: "environment",
        says: &["has no interpreter"],
        help: "poetry env remove --all && poetry install",
        scene: || {
            let site = project()?;
            fs::remove_dir_all(environments(&site)[0].join("bin")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PoetryFailed,
        place: "environment",
        says: &["did not tell where the environment of", "exit status: 1"],
        help: "run `poetry env info` in",
        scene: || {
            let site = project()?;
            // Of two environments only poetry knows which one it would choose, and it stumbles over its own file.
            let one = environments(&site).remove(0);
            let name = one.file_name().unwrap().to_str().unwrap();
            let base = name.rsplit_once("-py").unwrap().0.to_owned();
            fs::create_dir(one.with_file_name(format!("{base}-py3.1"))).unwrap();
            pyproject(&site, "description = 3\n");
            Some(site)
        },
        mend: |site, help| {
            let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| site.follow(help)));
            assert!(said.is_err(), "the command of the help shows the failure");
            pyproject(site, "");
        },
    },
    Proof {
        code: Code::PoetryFileInvalid,
        place: "environment",
        says: &["poetry.toml` is no TOML"],
        help: "correct the file",
        scene: || {
            let site = project()?;
            fs::rename(site.path("poetry.toml"), site.beside("good")).unwrap();
            site.write("poetry.toml", "[virtualenvs\n");
            Some(site)
        },
        mend: |site, _| fs::rename(site.beside("good"), site.path("poetry.toml")).unwrap(),
    },
    Proof {
        code: Code::PoetryNotFound,
        place: "launch",
        says: &["`launch = manager` needs poetry"],
        help: "install it, or remove `launch = manager`",
        scene: || {
            let mut site = project()?;
            site.remove_program("poetry");
            site.request.manager_launch = true;
            Some(site)
        },
        mend: |site, _| site.provide("poetry", tool("poetry").as_deref().unwrap_or(Path::new(""))),
    },
];
