//! The kind `conda`: environments that py-rattler installs, the places where they are looked for, and what is wrong
//! with broken ones.

mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::{Check, EnvOp, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Diagnostic, Host, Machine};
use snakepit_test_tools::conda_environment;
use support::{World, python, request, script};
use tempfile::TempDir;

/// A machine without conda and without settings, whose home folder is the given one.
fn machine(home: &Path) -> World {
    let mut world = World::with(None);
    world.which = Box::new(|name| matches!(name, "env" | "bash").then(|| Machine.which(name))?);
    set(&mut world, "HOME", home);
    world
}

fn set(world: &mut World, name: &str, value: impl Into<OsString>) {
    world.variables.insert(name.to_owned(), value.into());
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn write(file: PathBuf, text: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// What makes a folder a conda environment with Python, for tests of where it is looked for.
fn prefix(path: &Path) {
    write(path.join("conda-meta/history"), "");
    fs::create_dir_all(path.join("bin")).unwrap();
    symlink(python(), path.join("bin/python")).unwrap();
}

fn resolved(
    request: &Request,
    package: &Path,
    world: &World,
) -> Result<Resolution, Vec<Diagnostic>> {
    resolve(request, package, &Custom::new(), &Cache::default(), world)
}

#[track_caller]
fn refused(request: &Request, package: &Path, world: &World) -> Diagnostic {
    let mut faults = resolved(request, package, world).expect_err("the environment is broken");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[track_caller]
fn is(fault: &Diagnostic, code: &str, place: &str, help: &str) {
    assert_eq!((fault.code(), fault.place()), (code, place), "{fault:?}");
    assert!(fault.help().contains(help), "{fault:?}");
}

#[test]
fn of_an_installed_environment_the_effect_of_its_activation_is_frozen() {
    let (_keep, folder) = folder();
    let home = folder.join("envs/demo");
    let Some(()) = conda_environment(&folder, &home, &["python", "settings"]) else {
        return;
    };
    let state = r#"{"env_vars": {"from_state": "a b", "left_alone": "***unset***"}}"#;
    write(home.join("conda-meta/state"), state);
    let request = request("conda", &[("prefix", "envs/demo")]);
    let resolution = resolved(&request, &folder, &machine(&folder)).unwrap();
    assert_eq!(Path::new(&resolution.command), home.join("bin/python"));
    assert!(resolution.args.is_empty());
    let set = |name: &str, value: &str| EnvOp::Set {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let path = |path: &str| home.join(path).to_str().unwrap().to_owned();
    let prepend = |value| EnvOp::Prepend {
        name: "PATH".to_owned(),
        value,
    };
    let wanted = [
        prepend(path("bin")),
        set("CONDA_PREFIX", home.to_str().unwrap()),
        set("CONDA_DEFAULT_ENV", "demo"),
        set("CONDA_SHLVL", "1"),
        set("FROM_STATE", "a b"),
        set("SETTINGS_LEVEL", "3"),
        prepend(path("tools")),
        set("SETTINGS_HOME", &path("share")),
        set("SETTINGS_PATH", &path("lib")),
    ];
    assert_eq!(resolution.env, wanted);
    let version = &resolution.metadata.python_version;
    let package = &resolution.metadata.extra["python_package"];
    assert_eq!(package, &format!("{version}-0"));
    // The environment's own Python, not one that it leads to.
    assert_eq!(Path::new(&resolution.metadata.prefix), home);
    // One stat, and one open, read and close: the four system calls that a re-check may cost.
    let [Check::Size { .. }, Check::Content { path: file, text }] = &resolution.checks[..] else {
        panic!("{:?}", resolution.checks);
    };
    assert_eq!(Path::new(file), home.join("conda-meta/state"));
    assert_eq!(text, state);
}

#[test]
fn an_environment_without_python_is_mended_by_installing_it() {
    let (_keep, folder) = folder();
    let home = folder.join("envs/demo");
    let Some(()) = conda_environment(&folder, &home, &["settings"]) else {
        return;
    };
    let request = request("conda", &[("prefix", "envs/demo")]);
    let world = machine(&folder);
    let fault = refused(&request, &folder, &world);
    is(
        &fault,
        "conda_python_missing",
        "option:prefix",
        "conda install -p",
    );
    conda_environment(&folder, &home, &["settings", "python"]);
    assert!(resolved(&request, &folder, &world).is_ok());

    fs::remove_file(home.join("bin/python")).unwrap();
    let fault = refused(&request, &folder, &world);
    is(
        &fault,
        "conda_environment_invalid",
        "option:prefix",
        "--force-reinstall",
    );
}

#[test]
fn a_package_without_metadata_of_pythons_own_counts_by_its_conda_name() {
    let (_keep, folder) = folder();
    let home = folder.join("envs/demo");
    let Some(()) = conda_environment(&folder, &home, &["python", "settings"]) else {
        return;
    };
    let mut request = request("conda", &[("prefix", "envs/demo")]);
    let mut world = machine(&folder);
    let mut demand = |requirement: &str, world: &World| {
        request.requires = vec![requirement.to_owned()];
        let resolved = resolved(&request, &folder, world);
        resolved.err().map(|mut faults| faults.remove(0))
    };
    assert_eq!(demand("Settings>=1", &world), None);
    let fault = demand("settings>=2,<3", &world).unwrap();
    let install = format!("run `conda install -p {} ", home.display());
    let help = format!("{install}'settings>=2,<3'`");
    is(&fault, "requirement_not_met", "requires:0", &help);
    let fault = demand("absent[fast]; python_version >= '3'", &world).unwrap();
    let help = format!("{install}absent`");
    is(&fault, "requirement_not_installed", "requires:0", &help);

    // Of what conda has a record only, nobody knows the extras.
    assert_eq!(demand("settings[any]", &world), None);

    let micromamba = folder.join("bin/micromamba");
    script(&micromamba, "#!/bin/sh\n");
    set(&mut world, "MAMBA_EXE", &micromamba);
    let fault = demand("absent", &world).unwrap();
    let help = help.replace("conda install", "micromamba install");
    is(&fault, "requirement_not_installed", "requires:0", &help);
}

/// What makes a place known to a machine.
type Preparation<'a> = &'a dyn Fn(&mut World);

#[test]
fn a_name_is_looked_up_in_every_place_where_managers_keep_environments() {
    let (_keep, folder) = folder();
    let home = folder.join("home");
    let request = request("conda", &[("environment_name", "demo")]);
    let places: [(&str, Preparation<'_>); 9] = [
        ("list/demo", &|world| {
            set(world, "CONDA_ENVS_PATH", folder.join("list"))
        }),
        ("dirs/demo", &|world| {
            set(world, "CONDA_ENVS_DIRS", folder.join("dirs"))
        }),
        ("root/envs/demo", &|world| {
            set(world, "CONDA_EXE", folder.join("root/bin/conda"))
        }),
        ("mamba/envs/demo", &|world| {
            set(world, "MAMBA_ROOT_PREFIX", folder.join("mamba"))
        }),
        ("home/miniforge3/envs/demo", &|_| {}),
        ("home/.conda/envs/demo", &|_| {}),
        ("elsewhere/demo", &|_| {
            let known = folder.join("elsewhere/demo");
            write(
                home.join(".conda/environments.txt"),
                format!("/gone\n{}\n", known.display()),
            );
        }),
        ("home/mine/demo", &|_| {
            write(home.join(".condarc"), "envs_dirs:\n  - ~/mine\n")
        }),
        ("rc/demo", &|world| {
            let file = folder.join("settings.yml");
            write(
                file.clone(),
                format!("envs_dirs: [{}]\n", folder.join("rc").display()),
            );
            set(world, "CONDARC", file);
        }),
    ];
    for (place, prepare) in places {
        let mut world = machine(&home);
        prefix(&folder.join(place));
        prepare(&mut world);
        let resolution = resolved(&request, &folder, &world).expect(place);
        assert_eq!(
            resolution.metadata.extra["conda_prefix"],
            folder.join(place).to_str().unwrap()
        );
        fs::remove_dir_all(folder.join(place)).unwrap();
        let fault = refused(&request, &folder, &machine(&home));
        is(
            &fault,
            "conda_environment_not_found",
            "option:environment_name",
            "conda create -n demo",
        );
    }
}

#[test]
fn auto_finds_the_environment_that_the_file_names() {
    let (_keep, folder) = folder();
    write(folder.join("app/environment.yaml"), "name: demo\n");
    prefix(&folder.join(".conda/envs/demo"));
    let world = machine(&folder);
    let resolution = resolved(&request("auto", &[]), &folder.join("app"), &world).unwrap();
    assert_eq!(resolution.metadata.environment, "conda");
    assert_eq!(resolution.metadata.detected_by, "environment.yaml");
    assert_eq!(resolution.metadata.extra["environment_name"], "demo");
}

#[test]
fn base_is_the_installation_itself() {
    let (_keep, folder) = folder();
    let root = folder.join("miniconda3");
    prefix(&root);
    script(&root.join("bin/conda"), "#!/bin/sh\n");
    let request = request("conda", &[("environment_name", "base")]);
    let resolution = resolved(&request, &folder, &machine(&folder)).unwrap();
    assert_eq!(Path::new(&resolution.command), root.join("bin/python"));
    assert_eq!(resolution.metadata.extra["environment_name"], "base");
}

#[test]
fn names_with_spaces_and_leading_dashes_never_become_options() {
    let (_keep, folder) = folder();
    let world = machine(&folder);
    for (name, help) in [
        ("my env", "conda create -n 'my env' python"),
        ("-x", "conda create --name=-x python"),
    ] {
        let request = request("conda", &[("environment_name", name)]);
        let fault = refused(&request, &folder, &world);
        is(
            &fault,
            "conda_environment_not_found",
            "option:environment_name",
            help,
        );
        prefix(&folder.join(".conda/envs").join(name));
        assert!(resolved(&request, &folder, &world).is_ok(), "{name}");
    }
    for name in ["", "a/b", ".."] {
        let fault = refused(
            &request("conda", &[("environment_name", name)]),
            &folder,
            &world,
        );
        is(
            &fault,
            "conda_environment_not_found",
            "option:environment_name",
            "correct the name",
        );
    }
}

#[test]
fn a_prefix_that_is_no_environment_is_refused_for_what_it_is() {
    let (_keep, folder) = folder();
    let world = machine(&folder);
    write(folder.join("file"), "");
    fs::create_dir(folder.join("empty")).unwrap();
    write(folder.join(".venv/pyvenv.cfg"), "");
    symlink("loop", folder.join("loop")).unwrap();
    for (prefix, code, help) in [
        ("absent", "conda_environment_not_found", "conda create -p"),
        ("file", "conda_environment_invalid", "move it away"),
        ("empty", "conda_environment_invalid", "conda create -p"),
        (".venv", "conda_environment_invalid", "environment = venv"),
        ("loop", "conda_environment_invalid", "correct the path"),
    ] {
        let fault = refused(&request("conda", &[("prefix", prefix)]), &folder, &world);
        is(&fault, code, "option:prefix", help);
    }
    let both = request("conda", &[("prefix", "p"), ("environment_name", "n")]);
    let fault = refused(&both, &folder, &world);
    is(
        &fault,
        "conda_options_conflict",
        "option:environment_name",
        "remove one",
    );
}

#[test]
fn an_interpreter_that_cannot_be_run_is_named() {
    let (_keep, folder) = folder();
    let world = machine(&folder);
    let request = request("conda", &[("prefix", "env")]);
    let python = folder.join("env/bin/python");
    write(folder.join("env/conda-meta/history"), "");
    write(python.clone(), "");
    fs::set_permissions(&python, PermissionsExt::from_mode(0o644)).unwrap();
    let fault = refused(&request, &folder, &world);
    assert!(fault.message().contains("not executable"), "{fault:?}");
    fs::remove_file(&python).unwrap();
    symlink("python", &python).unwrap();
    let fault = refused(&request, &folder, &world);
    is(
        &fault,
        "conda_environment_invalid",
        "option:prefix",
        "--force-reinstall",
    );
}

#[test]
fn files_that_do_not_parse_are_named() {
    let (_keep, folder) = folder();
    let world = machine(&folder);
    let project = request("conda", &[("project_dir", "app")]);
    let fault = refused(&project, &folder, &world);
    is(
        &fault,
        "project_dir_not_found",
        "option:project_dir",
        "make it",
    );
    fs::create_dir(folder.join("app")).unwrap();
    let fault = refused(&project, &folder, &world);
    is(
        &fault,
        "conda_file_not_found",
        "option:project_dir",
        "environment_name",
    );
    for (text, wanted) in [
        (&b"name: [demo\n"[..], "correct the file"),
        (b"name: caf\xe9\n", "correct the file"),
        (b"dependencies: [python]\n", "name: ..."),
        (b"", "name: ..."),
    ] {
        write(folder.join("app/environment.yml"), text);
        let fault = refused(&project, &folder, &world);
        is(&fault, "conda_file_invalid", "option:project_dir", wanted);
    }

    write(folder.join(".condarc"), "envs_dirs: [\n");
    let named = request("conda", &[("environment_name", "demo")]);
    let fault = refused(&named, &folder, &world);
    is(
        &fault,
        "conda_file_invalid",
        "option:environment_name",
        "correct the file",
    );
    assert!(fault.message().contains(".condarc"), "{fault:?}");

    prefix(&folder.join("env"));
    let by_path = request("conda", &[("prefix", "env")]);
    for text in ["{", "[]", "\"text\""] {
        write(folder.join("env/conda-meta/state"), text);
        let fault = refused(&by_path, &folder, &world);
        is(
            &fault,
            "conda_environment_invalid",
            "option:prefix",
            "conda env config vars set",
        );
    }
}

#[test]
fn an_activation_script_that_leaves_the_shell_is_an_error() {
    let (_keep, folder) = folder();
    prefix(&folder.join("env"));
    let file = folder.join("env/etc/conda/activate.d/a.sh");
    write(file.clone(), "echo no license >&2\nexit 3\n");
    let request = request("conda", &[("prefix", "env")]);
    let world = machine(&folder);
    let fault = refused(&request, &folder, &world);
    is(
        &fault,
        "conda_activation_failed",
        "option:prefix",
        "correct the script",
    );
    assert!(fault.message().contains("`no license`"), "{fault:?}");
    // A script whose last command fails is no such thing.
    write(file, "export LICENSE=1\nfalse\n");
    assert!(resolved(&request, &folder, &world).is_ok());
}

#[test]
fn activation_scripts_know_nothing_of_the_builders_shell_and_get_no_input() {
    let (_keep, folder) = folder();
    prefix(&folder.join("env"));
    write(
        folder.join("env/etc/conda/activate.d/a.sh"),
        "export SEEN=\"${CARGO_MANIFEST_DIR-nothing}\"\nread line\nexport LINE=\"<$line>\"\nexport LIST=\"new:$LIST\"\nunset HOME\n",
    );
    let request = request("conda", &[("prefix", "env")]);
    let env = resolved(&request, &folder, &machine(&folder)).unwrap().env;
    let wanted = [
        EnvOp::Set {
            name: "LINE".to_owned(),
            value: "<>".to_owned(),
        },
        EnvOp::Prepend {
            name: "LIST".to_owned(),
            value: "new".to_owned(),
        },
        EnvOp::Set {
            name: "SEEN".to_owned(),
            value: "nothing".to_owned(),
        },
        EnvOp::Unset {
            name: "HOME".to_owned(),
        },
    ];
    assert!(env.ends_with(&wanted), "{env:?}");
}

/// conda cannot be had from the package index: a script that takes `conda run`'s arguments stands for it.
#[test]
fn a_manager_starts_the_interpreter_by_the_environments_path() {
    let (_keep, folder) = folder();
    let home = folder.join(".conda/envs/-my env");
    prefix(&home);
    let mut request = request("conda", &[("environment_name", "-my env")]);
    request.manager_launch = true;
    let mut world = machine(&folder);
    let fault = refused(&request, &folder, &world);
    is(
        &fault,
        "conda_not_found",
        "launch",
        "remove `launch = manager`",
    );

    let conda = folder.join("conda/bin/conda");
    let text = "[ \"$1 $2 $3\" = 'run --no-capture-output -p' ] || exit 64; prefix=$4; shift 4";
    let text = format!("#!/bin/sh\n{text}\nexec \"$prefix/bin/$@\"\n");
    script(&conda, &text);
    set(&mut world, "CONDA_EXE", &conda);
    let resolution = resolved(&request, &folder, &world).unwrap();
    assert_eq!(Path::new(&resolution.command), conda);
    let prefix = home.to_str().unwrap();
    assert_eq!(
        resolution.args,
        ["run", "--no-capture-output", "-p", prefix, "python"]
    );
    assert!(resolution.env.is_empty());
    assert!(resolution.metadata.python_version.starts_with("3."));

    // mamba 1 is a part of conda, which is beside it; mamba 2 and micromamba let everything through by themselves.
    world.variables.remove("CONDA_EXE");
    let plain = "#!/bin/sh\n[ \"$1 $2\" = 'run -p' ] || exit 64; prefix=$3; shift 3\nexec \"$prefix/bin/$@\"\n";
    for name in ["conda/bin/mamba", "bin/mamba", "bin/micromamba"] {
        let program = folder.join(name);
        script(&program, plain);
        set(&mut world, "MAMBA_EXE", &program);
        let resolution = resolved(&request, &folder, &world).unwrap();
        if name == "conda/bin/mamba" {
            assert_eq!(Path::new(&resolution.command), conda);
            assert_eq!(resolution.args[1], "--no-capture-output");
        } else {
            assert_eq!(Path::new(&resolution.command), program);
            assert_eq!(resolution.args, ["run", "-p", prefix, "python"]);
        }
    }
}

#[test]
fn an_activation_script_that_hangs_is_ended_at_the_limit() {
    let (_keep, folder) = folder();
    prefix(&folder.join("env"));
    let file = folder.join("env/etc/conda/activate.d/a.sh");
    write(file, "echo waiting for godot\nexec sleep 60\n");
    let request = request("conda", &[("prefix", "env")]);
    let fault = refused(&request, &folder, &machine(&folder));
    is(
        &fault,
        "conda_activation_failed",
        "option:prefix",
        "correct the script",
    );
    let wanted = "did not end within 10 s, it printed `waiting for godot`";
    assert!(fault.message().contains(wanted), "{fault:?}");
}
