//! `cargo snakepit run`: a pool's Python in the place of the program.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::io::Write;
use std::process::Stdio;

use snakepit_test_tools::engine;
use support::{Package, ended};

fn package() -> Package {
    let package = Package::with_pools(
        "    #[pool(environment = venv(venv_path = \".venv\"), python_path = [\"python\"], env(GREETING = \"hello\"))]\n    \
         web: PoolConfig,\n    #[pool(environment = venv(venv_path = \"none\"))]\n    broken: PoolConfig,",
    );
    package.venv(".venv");
    package.host.write("python/helper.py", "NAME = 'helper'\n");
    package
}

#[test]
fn it_is_the_workers_python_with_their_variables_and_their_folders() {
    let package = package();
    let code = "import os, sys, helper; print(sys.prefix, os.environ['GREETING'], helper.NAME, sys.argv[1:], os.getcwd())";
    let mut command = package.snakepit(&["run", "--pool", "web", "--", "-c", code, "--pool", "x"]);
    let folder = package.path("src");
    let ended = ended(command.env("PYTHONHOME", "/nowhere").current_dir(&folder));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let wanted = format!(
        "{} hello helper ['--pool', 'x'] {}\n",
        package.path(".venv").display(),
        folder.display()
    );
    assert_eq!(ended.stdout, wanted);
}

#[test]
fn it_takes_the_place_of_the_program_with_its_input_and_its_status() {
    let package = package();
    let mut child = package
        .snakepit(&["run", "--pool", "web"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let script = b"import os, sys\nprint(os.getpid())\nsys.exit(7)\n";
    child.stdin.take().unwrap().write_all(script).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{pid}\n")
    );
    let module = package.run(&["run", "--pool", "web", "--", "-m", "platform", "--terse"]);
    assert_eq!(module.status, Some(0), "{module:?}");
}

#[test]
fn a_pool_that_fails_and_a_choice_that_is_open_are_told() {
    let package = package();
    let failed = package.run(&["run", "--pool", "broken"]);
    assert_eq!(failed.status, Some(1));
    assert!(
        failed.stderr.contains("[snakepit::venv_not_found]"),
        "{failed:?}"
    );
    assert_eq!(failed.stdout, "");
    let mut elsewhere = package.snakepit(&["run", "--pool", "web"]);
    let elsewhere = ended(elsewhere.env("SNAKEPIT_SYSROOT", package.path(".")));
    assert_eq!(elsewhere.status, Some(2), "{elsewhere:?}");
    assert!(
        elsewhere
            .stderr
            .contains("nothing of it runs on this machine"),
        "{elsewhere:?}"
    );
    let mut gone = package.host.command("sh");
    let script = "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"";
    gone.args([
        "-c",
        script,
        "sh",
        env!("CARGO_BIN_EXE_cargo-snakepit"),
        "run",
    ]);
    let gone = ended(&mut gone);
    assert_eq!(gone.status, Some(1), "{gone:?}");
    assert!(
        gone.stderr.contains("the current folder cannot be told: "),
        "{gone:?}"
    );
    let open = package.run(&["run"]);
    assert_eq!(open.status, Some(2));
    assert!(
        open.stderr
            .contains("name one of `web`, `broken` with `--pool`"),
        "{open:?}"
    );
}

/// The folders are those of the other place, of which the variables of this machine say nothing.
#[test]
fn where_only_the_package_knows_how_to_set_variables_folders_are_not_set_on_the_wrong_side() {
    let package = Package::with_pools(
        "    #[pool(environment = custom(\"docker\"), python_path = [\"/\"])]\n    web: PoolConfig,",
    );
    package.venv("own");
    package.host.write(
        "build.rs",
        &format!(
            "use std::path::PathBuf;\nuse snakepit_build::{{Builder, Config, Diagnostic, Elsewhere, Host, Launch, PythonEnvironment}};\n\
             struct Own;\nimpl PythonEnvironment for Own {{\n\
             fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {{ Ok(PathBuf::from({:?})) }}\n\
             fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {{\n\
             let elsewhere = Some(Elsewhere {{ name: \"the cell\".into(), is_lasting: true }});\n\
             Ok(Launch {{ elsewhere, ..Launch::default() }})\n}}\n\
             fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {{ Ok(()) }}\n}}\n\
             fn main() {{ Builder::new().environment(\"docker\", Own).emit(); }}\n",
            package.path("own/bin/python3")
        ),
    );
    package.host.build(&[]).stdout();
    let code = "import os; print(os.environ.get('PYTHONPATH'))";
    let said = package.run(&["run", "--pool", "web", "--", "-c", code]);
    assert_eq!(
        (said.status, &*said.stdout),
        (Some(0), "None\n"),
        "{said:?}"
    );
    assert!(said.stderr.contains("variables in the cell"), "{said:?}");
}

#[test]
fn a_container_gets_the_arguments_the_input_and_the_terminal() {
    let Some(engine) = engine() else { return };
    let container = engine.container("snakepit-run");
    container.shell("mkdir -p /srv/code && echo \"NAME = 'helper'\" > /srv/code/helper.py");
    let package = Package::with_pools(
        "    #[pool(environment = docker(container_name = \"snakepit-run\", cwd = \"/srv\"), \
         python_path = [\"/srv/code\"], env(GREETING = \"hello\"))]\n    web: PoolConfig,",
    );
    let run = |more: &[&str]| {
        let mut command = package.snakepit(&[&["run", "--pool", "web", "--"], more].concat());
        command.envs(engine.variables.iter().cloned());
        command
    };
    let code = "import os, sys, helper; print(os.environ['GREETING'], helper.NAME, sys.argv[1:], os.getcwd())";
    let said = ended(&mut run(&["-c", code, "--pool", "x"]));
    assert_eq!(said.status, Some(0), "{said:?}");
    assert_eq!(said.stdout, "hello helper ['--pool', 'x'] /srv\n");

    let mut child = run(&["-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let script = b"import sys\nprint(sys.stdin.isatty())\nsys.exit(7)\n";
    child.stdin.take().unwrap().write_all(script).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (&*output.stdout, output.status.code()),
        (&b"False\n"[..], Some(7))
    );

    let script =
        "cargo-snakepit snakepit run --pool web -- -c 'import sys; print(sys.stdin.isatty())'";
    let mut terminal = package.host.command("script");
    terminal.args(["-qec", script, "/dev/null"]);
    terminal.envs(engine.variables.iter().cloned());
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-snakepit"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let shown = ended(terminal.env("PATH", path));
    // The end of `script`'s own input may be echoed behind it.
    let mut lines = shown.stdout.lines();
    assert!(lines.any(|line| line.ends_with("True")), "{shown:?}");
    assert_eq!(container.pythons(), 0);
}
