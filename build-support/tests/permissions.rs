//! Environments that belong to somebody else: what may not be read or run is named with the system's reason, and never
//! taken for something that is not there. Root may read everything, so that the builder is another user here.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use snakepit_build::cache::Cache;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_test_tools::{skip, unprivileged};
use support::{World, request, script};
use tempfile::TempDir;

/// Tells this program to be the builder, and what to resolve: the package, the kind, and an option with its value.
const BUILDER: &str = "SNAKEPIT_TESTS_BUILDER";

/// A folder of this user that the builder may enter.
fn folder() -> (TempDir, PathBuf) {
    let keep = tempfile::tempdir().unwrap();
    let path = keep.path().canonicalize().unwrap();
    mode(&path, 0o755);
    (keep, path)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The builder's part: prints the fault.
fn build(order: &str) {
    let words: Vec<&str> = order.split('\n').collect();
    let [package, kind, option, value] = words[..] else {
        panic!("{order}");
    };
    let mut world = World::with(None);
    for (name, below) in [("HOME", "home"), ("PYENV_ROOT", "pyenv")] {
        let folder = Path::new(package).join(below);
        world.variables.insert(name.to_owned(), folder.into());
    }
    let options = [(option, value)];
    let request = request(kind, if option.is_empty() { &[] } else { &options });
    let (custom, probes) = (Custom::new(), Cache::default());
    let found = resolve(&request, Path::new(package), &custom, &probes, &world);
    match found {
        Ok(resolution) => println!("\nresolved {}", resolution.command),
        Err(faults) => println!("\nfault {}", faults[0].to_string().replace('\n', "; ")),
    }
}

/// What another user's build says of a pool.
fn said(package: &Path, kind: &str, (option, value): (&str, &str)) -> Option<String> {
    // The target folder may be closed to others, too.
    let (_keep, bin) = folder();
    let program = bin.join("builder");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut builder = match unprivileged(&program) {
        Ok(builder) => builder,
        Err(lacking) => {
            skip(&lacking);
            return None;
        }
    };
    let order = [package.to_str().unwrap(), kind, option, value].join("\n");
    let output = builder
        .args(["--exact", "--nocapture"])
        .arg("what_another_user_closed_is_named_with_the_systems_reason")
        .env(BUILDER, order)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("fault "));
    Some(line.unwrap_or_else(|| panic!("{output:?}")).to_owned())
}

#[test]
fn what_another_user_closed_is_named_with_the_systems_reason() {
    if let Ok(order) = std::env::var(BUILDER) {
        return build(&order);
    }
    let (_keep, folder) = folder();

    let python = |path: &str| script(&folder.join(path).join("bin/python3"), "#!/bin/sh\n");
    python("closed/.venv");
    mode(&folder.join("closed"), 0o700);
    python("private/.venv");
    mode(&folder.join("private/.venv/bin/python3"), 0o700);
    python("settings/.venv");
    write(&folder.join("settings/.venv/pyvenv.cfg"), "home = /usr\n");
    mode(&folder.join("settings/.venv/pyvenv.cfg"), 0o600);
    python("pyenv/versions/3.12.1");
    mode(&folder.join("pyenv/versions/3.12.1/bin"), 0o700);
    for (file, text) in [
        ("uv/uv.lock", "version = 1\n"),
        ("poetry/poetry.lock", ""),
        ("conda/environment.yml", "name: demo\n"),
    ] {
        write(&folder.join(file), text);
        mode(&folder.join(file), 0o600);
    }
    write(&folder.join("poetry/pyproject.toml"), "");
    write(&folder.join("closed/prefix/conda-meta/history"), "");

    write(&folder.join("linked/conda-meta/history"), "");
    fs::create_dir(folder.join("linked/bin")).unwrap();
    let behind = folder.join("closed/.venv/bin/python3");
    symlink(behind, folder.join("linked/bin/python")).unwrap();

    for (kind, option, code, names) in [
        (
            "venv",
            ("venv_path", "closed/.venv"),
            "venv_invalid",
            "closed/.venv`",
        ),
        (
            "venv",
            ("venv_path", "private/.venv"),
            "probe_failed",
            "private/.venv/bin/python3`",
        ),
        (
            "venv",
            ("venv_path", "settings/.venv"),
            "venv_invalid",
            "pyvenv.cfg`",
        ),
        (
            "pyenv",
            ("python_version", "3.12.1"),
            "pyenv_version_invalid",
            "versions/3.12.1`",
        ),
        ("uv", ("project_dir", "uv"), "uv_lock_invalid", "uv.lock`"),
        (
            "poetry",
            ("project_dir", "poetry"),
            "poetry_lock_invalid",
            "poetry.lock`",
        ),
        (
            "conda",
            ("project_dir", "conda"),
            "conda_file_invalid",
            "environment.yml`",
        ),
        (
            "system",
            ("python_executable", "closed/.venv/bin/python3"),
            "python_not_found",
            "closed/.venv/bin/python3`",
        ),
        (
            "conda",
            ("prefix", "closed/prefix"),
            "conda_environment_invalid",
            "closed/prefix`",
        ),
        (
            "conda",
            ("prefix", "linked"),
            "conda_environment_invalid",
            "linked/bin/python`",
        ),
    ] {
        let Some(said) = said(&folder, kind, option) else {
            return;
        };
        println!("{said}");
        assert!(said.contains(&format!("[snakepit::{code}]")), "{said}");
        let reason = said.to_lowercase().contains("permission denied");
        assert!(reason && said.contains(names), "{said}");
        // What cannot be read is in order as far as anybody knows: it is not to be removed or made anew.
        let (_, help) = said.split_once("; help: ").unwrap();
        let is_file = [".cfg`", ".lock`", ".yml`", "/bin/python`"]
            .iter()
            .any(|end| names.ends_with(end));
        assert_eq!(
            help.starts_with("give this user permission to read `"),
            is_file,
            "{said}"
        );
    }
}

#[test]
fn links_that_go_round_are_no_missing_environments() {
    let (_keep, folder) = folder();
    symlink(".venv", folder.join(".venv")).unwrap();
    let world = World::with(None);
    let fault = world.resolve(&request("venv", &[]), &folder).unwrap_err();
    assert_eq!(fault.code(), "venv_invalid", "{fault:?}");
    assert!(fault.message().contains("symbolic links"), "{fault:?}");
}
