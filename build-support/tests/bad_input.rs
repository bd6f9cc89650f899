//! Broken environments: each gets one error with code, cause and fix, never a panic or a hang.

mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use snakepit_build::cache::Cache;
use snakepit_build::declaration::{Adapter, Request};
use snakepit_build::manifest::Resolution;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Diagnostic, Machine};
use snakepit_test_tools::{pyenv_root, skip};
use support::{World, python, request, script};

fn resolved(request: &Request, package: &Path) -> Result<Resolution, Vec<Diagnostic>> {
    resolve(
        request,
        package,
        &Custom::new(),
        &Cache::default(),
        &Machine,
    )
}

/// The one fault of `environment = system` on another machine.
fn fault(world: &World) -> Diagnostic {
    let mut faults = system(world, &Cache::default()).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

/// A machine where `SNAKEPIT_PYTHON` names something.
fn naming(python: OsString) -> World {
    let mut world = World::with(None);
    world.variables.insert("SNAKEPIT_PYTHON".to_owned(), python);
    world
}

fn system(world: &World, cache: &Cache) -> Result<Resolution, Vec<Diagnostic>> {
    let request = request("system", &[]);
    resolve(&request, Path::new("/"), &Custom::new(), cache, world)
}

fn refused(request: &Request, package: &Path) -> Diagnostic {
    let mut faults = resolved(request, package).expect_err("the environment is broken");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

/// A venv whose interpreter is a script that does as told.
fn scripted(package: &Path, text: &str) -> Request {
    script(&package.join(".venv/bin/python3"), text);
    request("venv", &[])
}

#[test]
fn a_venv_path_that_is_a_file_is_refused_at_the_option() {
    let package = tempfile::tempdir().unwrap();
    fs::write(package.path().join("file"), "").unwrap();
    let fault = refused(&request("venv", &[("venv_path", "file")]), package.path());
    assert_eq!(
        (fault.code(), fault.place()),
        ("venv_invalid", "option:venv_path")
    );
}

#[test]
fn a_venv_path_that_leads_into_an_environment_is_told_with_the_environments_own() {
    let package = tempfile::tempdir().unwrap();
    let venv = package.path().join("envs/.venv");
    snakepit_test_tools::python().make_venv(&venv);
    let whole = venv.to_str().unwrap();
    for inside in [
        "bin/python3",
        "bin/activate",
        "pyvenv.cfg",
        "bin",
        "lib",
        "bin/python2",
    ] {
        for start in ["envs/.venv", "./envs/.venv", whole] {
            let path = format!("{start}/{inside}");
            let fault = refused(&request("venv", &[("venv_path", &path)]), package.path());
            assert_eq!(fault.place(), "option:venv_path");
            assert_eq!(fault.help(), format!("write `venv_path = {start:?}`"));
        }
    }
    // One that is named itself, and broken, is made again.
    fs::remove_file(venv.join("bin/python3")).unwrap();
    fs::remove_file(venv.join("bin/python")).unwrap();
    let fault = refused(&request("venv", &[("venv_path", whole)]), package.path());
    assert!(fault.help().contains("--clear"), "{fault:?}");
    // The environment that the package is in is not the one that is meant.
    let app = venv.join("app");
    fs::create_dir(&app).unwrap();
    for path in [String::from(".venv"), format!("{whole}/app/.venv")] {
        let fault = refused(&request("venv", &[("venv_path", &path)]), &app);
        assert!(
            fault.help().starts_with("run `python3 -m venv"),
            "{fault:?}"
        );
    }
}

#[test]
fn an_interpreter_that_is_not_executable_is_named() {
    let package = tempfile::tempdir().unwrap();
    let request = scripted(package.path(), "");
    fs::set_permissions(
        package.path().join(".venv/bin/python3"),
        PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let fault = refused(&request, package.path());
    assert_eq!(fault.code(), "venv_invalid");
    assert!(fault.message().contains("not executable"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_garbage_is_quoted() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &scripted(package.path(), "#!/bin/sh\necho rubbish\n"),
        package.path(),
    );
    assert_eq!(fault.code(), "probe_failed");
    assert!(fault.message().contains("`rubbish`"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_nothing_or_fails_is_refused() {
    let package = tempfile::tempdir().unwrap();
    let silent = refused(&scripted(package.path(), "#!/bin/sh\n"), package.path());
    assert!(silent.message().contains("printed nothing"), "{silent:?}");
    let failing = refused(
        &scripted(package.path(), "#!/bin/sh\necho broken >&2; exit 3\n"),
        package.path(),
    );
    assert!(
        failing.message().contains("exit status: 3") && failing.message().contains("broken"),
        "{failing:?}"
    );
}

#[test]
fn an_interpreter_that_hangs_is_killed_at_the_limit_and_quoted() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &scripted(
            package.path(),
            "#!/bin/sh\necho waiting for godot\nexec sleep 60\n",
        ),
        package.path(),
    );
    assert_eq!(fault.code(), "probe_failed");
    assert!(
        fault
            .message()
            .contains("did not end within 10 s, it printed `waiting for godot`"),
        "{fault:?}"
    );
}

#[test]
fn a_pyvenv_cfg_in_latin_1_or_with_nuls_is_refused() {
    for bytes in [&b"home = /caf\xe9\n"[..], b"home = /usr\0\n"] {
        let package = tempfile::tempdir().unwrap();
        let bin = package.path().join(".venv/bin");
        fs::create_dir_all(&bin).unwrap();
        symlink(python(), bin.join("python3")).unwrap();
        fs::write(package.path().join(".venv/pyvenv.cfg"), bytes).unwrap();
        let fault = refused(&request("venv", &[]), package.path());
        assert_eq!(fault.code(), "venv_invalid");
        assert!(fault.message().contains("pyvenv.cfg"), "{fault:?}");
    }
}

#[test]
fn a_folder_of_other_files_is_never_proposed_to_be_cleared() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("data")).unwrap();
    fs::write(package.path().join("data/precious"), "").unwrap();
    let fault = refused(&request("venv", &[("venv_path", "data")]), package.path());
    assert!(!fault.help().contains("--clear"), "{fault:?}");
}

#[test]
fn a_machine_without_python_is_told_how_to_name_one() {
    let fault = fault(&World::with(None));
    assert_eq!(
        (fault.code(), fault.place()),
        ("python_not_found", "environment")
    );
    assert!(fault.help().contains("SNAKEPIT_PYTHON"), "{fault:?}");
}

#[test]
fn a_snakepit_python_that_is_no_interpreter_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let missing = folder.path().join("missing");
    for (path, found) in [
        (folder.path(), "is a folder"),
        (&plain, "is not executable"),
        (&missing, "does not exist"),
    ] {
        let fault = fault(&naming(path.into()));
        assert_eq!(fault.code(), "python_not_found");
        assert!(
            fault.message().contains("`SNAKEPIT_PYTHON` names") && fault.message().contains(found),
            "{fault:?}"
        );
    }
}

#[test]
fn a_snakepit_python_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(b"/caf\xe9/python3".to_vec());
    let fault = fault(&naming(value));
    assert_eq!(fault.code(), "path_not_utf8");
}

#[test]
fn an_interpreter_that_was_removed_is_told_from_one_that_never_was() {
    let package = tempfile::tempdir().unwrap();
    let bin = package.path().join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink("/nonexistent/python3", bin.join("python3")).unwrap();
    let removed = refused(&request("venv", &[]), package.path());
    assert_eq!(removed.code(), "venv_invalid");
    assert!(removed.message().contains("was removed"), "{removed:?}");
    assert!(removed.help().contains("--clear"), "{removed:?}");
    fs::remove_file(bin.join("python3")).unwrap();
    let never = refused(&request("venv", &[]), package.path());
    assert!(never.message().contains("has no interpreter"), "{never:?}");
}

#[test]
fn a_python_before_3_8_is_refused_by_its_version() {
    let versions = pyenv_root().unwrap_or_default().join("versions");
    let old = ["2.7.18", "3.6.15", "3.7.16"].map(|version| (version, versions.join(version)));
    let there = old.iter().filter(|(_, folder)| folder.exists());
    if there.clone().next().is_none() {
        skip("a Python before 3.8 of pyenv");
    }
    for (version, folder) in there {
        let python = folder.join("bin/python");
        let package = tempfile::tempdir().unwrap();
        let options = [("python_executable", python.to_str().unwrap())];
        let fault = refused(&request("system", &options), package.path());
        assert_eq!(fault.code(), "python_too_old", "{fault:?}");
        assert!(
            fault.message().contains(&format!("is Python {version}, ")),
            "{fault:?}"
        );
    }
    // What such a Python answers, for a machine that has none.
    let package = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\necho 'snakepit-probe:{\"too_old\": \"3.6.1\"}'\n";
    let fault = refused(&scripted(package.path(), script), package.path());
    assert_eq!(fault.code(), "python_too_old", "{fault:?}");
}

#[test]
fn a_module_of_the_builders_folder_does_not_answer_for_the_interpreter() {
    // Where the tests run is where the probe runs: a `json.py` there must not be imported.
    let folder = tempfile::tempdir().unwrap();
    let wrapper = folder.path().join("python3");
    fs::write(folder.path().join("json.py"), "raise SystemExit(9)").unwrap();
    let text = format!(
        "#!/bin/sh\ncd '{}'\nexec '{}' \"$@\"\n",
        folder.path().display(),
        python().display()
    );
    script(&wrapper, &text);
    let options = [("python_executable", wrapper.to_str().unwrap())];
    assert!(resolved(&request("system", &options), folder.path()).is_ok());
}

#[test]
fn a_probe_cache_that_cannot_be_read_or_written_costs_only_probes() {
    let folder = tempfile::tempdir().unwrap();
    let corrupt = folder.path().join("probes.json");
    fs::write(&corrupt, b"{\"\xff\0").unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let world = World::with(Some(&python()));
    for path in [corrupt.clone(), file.join("probes.json")] {
        let cache = Cache::load(path);
        system(&world, &cache).unwrap();
        cache.save();
    }
    assert!(
        String::from_utf8(fs::read(&corrupt).unwrap())
            .unwrap()
            .contains("soabi")
    );
}

#[test]
fn a_folder_is_no_interpreter() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &request("system", &[("python_executable", "/usr/bin")]),
        package.path(),
    );
    assert_eq!(fault.code(), "python_not_found");
    assert!(fault.message().contains("is a folder"), "{fault:?}");
}

