//! What a resolution freezes, and what it has to look at for it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::cache::Cache;
use snakepit_build::declaration::Adapter;
use snakepit_build::manifest::{Check, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Config, Diagnostic, Host, Launch, Machine, PythonEnvironment};
use snakepit_test_tools::{pyenv_root, skip, succeeds};
use support::{World, python, request, script};

fn resolved(
    request: &snakepit_build::declaration::Request,
    package: &Path,
) -> Result<Resolution, Vec<Diagnostic>> {
    let cache = Cache::default();
    resolve(request, package, &Custom::new(), &cache, &Machine)
}

fn system(world: &World, cache: &Cache) -> Result<Resolution, Vec<Diagnostic>> {
    let request = request("system", &[]);
    resolve(&request, Path::new("/"), &Custom::new(), cache, world)
}

/// A script that starts the interpreter and does nothing else.
fn shim(path: &Path) {
    let text = format!("#!/bin/sh\nexec '{}' \"$@\"\n", python().display());
    script(path, &text);
}

fn make_venv(package: &Path) {
    let arguments = ["-m", "venv", "--without-pip", ".venv"];
    succeeds(&python(), &arguments, package);
}

#[test]
fn a_real_venv_freezes_its_interpreter_and_its_configuration() {
    let package = tempfile::tempdir().unwrap();
    make_venv(package.path());
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
    make_venv(package.path());
    let lib = Machine.list(&package.path().join(".venv/lib"));
    let site = lib[0].join("site-packages");
    let info = site.join("demo-1.0.dist-info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), "Name: demo\nVersion: 1.0\n").unwrap();
    fs::write(site.join("tools.py"), "").unwrap();
    let mut request = request("venv", &[]);
    request.requires = vec!["demo>=1".to_owned()];
    request.adapter = Some(Adapter::Module("tools".to_owned()));
    let resolution = resolved(&request, package.path()).unwrap();
    assert_eq!(resolution.checks.len(), 2, "{:?}", resolution.checks);
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
    let world = World::with(Some(&shim));
    let resolution = system(&world, &Cache::default()).unwrap();
    assert_eq!(Path::new(&resolution.command), python);
    let [Check::Size { path, .. }] = &resolution.checks[..] else {
        panic!("{:?}", resolution.checks);
    };
    assert_eq!(Path::new(path), python);
    // Who names a shim gets it.
    let mut named = World::with(None);
    let variable = ("SNAKEPIT_PYTHON".to_owned(), shim.clone().into_os_string());
    named.variables.extend([variable]);
    let resolution = system(&named, &Cache::default()).unwrap();
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
    let world = World::with(Some(&wrapper));
    let resolution = system(&world, &Cache::default()).unwrap();
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
    let world = World::with(Some(&shim));
    system(&world, &cache).unwrap();
    fs::write(&chosen, "3.6.1\n").unwrap();
    let faults = system(&world, &cache).unwrap_err();
    assert_eq!(faults[0].code(), "python_too_old");
}

#[test]
fn a_python_that_is_too_old_stands_at_the_option_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pyenv");
    let venv = folder.path().join("envs/old");
    let too_old = "#!/bin/sh\necho 'snakepit-probe:{\"too_old\": \"3.7.16\"}'\n";
    for python in ["pyenv/versions/3.7.16/bin/python3", "envs/old/bin/python3"] {
        script(&folder.path().join(python), too_old);
    }
    fs::write(
        venv.join("pyvenv.cfg"),
        "home = /usr/bin\nversion = 3.7.16\n",
    )
    .unwrap();
    let python = venv.join("bin/python3");
    let mut world = World::with(Some(&python));
    world.variables.insert("PYENV_ROOT".to_owned(), root.into());
    for (kind, option, value) in [
        ("pyenv", "python_version", "3.7"),
        ("venv", "venv_path", venv.to_str().unwrap()),
        ("system", "python_executable", "python3.7"),
        ("system", "", ""),
    ] {
        let options = [(option, value)];
        let options = &options[..usize::from(!option.is_empty())];
        let fault = world.resolve(&request(kind, options), folder.path());
        let fault = fault.unwrap_err();
        assert_eq!(fault.code(), "python_too_old", "{fault:?}");
        let place = match option {
            "" => "environment".to_owned(),
            option => format!("option:{option}"),
        };
        assert_eq!(fault.place(), place);
    }
}

