//! Broken environments: each gets one error with code, cause and fix, never a panic or a hang.

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use snakepit_build::declaration::Request;
use snakepit_build::diagnostic::Diagnostic;
use snakepit_build::host::{Answer, FileInfo};
use snakepit_build::manifest::{Check, Resolution};
use snakepit_build::probe::Cache;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Host, Machine};
use support::{python, script};

fn request(kind: &str, options: &[(&str, &str)]) -> Request {
    let mut request = Request::new("ml");
    request.kind = kind.to_owned();
    request.options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    request
}

fn resolved(request: &Request, package: &Path) -> Result<Resolution, Vec<Diagnostic>> {
    resolve(
        request,
        package,
        &Custom::new(),
        &Cache::default(),
        &Machine,
    )
}

/// The machine with another search path and other variables.
#[derive(Default)]
struct World {
    programs: BTreeMap<&'static str, PathBuf>,
    variables: BTreeMap<&'static str, OsString>,
}

impl Host for World {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        Machine.info(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.read(path)
    }

    fn is_script(&self, path: &Path) -> bool {
        Machine.is_script(path)
    }

    fn is_link(&self, path: &Path) -> bool {
        Machine.is_link(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Machine.canonical(path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        Machine.list(path)
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        self.programs.get(name).cloned()
    }

    fn run(&self, program: &Path, args: &[&str], limit: Duration) -> io::Result<Answer> {
        Machine.run(program, args, limit)
    }
}

impl World {
    fn system(&self, cache: &Cache) -> Result<Resolution, Vec<Diagnostic>> {
        let package = tempfile::tempdir().unwrap();
        resolve(
            &request("system", &[]),
            package.path(),
            &Custom::new(),
            cache,
            self,
        )
    }

    fn fault(&self) -> Diagnostic {
        let mut faults = self.system(&Cache::default()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }
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
        (fault.code.as_str(), fault.place.as_str()),
        ("venv_invalid", "option:venv_path")
    );
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
    assert_eq!(fault.code, "venv_invalid");
    assert!(fault.message.contains("not executable"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_garbage_is_quoted() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &scripted(package.path(), "#!/bin/sh\necho rubbish\n"),
        package.path(),
    );
    assert_eq!(fault.code, "probe_failed");
    assert!(fault.message.contains("`rubbish`"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_nothing_or_fails_is_refused() {
    let package = tempfile::tempdir().unwrap();
    let silent = refused(&scripted(package.path(), "#!/bin/sh\n"), package.path());
    assert!(silent.message.contains("printed nothing"), "{silent:?}");
    let failing = refused(
        &scripted(package.path(), "#!/bin/sh\necho broken >&2; exit 3\n"),
        package.path(),
    );
    assert!(
        failing.message.contains("exit status: 3") && failing.message.contains("broken"),
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
    assert_eq!(fault.code, "probe_failed");
    assert!(
        fault
            .message
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
        assert_eq!(fault.code, "venv_invalid");
        assert!(fault.message.contains("pyvenv.cfg"), "{fault:?}");
    }
}

#[test]
fn a_folder_of_other_files_is_never_proposed_to_be_cleared() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("data")).unwrap();
    fs::write(package.path().join("data/precious"), "").unwrap();
    let fault = refused(&request("venv", &[("venv_path", "data")]), package.path());
    assert!(!fault.help.contains("--clear"), "{fault:?}");
}

#[test]
fn a_machine_without_python_is_told_how_to_name_one() {
    let fault = World::default().fault();
    assert_eq!(
        (fault.code.as_str(), fault.place.as_str()),
        ("python_not_found", "environment")
    );
    assert!(fault.help.contains("SNAKEPIT_PYTHON"), "{fault:?}");
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
        let variables = BTreeMap::from([("SNAKEPIT_PYTHON", path.into())]);
        let fault = World {
            variables,
            ..World::default()
        }
        .fault();
        assert_eq!(fault.code, "python_not_found");
        assert!(
            fault.message.contains("`SNAKEPIT_PYTHON` names") && fault.message.contains(found),
            "{fault:?}"
        );
    }
}

#[test]
fn a_snakepit_python_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(b"/caf\xe9/python3".to_vec());
    let fault = World {
        variables: BTreeMap::from([("SNAKEPIT_PYTHON", value)]),
        ..World::default()
    }
    .fault();
    assert_eq!(fault.code, "python_not_found");
    assert!(fault.message.contains("not UTF-8"), "{fault:?}");
}

#[test]
fn an_interpreter_that_was_removed_is_told_from_one_that_never_was() {
    let package = tempfile::tempdir().unwrap();
    let bin = package.path().join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink("/nonexistent/python3", bin.join("python3")).unwrap();
    let removed = refused(&request("venv", &[]), package.path());
    assert_eq!(removed.code, "venv_invalid");
    assert!(removed.message.contains("was removed"), "{removed:?}");
    assert!(removed.help.contains("--clear"), "{removed:?}");
    fs::remove_file(bin.join("python3")).unwrap();
    let never = refused(&request("venv", &[]), package.path());
    assert!(never.message.contains("has no interpreter"), "{never:?}");
}

#[test]
fn a_python_before_3_8_is_refused_by_its_version() {
    let versions = ["2.7.18", "3.6.15", "3.7.16"];
    let root = std::env::var_os("PYENV_ROOT").map_or_else(
        || std::env::home_dir().unwrap_or_default().join(".pyenv"),
        PathBuf::from,
    );
    for version in versions {
        let python = root.join("versions").join(version).join("bin/python");
        if !python.exists() {
            println!("SKIPPED: pyenv has no Python {version} here");
            continue;
        }
        let package = tempfile::tempdir().unwrap();
        let options = [("python_executable", python.to_str().unwrap())];
        let fault = refused(&request("system", &options), package.path());
        assert_eq!(fault.code, "python_too_old", "{fault:?}");
        assert!(
            fault.message.contains(&format!("is Python {version}, ")),
            "{fault:?}"
        );
    }
    // What such a Python answers, for a machine that has none.
    let package = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\necho 'snakepit-probe:{\"too_old\": \"3.6.1\"}'\n";
    let fault = refused(&scripted(package.path(), script), package.path());
    assert_eq!(fault.code, "python_too_old", "{fault:?}");
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
fn of_a_shim_on_the_search_path_the_interpreter_behind_it_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let shim = folder.path().join("bin/python3");
    let python = python();
    script(
        &shim,
        &format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.display()),
    );
    let world = World {
        programs: BTreeMap::from([("python3", shim.clone())]),
        ..World::default()
    };
    let resolution = world.system(&Cache::default()).unwrap();
    assert_eq!(Path::new(&resolution.command), python);
    let [Check::Size { path, .. }] = &resolution.checks[..] else {
        panic!("{:?}", resolution.checks);
    };
    assert_eq!(Path::new(path), python);
    // Who names a shim gets it.
    let named = World {
        variables: BTreeMap::from([("SNAKEPIT_PYTHON", shim.clone().into_os_string())]),
        ..World::default()
    };
    let resolution = named.system(&Cache::default()).unwrap();
    assert_eq!(Path::new(&resolution.command), shim);
}

#[test]
fn a_wrapper_that_makes_a_difference_to_its_interpreter_stays() {
    let folder = tempfile::tempdir().unwrap();
    let wrapper = folder.path().join("bin/python3");
    // As a wrapper that sets PYTHONHOME would: another prefix than the interpreter alone has.
    let text = format!(
        "#!/bin/sh\n'{}' \"$@\" | sed 's|\"prefix\": \"[^\"]*\"|\"prefix\": \"/elsewhere\"|'\n",
        python().display()
    );
    script(&wrapper, &text);
    let world = World {
        programs: BTreeMap::from([("python3", wrapper.clone())]),
        ..World::default()
    };
    let resolution = world.system(&Cache::default()).unwrap();
    assert_eq!(Path::new(&resolution.command), wrapper);
}

#[test]
fn another_choice_of_the_shims_manager_is_seen_through_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let shim = folder.path().join("shims/python3");
    let chosen = folder.path().join("version");
    let text = format!(
        "#!/bin/sh\nif [ -e '{}' ]; then echo 'snakepit-probe:{{\"too_old\": \"3.6.1\"}}'; else exec '{}' \"$@\"; fi\n",
        chosen.display(),
        python().display()
    );
    script(&shim, &text);
    let cache = Cache::default();
    let world = World {
        programs: BTreeMap::from([("python3", shim)]),
        ..World::default()
    };
    world.system(&cache).unwrap();
    fs::write(&chosen, "3.6.1\n").unwrap();
    let faults = world.system(&cache).unwrap_err();
    assert_eq!(faults[0].code, "python_too_old");
}

#[test]
fn a_probe_cache_that_cannot_be_read_or_written_costs_only_probes() {
    let folder = tempfile::tempdir().unwrap();
    let corrupt = folder.path().join("probes.json");
    fs::write(&corrupt, b"{\"\xff\0").unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let world = World {
        programs: BTreeMap::from([("python3", python())]),
        ..World::default()
    };
    for path in [corrupt.clone(), file.join("probes.json")] {
        let cache = Cache::load(path);
        world.system(&cache).unwrap();
        cache.save();
    }
    assert!(
        String::from_utf8(fs::read(&corrupt).unwrap())
            .unwrap()
            .contains("soabi")
    );
}

#[test]
fn a_warm_build_starts_no_process() {
    struct Still(World);
    impl Host for Still {
        fn info(&self, path: &Path) -> Option<FileInfo> {
            self.0.info(path)
        }
        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            self.0.read(path)
        }
        fn is_script(&self, path: &Path) -> bool {
            self.0.is_script(path)
        }
        fn is_link(&self, path: &Path) -> bool {
            self.0.is_link(path)
        }
        fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
            self.0.canonical(path)
        }
        fn list(&self, path: &Path) -> Vec<PathBuf> {
            self.0.list(path)
        }
        fn variable(&self, name: &str) -> Option<OsString> {
            self.0.variable(name)
        }
        fn which(&self, name: &str) -> Option<PathBuf> {
            self.0.which(name)
        }
        fn run(&self, program: &Path, _: &[&str], _: Duration) -> io::Result<Answer> {
            panic!("{} was run", program.display());
        }
    }
    let package = tempfile::tempdir().unwrap();
    let shim = package.path().join("bin/python3");
    script(
        &shim,
        &format!("#!/bin/sh\nexec '{}' \"$@\"\n", python().display()),
    );
    fs::create_dir(package.path().join("python")).unwrap();
    fs::write(package.path().join("python/tools.py"), "").unwrap();
    let mut request = request("system", &[]);
    request.adapter = Some("tools".to_owned());
    request.python_path = vec!["python".to_owned()];
    let world = World {
        programs: BTreeMap::from([("python3", shim)]),
        ..World::default()
    };
    let file = package.path().join("probes.json");
    let build = |host: &dyn Host| {
        let cache = Cache::load(file.clone());
        let resolution = resolve(&request, package.path(), &Custom::new(), &cache, host).unwrap();
        cache.save();
        resolution
    };
    let cold = build(&world);
    assert_eq!(build(&Still(world)), cold);
}

