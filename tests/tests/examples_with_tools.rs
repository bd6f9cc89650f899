//! The examples that need a tool, each beside what the tool made for it.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs};

use snakepit_test_tools::{IMAGE, engine, pyenv_root, python, pythons, skip, succeeds, tool};
use snakepit_tests::{HostPackage, Outcome};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

/// What the example prints, with what its tool needs to be found.
fn said(
    host: &HostPackage,
    feature: &str,
    variables: impl IntoIterator<Item = (&'static str, OsString)>,
) -> String {
    let mut cargo = host.cargo(["run", "--quiet", "--offline", "--features", feature]);
    Outcome::of(cargo.envs(variables)).stdout()
}

/// The search path with one more folder.
fn path_with(folder: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([folder.to_owned()]);
    env::join_paths(folders).unwrap()
}

#[test]
fn a_worker_has_what_uv_installed() {
    let Some(uv) = tool("uv") else { return };
    let host = HostPackage::example("python_env_uv", Path::new(TARGET));
    let own = python().path.to_str().unwrap();
    let sync = ["sync", "--locked", "--offline", "--quiet", "--python", own];
    succeeds(&uv, &sync, &host.path("python"));
    let path = path_with(uv.parent().unwrap());
    let environment = fs::canonicalize(host.path("python/.venv")).unwrap();
    let wanted = format!(
        "environment: uv {}\n3 sentences, 9 words, says readability 1.2.0\n",
        environment.display()
    );
    assert_eq!(said(&host, "uv", [("PATH", path)]), wanted);
}

#[test]
fn workers_are_containers_of_the_image() {
    let Some(engine) = engine() else { return };
    let host = HostPackage::example("python_env_docker", Path::new(TARGET));
    let folder = host.path("").display().to_string();
    // The image of the tests has a Python, as the one that the `Dockerfile` names.
    let base = format!("BASE={IMAGE}");
    let name = "snakepit-example";
    engine.output(&["build", "--tag", name, "--build-arg", &base, &folder]);
    let variables = engine.variables.iter();
    let variables = variables.map(|(name, value)| (*name, OsString::from(value)));
    let told = said(&host, "docker", variables);
    let inside = engine.output(&["run", "--rm", name, "python3", "--version"]);
    let version = inside.strip_prefix("Python ").unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], format!("the image has cpython {version}"));
    assert_eq!(lines[1], format!("hello, world, from Python {version}"));
    assert!(
        lines[2].starts_with("a worker runs on Debian GNU/Linux"),
        "{told}"
    );
    engine.output(&["rmi", "--force", name]);
}

#[test]
fn three_pythons_serve_one_program() {
    let versions = pyenv_root().map(|root| root.join("versions"));
    let versions = versions.and_then(|folder| fs::canonicalize(folder).ok());
    let is_pyenvs = |versions: &Path| {
        let mut pythons = pythons().into_iter();
        pythons.any(|python| python.path.starts_with(versions))
    };
    let Some(versions) = versions.filter(|folder| is_pyenvs(folder)) else {
        return skip("pyenv with a Python from 3.8 on");
    };
    let host = HostPackage::example("python_env_multi", Path::new(TARGET));
    python().make_venv(&host.path(".venv"));
    let told = said(&host, "pyenv", []);
    let lines: Vec<&str> = told.lines().collect();
    let mut prefixes = Vec::new();
    for (lines, begin) in lines.chunks(3).zip([
        "machine: system by ",
        "project: venv by ",
        "pyenv: pyenv by ",
    ]) {
        let [head, built, runs] = lines else {
            panic!("{told}");
        };
        assert!(head.starts_with(begin), "{told}");
        // From inside it is the Python that the build saw.
        let built = built.strip_prefix("  built for ").unwrap();
        let runs = runs.strip_prefix("  runs with ").unwrap();
        assert_eq!(built, runs, "{told}");
        prefixes.push(Path::new(built.split_once(" in ").unwrap().1));
    }
    let project = fs::canonicalize(host.path(".venv")).unwrap();
    assert_eq!(prefixes[1], project, "{told}");
    assert!(
        fs::canonicalize(prefixes[2])
            .unwrap()
            .starts_with(&versions),
        "{told}"
    );
    assert_eq!(prefixes.len(), 3);
}