#[test]
fn spaces_quotes_and_non_ascii_in_a_path_are_kept() {
    let parent = tempfile::tempdir().unwrap();
    let package = parent.path().join("with space 'quote' \u{e9}");
    let bin = package.join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(python(), bin.join("python3")).unwrap();
    let resolution = resolved(&request("venv", &[]), &package).unwrap();
    assert_eq!(Path::new(&resolution.command), bin.join("python3"));
    let missing = refused(&request("venv", &[("venv_path", "not there")]), &package);
    assert!(missing.help().contains("python3 -m venv '"), "{missing:?}");
}

#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let parent = tempfile::tempdir().unwrap();
    let package = parent.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let bin = package.join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(python(), bin.join("python3")).unwrap();
    let fault = refused(&request("venv", &[]), &package);
    assert_eq!(fault.code(), "path_not_utf8");
    // Neither is what has nothing to do with the interpreter.
    fs::create_dir(package.join("code")).unwrap();
    let mut wanted = request("system", &[]);
    wanted.python_path = vec!["code".to_owned()];
    let fault = refused(&wanted, &package);
    assert_eq!(fault.code(), "path_not_utf8");
}

#[test]
fn the_faults_of_one_pool_come_together() {
    let package = tempfile::tempdir().unwrap();
    let mut request = request("system", &[]);
    request.python = Some(">=99".to_owned());
    request.requires = vec!["no-such-distribution-here".to_owned()];
    request.adapter = Some(Adapter::Module("no_such_adapter".to_owned()));
    let codes = |request: &Request| -> Vec<String> {
        let faults = resolved(request, package.path()).unwrap_err();
        faults
            .into_iter()
            .map(|fault| fault.code().to_owned())
            .collect()
    };
    let demands = ["python_version_mismatch", "requirement_not_installed"];
    assert_eq!(codes(&request)[..2], demands);
    assert_eq!(codes(&request)[2..], ["adapter_not_found"]);
    // A module is not missed in a folder that is missing.
    request.python_path = vec!["nowhere".to_owned()];
    assert_eq!(codes(&request)[..1], ["python_path_not_found"]);
    assert_eq!(codes(&request)[1..], demands);
}

