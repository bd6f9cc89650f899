//! Projects of uv.

use std::fs;

use snakepit_build::Code;
use snakepit_test_tools::{python, tool, uv_project};

use crate::support::wheels::wheel;
use crate::{Proof, Site};

/// A project in step with its lock, on a machine with uv, which goes to no network.
fn project(options: &[(&str, &str)]) -> Option<Site> {
    let uv = tool("uv")?;
    let mut site = Site::with_python("uv", options);
    site.provide("uv", &uv);
    site.set("UV_OFFLINE", "1");
    site.set("UV_PYTHON", &python().path);
    uv_project(&uv, &site.root);
    Some(site)
}

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::UvLockNotFound,
        place: "option:project_dir",
        says: &["no `uv.lock` in", "my app`"],
        help: "run `uv lock` in",
        scene: || {
            let site = project(&[])?;
            fs::remove_file(site.path("uv.lock")).unwrap();
            fs::remove_dir_all(site.path(".venv")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::UvLockInvalid,
        place: "option:project_dir",
        says: &["uv.lock` is no TOML"],
        help: "remove it, then run `uv lock` in",
        scene: || {
            let site = project(&[])?;
            site.write("uv.lock", "<<<<<<< HEAD\n");
            Some(site)
        },
        mend: |site, help| {
            fs::remove_file(site.path("uv.lock")).unwrap();
            site.follow(help);
        },
    },
    Proof {
        code: Code::UvLockOutdated,
        place: "option:project_dir",
        says: &[
            "my app/uv.lock` is not up to date with",
            "the dependency `alpha` is not in the lock",
        ],
        help: "run `uv lock` in",
        scene: || {
            let site = project(&[])?;
            wheel(&site.path("wheels"), "alpha", "1.0", &[]);
            let text = fs::read_to_string(site.path("pyproject.toml")).unwrap();
            let text = text
                + "dependencies = ['alpha']\n[tool.uv]\nno-index = true\nfind-links = ['wheels']\n";
            site.write("pyproject.toml", &text);
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::UvLockNotFound,
        place: "option:project_dir",
        says: &["no `uv.lock` in", "my app`"],
        help: "run `uv init --bare` in",
        scene: || {
            let site = project(&[])?;
            for file in ["uv.lock", "pyproject.toml"] {
                fs::remove_file(site.path(file)).unwrap();
            }
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::EnvironmentNotSynced,
        place: "environment",
        says: &[
            "my app/.venv` is not in step with",
            "no virtual environment at",
        ],
        help: "run `uv sync` in",
        scene: || {
            let site = project(&[])?;
            fs::remove_dir_all(site.path(".venv")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::UvNotInstalled,
        place: "launch",
        says: &["`launch = manager` wants `uv`"],
        help: "install uv, or remove `launch = manager`",
        scene: || {
            let mut site = project(&[])?;
            site.request.manager_launch = true;
            site.remove_program("uv");
            Some(site)
        },
        mend: |site, _| site.provide("uv", tool("uv").unwrap()),
    },
    Proof {
        code: Code::PythonVersionInvalid,
        place: "option:python_version",
        says: &["`python_version` is `--version`, which is no version of Python"],
        help: "write one like `3.13`",
        scene: || project(&[("python_version", "--version")]),
        mend: |site, _| site.option("python_version", &python().version.to_string()),
    },
];