#[test]
fn a_folder_is_no_interpreter() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &request("system", &[("python_executable", "/usr/bin")]),
        package.path(),
    );
    assert_eq!(fault.code, "python_not_found");
    assert!(fault.message.contains("is a folder"), "{fault:?}");
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
    assert!(missing.help.contains("python3 -m venv '"), "{missing:?}");
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
    assert!(fault.message.contains("not UTF-8"), "{fault:?}");
}

#[test]
fn the_faults_of_one_pool_come_together() {
    let package = tempfile::tempdir().unwrap();
    let mut request = request("system", &[]);
    request.python = Some(">=99".to_owned());
    request.requires = vec!["no-such-distribution-here".to_owned()];
    request.adapter = Some("no_such_adapter".to_owned());
    request.python_path = vec!["nowhere".to_owned()];
    let faults = resolved(&request, package.path()).unwrap_err();
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    let wanted = [
        "python_version_mismatch",
        "requirement_not_met",
        "python_path_not_found",
        "adapter_not_found",
    ];
    assert_eq!(codes, wanted);
}

#[test]
fn a_real_venv_freezes_its_interpreter_and_its_configuration() {
    let package = tempfile::tempdir().unwrap();
    let made = std::process::Command::new(python())
        .args(["-m", "venv", "--without-pip"])
        .arg(package.path().join(".venv"))
        .status()
        .unwrap();
    assert!(made.success());
    let resolution = resolved(&request("auto", &[]), package.path()).unwrap();
    assert_eq!(resolution.metadata.environment, "venv");
    assert_eq!(resolution.metadata.detected_by, ".venv");
    assert!(Path::new(&resolution.metadata.prefix).ends_with(".venv"));
    // One stat, and one open, read and close: the four system calls that a re-check may cost.
    let venv = package.path().join(".venv");
    let [
        Check::Size { path, .. },
        Check::Content { path: file, text },
    ] = &resolution.checks[..]
    else {
        panic!("{:?}", resolution.checks);
    };
    assert_eq!(Path::new(path), venv.join("bin/python3"));
    assert_eq!(Path::new(file), venv.join("pyvenv.cfg"));
    assert!(text.contains("home ="), "{text}");
}

#[test]
fn demands_on_an_environment_are_no_facts_of_it() {
    let package = tempfile::tempdir().unwrap();
    let site = package.path().join(".venv/site");
    let info = site.join("demo-1.0.dist-info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), "Name: demo\nVersion: 1.0\n").unwrap();
    fs::write(site.join("tools.py"), "").unwrap();
    let answer = format!(
        "#!/bin/sh\necho 'snakepit-probe:{{\"version\":\"3.12.1\",\"implementation\":\"cpython\",\"executable\":\"\",\"prefix\":\"/p\",\"base_prefix\":\"/p\",\"platform\":\"\",\"cache_tag\":\"\",\"abi_flags\":\"\",\"soabi\":\"\",\"ext_suffix\":\"\",\"free_threading\":false,\"gil_enabled\":true,\"site_packages\":[\"{}\"],\"standard_library\":\"\"}}'\n",
        site.display()
    );
    let mut request = scripted(package.path(), &answer);
    request.requires = vec!["demo>=1".to_owned()];
    request.adapter = Some("tools".to_owned());
    let resolution = resolved(&request, package.path()).unwrap();
    assert_eq!(resolution.checks.len(), 1, "{:?}", resolution.checks);
}