#[test]
fn a_program_that_is_not_on_the_search_path_is_told_from_a_path_that_is_not_there() {
    let world = World::with(None);
    for (named, found) in [
        (
            "python3.99",
            "`python3.99`, which is not on the search path",
        ),
        ("./python3.99", "`./python3.99`, which does not exist"),
        ("/", "`/`, which is a folder"),
    ] {
        let request = request("system", &[("python_executable", named)]);
        let fault = world.resolve(&request, Path::new("/")).unwrap_err();
        assert_eq!(fault.code(), "python_not_found", "{fault:?}");
        assert_eq!(fault.place(), "option:python_executable");
        assert!(fault.message().contains(found), "{fault:?}");
    }
}

#[test]
fn what_an_environment_of_the_program_reads_is_compared_at_start_up() {
    struct Nix;
    impl PythonEnvironment for Nix {
        fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {
            Ok(python())
        }

        fn resolve_environment(
            &self,
            config: &Config,
            host: &dyn Host,
        ) -> Result<Launch, Diagnostic> {
            host.read(&config.absolute("flake.lock")).unwrap();
            assert!(host.read(&config.absolute("missing")).is_err());
            host.read(&config.absolute("binary")).unwrap();
            Ok(Launch::default())
        }

        fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
            Ok(())
        }
    }
    let package = tempfile::tempdir().unwrap();
    fs::write(package.path().join("flake.lock"), "{}").unwrap();
    fs::write(package.path().join("binary"), b"\xff").unwrap();
    // Whatever it is called, it is the program's own.
    for name in ["nix", "uv"] {
        let own = Box::new(Nix) as Box<dyn PythonEnvironment>;
        let custom = Custom::from([(name.to_owned(), own)]);
        let mut request = request("custom", &[]);
        request.custom = Some(name.to_owned());
        let cache = Cache::default();
        let resolution = resolve(&request, package.path(), &custom, &cache, &Machine).unwrap();
        let [Check::Size { .. }, Check::Content { path, text }] = &resolution.checks[..] else {
            panic!("{:?}", resolution.checks);
        };
        assert_eq!(Path::new(path), package.path().join("flake.lock"));
        assert_eq!(text, "{}");
        assert_eq!(resolution.metadata.environment, name);
        request.manager_launch = true;
        let refused = resolve(&request, package.path(), &custom, &cache, &Machine);
        assert_eq!(refused.unwrap_err()[0].code(), "launch_not_supported");
    }
}

#[test]
fn a_warm_build_starts_no_process() {
    let package = tempfile::tempdir().unwrap();
    let python = package.path().join("bin/python3");
    shim(&python);
    fs::create_dir(package.path().join("python")).unwrap();
    fs::write(package.path().join("python/tools.py"), "").unwrap();
    let mut request = request("system", &[]);
    request.adapter = Some(Adapter::Module("tools".to_owned()));
    request.python_path = vec!["python".to_owned()];
    let mut world = World::with(Some(&python));
    let build = |world: &World| {
        let cache = Cache::load(package.path().join("probes.json"));
        let resolution = resolve(&request, package.path(), &Custom::new(), &cache, world).unwrap();
        cache.save();
        resolution
    };
    let cold = build(&world);
    world.runs = false;
    assert_eq!(build(&world), cold);
}

#[test]
fn auto_looks_in_another_folder_and_python_path_still_starts_at_the_package() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("python")).unwrap();
    let bin = package.path().join("other/.venv/bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(python(), bin.join("python3")).unwrap();
    let mut wanted = request("auto", &[("project_dir", "other")]);
    wanted.python_path = vec!["python".to_owned()];
    let resolution = resolved(&wanted, package.path()).unwrap();
    assert_eq!(Path::new(&resolution.command), bin.join("python3"));
    assert_eq!(
        Path::new(&resolution.python_path[0]),
        package.path().join("python")
    );
}

#[test]
fn auto_in_a_folder_that_is_not_there_is_an_error_and_no_other_python() {
    let package = tempfile::tempdir().unwrap();
    let faults = resolved(
        &request("auto", &[("project_dir", "nowhere")]),
        package.path(),
    )
    .unwrap_err();
    assert_eq!(
        (faults[0].code(), faults[0].place()),
        ("project_dir_not_found", "option:project_dir")
    );
}