#[test]
fn what_is_wrong_with_the_declaration_itself_is_told_though_its_environment_is_missing() {
    let package = tempfile::tempdir().unwrap();
    let faulty = |kind: &str| {
        let mut faulty = request(kind, &[]);
        faulty.python = Some("three".to_owned());
        faulty.requires = ["numpy>=2", "numpy>>2", "; x"].map(str::to_owned).to_vec();
        faulty.python_path = ["there", "nowhere"].map(str::to_owned).to_vec();
        faulty.adapter = Some(Adapter::Embed("tools.py".to_owned()));
        faulty.manager_launch = true;
        faulty
    };
    fs::create_dir(package.path().join("there")).unwrap();
    let places = |request: &Request| -> Vec<(String, String)> {
        let faults = resolved(request, package.path()).unwrap_err().into_iter();
        let place = |fault: Diagnostic| (fault.code().to_owned(), fault.place().to_owned());
        faults.map(place).collect()
    };
    let text = |(code, place): (&str, &str)| (code.to_owned(), place.to_owned());
    let written = [
        ("launch_not_supported", "launch"),
        ("requirement_invalid", "python"),
        ("requirement_invalid", "requires:1"),
        ("requirement_invalid", "requires:2"),
        ("python_path_not_found", "python_path:1"),
        ("adapter_file_not_found", "adapter"),
    ];
    let missing = written
        .into_iter()
        .chain([("venv_not_found", "option:venv_path")]);
    assert_eq!(
        places(&faulty("venv")),
        missing.map(text).collect::<Vec<_>>()
    );
    // Nothing is told twice of an environment that is there, and what can be checked is.
    let mut there = faulty("system");
    there.options = [(
        "python_executable".to_owned(),
        python().display().to_string(),
    )]
    .into();
    there.requires[0] = "no-such-distribution".to_owned();
    let missing = written
        .into_iter()
        .chain([("requirement_not_installed", "requires:0")]);
    assert_eq!(places(&there), missing.map(text).collect::<Vec<_>>());
    // In a container folders are the container's.
    let codes = places(&faulty("docker"));
    assert!(
        codes.contains(&text(("container_path_relative", "python_path:0"))),
        "{codes:?}"
    );
}
