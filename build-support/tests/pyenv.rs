//! `pyenv`: the versions that are installed on this machine, and layouts of them.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::declaration::Request;
use snakepit_build::manifest::Resolution;
use snakepit_build::{Diagnostic, Host, Machine};
use snakepit_test_tools::{pyenv_root, skip};
use support::{World, request};

/// A folder with versions of pyenv in it, which lead to one real interpreter, and a package beside it.
struct Layout {
    folder: tempfile::TempDir,
    world: World,
}

impl Layout {
    fn with(versions: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("versions")).unwrap();
        fs::create_dir_all(folder.path().join("app")).unwrap();
        let mut world = World::with(None);
        world
            .variables
            .insert("PYENV_ROOT".to_owned(), root.clone().into());
        let layout = Self { folder, world };
        for version in versions {
            layout.link(version, &support::python());
        }
        layout
    }

    fn link(&self, version: &str, python: &Path) {
        let bin = self.version(version).join("bin");
        fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(python, bin.join("python3")).unwrap();
    }

    fn version(&self, version: &str) -> PathBuf {
        self.folder.path().join("root/versions").join(version)
    }

    fn app(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    fn file(&self, text: &str) {
        fs::write(self.app().join(".python-version"), text).unwrap();
    }

    fn resolve(&self, request: &Request) -> Result<Resolution, Diagnostic> {
        self.world.resolve(request, &self.app())
    }

    /// The version that serves.
    fn served(&self, request: &Request) -> String {
        let command = self.resolve(request).unwrap().command;
        let root = self.folder.path().join("root/versions");
        let below = Path::new(&command).strip_prefix(root).unwrap();
        below
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .display()
            .to_string()
    }

    fn refused(&self, request: &Request) -> Diagnostic {
        self.resolve(request).unwrap_err()
    }
}

fn version(version: &str) -> Request {
    request("pyenv", &[("python_version", version)])
}

/// The root of this machine's pyenv, and its versions that workers can run on.
fn real() -> Option<(PathBuf, Vec<String>)> {
    let root = pyenv_root()?;
    let versions = Machine.list(&root.join("versions"));
    let new = |name: &String| {
        let minor = name
            .strip_prefix("3.")
            .and_then(|rest| rest.split('.').next());
        minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor >= 8))
    };
    let names = versions
        .iter()
        .filter(|path| path.join("bin/python3").exists());
    let names: Vec<String> = names
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(new)
        .collect();
    (!names.is_empty()).then_some((root, names))
}

#[test]
fn every_version_of_the_real_pyenv_is_found_by_its_name_and_by_its_prefix() {
    let Some((root, names)) = real() else {
        return skip("pyenv with a Python from 3.8 on");
    };
    let mut layout = Layout::with(&[]);
    layout
        .world
        .variables
        .insert("PYENV_ROOT".to_owned(), root.clone().into());
    for name in names {
        let found = layout.resolve(&version(&name)).unwrap();
        let python = root.join("versions").join(&name).join("bin/python3");
        assert_eq!(Path::new(&found.command), python);
        assert_eq!(found.metadata.python_version, name);
        let prefix = name.rsplit_once('.').unwrap().0;
        let found = layout.resolve(&version(prefix)).unwrap().metadata;
        assert!(found.python_version.starts_with(prefix), "{found:?}");
    }
}

#[test]
fn the_option_comes_before_the_file_and_the_file_before_the_variable() {
    let mut layout = Layout::with(&["3.10.1", "3.11.1", "3.12.1"]);
    let none = request("pyenv", &[]);
    assert_eq!(layout.refused(&none).code(), "python_version_required");
    layout
        .world
        .variables
        .insert("PYENV_VERSION".to_owned(), "3.14:3.10".into());
    assert_eq!(layout.served(&none), "3.10.1");
    fs::write(layout.folder.path().join(".python-version"), "3.11\n").unwrap();
    assert_eq!(layout.served(&none), "3.11.1");
    layout.file("# nothing yet\n");
    assert_eq!(layout.served(&none), "3.11.1");
    layout.file("3.12\n");
    assert_eq!(layout.served(&none), "3.12.1");
    assert_eq!(layout.served(&version("3.10")), "3.10.1");
}

#[test]
fn of_several_lines_the_first_that_is_installed_serves() {
    let layout = Layout::with(&["3.11.1", "3.12.1"]);
    layout.file("3.14.0\n3.12.1 # fast\n3.11.1\n");
    assert_eq!(layout.served(&request("pyenv", &[])), "3.12.1");
    assert_eq!(layout.served(&request("auto", &[])), "3.12.1");
    layout.file("3.14.0\n3.15.0\n");
    let fault = layout.refused(&request("auto", &[]));
    assert_eq!(fault.code(), "pyenv_version_not_found");
    assert!(
        fault.message().contains("3.14.0 or 3.15.0") && fault.message().contains("3.11.1, 3.12.1"),
        "{fault:?}"
    );
}

#[test]
fn names_of_virtual_environments_are_versions() {
    let layout = Layout::with(&[]);
    layout.link("3.12.1/envs/ml env", &support::python());
    std::os::unix::fs::symlink("3.12.1/envs/ml env", layout.version("ml env")).unwrap();
    assert_eq!(layout.served(&version("ml env")), "ml env");
    assert_eq!(
        layout.served(&version("3.12.1/envs/ml env")),
        "3.12.1/envs/ml env"
    );
}