#[test]
fn pools_of_one_interpreter_ask_it_once() {
    let package = tempfile::tempdir().unwrap();
    let (wrapper, log) = (package.path().join("python3"), package.path().join("log"));
    let text = format!(
        "#!/bin/sh\necho run >> '{}'\nexec '{}' \"$@\"\n",
        log.display(),
        python().display()
    );
    script(&wrapper, &text);
    let request = request(
        "system",
        &[("python_executable", wrapper.to_str().unwrap())],
    );
    let cache = Cache::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                resolve(&request, package.path(), &Custom::new(), &cache, &Machine).unwrap()
            });
        }
    });
    assert_eq!(fs::read_to_string(log).unwrap(), "run\n");
}

#[test]
fn every_python_from_3_8_on_answers() {
    let folders = Machine.list(&pyenv_root().unwrap_or_default().join("versions"));
    let mut answered = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let mut parts = name.split('.').map_while(|part| part.parse::<u32>().ok());
        if (parts.next(), parts.next()) < (Some(3), Some(8)) {
            continue;
        }
        let interpreter = Machine.interpreter(&folder.join("bin/python3")).unwrap();
        assert!(name.starts_with(&interpreter.version), "{interpreter:?}");
        assert!(interpreter.soabi.contains("cpython"), "{interpreter:?}");
        assert!(
            interpreter.ext_suffix.contains(&interpreter.soabi),
            "{interpreter:?}"
        );
        answered.push(name.to_owned());
    }
    if answered.is_empty() {
        skip("a Python of pyenv");
    }
}

#[test]
fn an_adapter_that_only_the_interpreter_can_find_in_python_path_is_found() {
    let package = tempfile::tempdir().unwrap();
    let zipped = package.path().join("python");
    fs::create_dir(&zipped).unwrap();
    // A module without a source, which the import system finds and a look for files does not.
    let made = std::process::Command::new(python())
        .current_dir(&zipped)
        .args(["-c", "open('fast.py', 'w').close(); import py_compile; py_compile.compile('fast.py', 'fast.pyc'); import os; os.remove('fast.py')"])
        .status()
        .unwrap();
    assert!(made.success());
    let mut wanted = request("system", &[]);
    wanted.python_path = vec!["python".to_owned()];
    wanted.adapter = Some(Adapter::Module("fast".to_owned()));
    resolved(&wanted, package.path()).unwrap();
    wanted.adapter = Some(Adapter::Module("faster".to_owned()));
    assert_eq!(
        resolved(&wanted, package.path()).unwrap_err()[0].code(),
        "adapter_not_found"
    );
}

/// An environment that leaves the search to the program.
struct Searching;

impl PythonEnvironment for Searching {
    fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {
        Ok("python3".into())
    }

    fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        Ok(Launch::default())
    }

    fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
        Ok(())
    }
}

#[test]
fn of_the_registered_environments_the_nearest_name_is_shown() {
    let custom = Custom::from([("searching".to_owned(), Box::new(Searching) as Box<_>)]);
    let fault = |name: &str| {
        let mut wanted = request("custom", &[]);
        wanted.custom = Some(name.to_owned());
        let cache = Cache::default();
        let faults = resolve(&wanted, Path::new("/"), &custom, &cache, &Machine);
        faults.unwrap_err().remove(0)
    };
    let near = fault("serching");
    assert_eq!(near.code(), "custom_environment_not_registered");
    let hint = "did you mean `searching`? register it in `build.rs`";
    assert!(near.help().starts_with(hint), "{near:?}");
    assert!(fault("nix").help().starts_with("register it"), "{near:?}");
}

#[test]
fn a_custom_environment_cannot_leave_the_search_to_the_program() {
    let mut wanted = request("custom", &[]);
    wanted.custom = Some("searching".to_owned());
    let custom = Custom::from([("searching".to_owned(), Box::new(Searching) as Box<_>)]);
    let faults = resolve(
        &wanted,
        Path::new("/"),
        &custom,
        &Cache::default(),
        &Machine,
    );
    assert_eq!(faults.unwrap_err()[0].code(), "executable_not_absolute");
}