#[test]
fn system_means_the_interpreter_that_is_no_shim() {
    let mut layout = Layout::with(&["3.12.1"]);
    let shims = layout.folder.path().join("root/shims");
    support::script(&shims.join("python3"), "#!/bin/sh\nexit 1\n");
    let bin = layout.folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(support::python(), bin.join("python3")).unwrap();
    let path = std::env::join_paths([&shims, &bin]).unwrap();
    layout.world.variables.insert("PATH".to_owned(), path);
    layout.file("3.14.0\nsystem\n3.12.1\n");
    let found = layout.resolve(&request("auto", &[])).unwrap();
    assert_eq!(Path::new(&found.command), bin.join("python3"));
}

#[test]
fn the_version_behind_a_shim_is_read_from_files_and_the_shim_is_not_started() {
    let mut layout = Layout::with(&["3.12.1", "3.11.1"]);
    fs::create_dir(layout.version("without")).unwrap();
    let root = layout.folder.path().join("root");
    let shim = root.join("shims/python3");
    support::script(&shim, "#!/bin/sh\nexit 1\n");
    layout.world.which = Box::new(move |_| Some(shim.clone()));
    let system = request("system", &[]);
    fs::write(root.join("version"), "3.12.1\n").unwrap();
    assert_eq!(layout.served(&system), "3.12.1");
    layout.file("without\n3.11.1\n");
    assert_eq!(layout.served(&system), "3.11.1");
    let variables = &mut layout.world.variables;
    variables.insert("PYENV_VERSION".to_owned(), "without:3.12.1".into());
    assert_eq!(layout.served(&system), "3.12.1");
    // What only pyenv can tell, pyenv is asked.
    layout.world.variables.remove("PYENV_VERSION");
    for name in ["system", "3.12", "../versions/3.12.1"] {
        layout.file(name);
        assert_eq!(layout.refused(&system).code(), "probe_failed", "{name}");
    }
}

#[test]
fn without_pyenv_auto_takes_an_interpreter_of_that_version_from_the_search_path() {
    let mut layout = Layout::with(&[]);
    fs::remove_dir_all(layout.folder.path().join("root")).unwrap();
    let python = support::python();
    let there = python.clone();
    layout.world.which = Box::new(move |_| Some(there.clone()));
    let real = Machine.interpreter(&python).unwrap().version;
    layout.file(&format!("3.99\n{real}\n"));
    let found = layout.resolve(&request("auto", &[])).unwrap();
    assert_eq!(Path::new(&found.command), python);
    let metadata = &found.metadata;
    assert_eq!(
        (metadata.environment.as_str(), metadata.detected_by.as_str()),
        ("system", ".python-version")
    );
    layout.file("3.99\n");
    assert_eq!(
        layout.refused(&request("auto", &[])).code(),
        "pyenv_not_installed"
    );
    let fault = layout.refused(&version("3.99"));
    assert_eq!(fault.code(), "pyenv_not_installed");
    assert!(fault.help().contains("PYENV_ROOT"), "{fault:?}");
}

#[test]
fn half_deleted_versions_say_what_is_missing_and_how_to_mend_it() {
    let layout = Layout::with(&[]);
    let missing = Path::new("/nonexistent/python3");
    layout.link("3.12.1", missing);
    fs::create_dir_all(layout.version("3.11.1/lib")).unwrap();
    fs::create_dir_all(layout.version("3.10.1/bin")).unwrap();
    fs::write(layout.version("3.10.1/bin/python3"), "").unwrap();
    layout.link("3.9.1", &layout.version("3.9.1/bin/python3"));
    std::os::unix::fs::symlink("gone", layout.version("ml")).unwrap();
    for (name, found) in [
        ("3.12.1", "its link is broken"),
        ("3.11.1", "no interpreter"),
        ("3.10.1", "not executable"),
        ("3.9.1", "its link is broken"),
        ("ml", "no interpreter"),
    ] {
        let fault = layout.refused(&version(name));
        assert_eq!(fault.code(), "pyenv_version_invalid", "{fault:?}");
        assert_eq!(fault.place(), "option:python_version");
        assert!(fault.message().contains(found), "{fault:?}");
        let again = format!("pyenv install --force {name}");
        assert_eq!(fault.help().contains(&again), name != "ml", "{fault:?}");
    }
}

#[test]
fn versions_are_listed_by_their_numbers() {
    let layout = Layout::with(&["3.12.1", "3.9.1", "ml", "3.13.0t", "3.10.12", "3.10.2"]);
    let fault = layout.refused(&version("3.7"));
    let listed = "(installed: ml, 3.9.1, 3.10.2, 3.10.12, 3.12.1, 3.13.0t)";
    assert!(fault.message().contains(listed), "{fault:?}");
}

#[test]
fn names_never_become_options_or_ways_out_of_the_folder() {
    let layout = Layout::with(&["3.12.1"]);
    for name in ["--version", "../versions/3.12.1", "/usr", ".", "$(touch x)"] {
        let fault = layout.refused(&version(name));
        assert_eq!(fault.code(), "pyenv_version_not_found", "{fault:?}");
        assert!(!fault.help().contains("install --"), "{fault:?}");
    }
    let fault = layout.refused(&version("3 b"));
    assert_eq!(fault.help(), "run `pyenv install '3 b'`");
    // No such version can be installed.
    let fault = layout.refused(&version("abc"));
    assert_eq!(fault.help(), "name a version that `pyenv versions` lists");
    assert_eq!(
        layout.refused(&version(" ")).code(),
        "python_version_required"
    );
}

#[test]
fn what_is_compared_at_start_up_is_the_interpreter_alone() {
    let layout = Layout::with(&["3.12.1"]);
    layout.file("3.12\n");
    let found = layout.resolve(&request("pyenv", &[])).unwrap();
    assert_eq!(found.checks.len(), 1, "{:?}", found.checks);
}
