//! `cargo snakepit check`: what people and programs read, and how it ends.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;
use snakepit_test_tools as tools;
use support::{Package, ended, program, script};

const THREE: &str = "    #[pool(environment = venv(venv_path = \".venv\"))]\n    web: PoolConfig,\n\n    \
    #[pool(environment = venv(venv_path = \".venv\"), adapter = \"service\", python_path = [\"python\"])]\n    \
    ml: PoolConfig,\n\n    #[pool(environment = uv(project_dir = \"batch\"))]\n    batch: PoolConfig,";

/// A good pool, a warned one and a failed one.
fn three() -> Package {
    let package = Package::with_pools(THREE);
    package.venv(".venv");
    package.host.write(
        "python/service.py",
        "def greet(name, mark=\"!\"):\n    return name + mark\n",
    );
    package.host.write("python/colorsys.py", "");
    package.host.write(
        "batch/pyproject.toml",
        "[project]\nname = \"batch\"\nversion = \"1\"\n",
    );
    package
}

fn validated(document: &Value) {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/check.schema.json"
    ))
    .unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{document:#}");
}

#[test]
fn a_good_a_warned_and_a_failed_pool_stand_in_one_table_each_problem_with_its_line() {
    let package = three();
    let ended = package.run(&["check"]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let command = package.path(".venv/bin/python3").display().to_string();
    let line = |start: &str| {
        let found = ended.stdout.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line `{start}`: {}", ended.stdout))
    };
    let version = tools::python().version.to_string();
    for wanted in [
        "web",
        "venv",
        &version,
        &command,
        "declared in src/main.rs:6",
    ] {
        assert!(line("ok").contains(wanted), "{}", line("ok"));
    }
    assert!(line("warning  ml").contains("src/main.rs:9"));
    assert!(line("error    batch").contains("uv"));
    let folder = package.path("batch").display().to_string();
    for wanted in [
        "error: pool `batch`: no `uv.lock` in",
        "[snakepit::uv_lock_not_found]",
        "12 |     #[pool(environment = uv(project_dir = \"batch\"))]",
        "^^^^^^^",
        &format!("help: run `uv lock` in `{folder}`"),
        "warning: pool `ml`: ",
        "3 pools: 1 fine, 1 with warnings, 1 failed",
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            ended.stdout
        );
    }
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    // Only what is wrong is underlined, in the middle of its line.
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let source = lines
        .iter()
        .position(|line| line.starts_with("12 |"))
        .unwrap();
    let start = lines[source].find("\"batch\"").unwrap();
    assert_eq!(
        lines[source + 1].find('^'),
        Some(start),
        "{}\n{}",
        lines[source],
        lines[source + 1]
    );
}

#[test]
fn what_programs_read_is_as_its_schema_says_and_has_all_that_people_read() {
    let package = three();
    let document = package.json(&[]);
    validated(&document);
    assert_eq!(document["status"], "error");
    let pools = document["packages"][0]["pools"].as_array().unwrap();
    let [web, ml, batch] = &pools[..] else {
        panic!("{pools:?}");
    };
    assert_eq!(web["status"], "ok");
    assert_eq!(
        web["resolution"]["command"],
        package.path(".venv/bin/python3").to_str().unwrap()
    );
    assert_eq!(ml["status"], "warning");
    assert_eq!(ml["problems"][0]["code"], "standard_module_hidden");
    assert_eq!(ml["resolution"]["tools"][0]["name"], "greet");
    assert_eq!(
        ml["resolution"]["tools"][0]["parameters"][1]["default"],
        "\"!\""
    );
    assert_eq!(batch["resolution"], Value::Null);
    let problem = &batch["problems"][0];
    assert_eq!(problem["code"], "uv_lock_not_found");
    assert_eq!(problem["place"]["line"], 12);
    let bytes: Vec<usize> = serde_json::from_value(problem["place"]["bytes"].clone()).unwrap();
    let text = fs::read_to_string(package.path("src/main.rs")).unwrap();
    assert_eq!(&text[bytes[0]..bytes[1]], "\"batch\"");
}

#[test]
fn each_exit_status_has_its_meaning() {
    let package = three();
    let status = |arguments: &[&str]| package.run(arguments).status;
    assert_eq!(status(&["check", "--pool", "web"]), Some(0));
    assert_eq!(status(&["check", "--pool", "ml"]), Some(0));
    assert_eq!(status(&["check", "--pool", "batch"]), Some(1));
    assert_eq!(status(&["check", "--pool", "batch", "--json"]), Some(1));
    assert_eq!(status(&["check", "--no-such-option"]), Some(2));
    assert_eq!(status(&["check", "--json", "--verbose"]), Some(2));
    assert_eq!(status(&["--help"]), Some(0));
    assert_eq!(status(&["no-such-task"]), Some(2));
    let ended = package.run(&["check", "--pool", "wbe"]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended
            .stderr
            .contains("no pool `wbe`: there are `batch`, `ml`, `web`"),
        "{ended:?}"
    );
    let ended = package.run(&["check", "-p", "other"]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended
            .stderr
            .contains("no package `other` in the workspace, which has `app`"),
        "{ended:?}"
    );
}

#[test]
fn outside_of_a_package_and_in_one_without_snakepit_it_says_so() {
    let package = Package::with_pools("");
    let nowhere = tempfile::tempdir().unwrap();
    let outside = ended(package.snakepit(&["check"]).current_dir(nowhere.path()));
    assert_eq!(outside.status, Some(2), "{outside:?}");
    assert!(
        outside.stderr.contains("could not find `Cargo.toml`"),
        "{outside:?}"
    );
    let manifest = "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
    package.host.write("Cargo.toml", manifest);
    let without = package.run(&["check"]);
    assert_eq!(without.status, Some(2));
    let wanted =
        "the package `app` does not depend on `snakepit`: `cargo snakepit init` sets it up";
    assert!(without.stderr.contains(wanted), "{without:?}");
    package.host.write("Cargo.toml", "[package\n");
    let broken = package.run(&["check"]);
    assert_eq!(broken.status, Some(2));
    assert!(broken.stderr.contains("Cargo.toml"), "{broken:?}");
}

#[test]
fn a_source_that_is_not_rust_is_shown_with_its_line_and_the_other_sources_are_read() {
    let package = Package::with_pools("    #[pool]\n    web: PoolConfig,");
    package.host.write(
        "src/other.rs",
        "use snakepit::snakepit_pools;\n\nfn f() { (] }\n",
    );
    package.host.write("src/latin.rs", "");
    fs::write(package.path("src/latin.rs"), b"// snakepit_pools \xe9\n").unwrap();
    let ended = package.run(&["check"]);
    assert_eq!(ended.status, Some(1));
    for wanted in [
        "error: `src/other.rs` is not Rust",
        "--> src/other.rs:3:",
        "fn f() { (] }",
        "`src/latin.rs` cannot be read",
        "ok  web",
        "2 problems of the sources",
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            ended.stdout
        );
    }
    validated(&package.json(&[]));
}

#[test]
fn a_mistake_of_an_attribute_is_shown_as_the_compiler_would() {
    let package = Package::with_pools("    #[pool(sise = 2)]\n    web: PoolConfig,");
    let ended = package.run(&["check"]);
    assert_eq!(ended.status, Some(1));
    for wanted in [
        "unknown key `sise` [snakepit::key_unknown]",
        "6 |     #[pool(sise = 2)]",
        "did you mean `size`?",
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            ended.stdout
        );
    }
}

#[test]
fn a_package_without_its_build_script_is_told_so() {
    let package = Package::with_pools("    #[pool]\n    web: PoolConfig,");
    fs::remove_file(package.path("build.rs")).unwrap();
    let ended = package.run(&["check"]);
    assert_eq!(ended.status, Some(1));
    assert!(
        ended.stdout.contains("the package has no `build.rs`"),
        "{}",
        ended.stdout
    );
    assert!(
        ended
            .stdout
            .contains("help: run `cargo snakepit init -p app`"),
        "{}",
        ended.stdout
    );
}

#[test]
fn pools_that_the_features_leave_out_are_not_looked_at() {
    let pools = "    #[cfg(feature = \"ml\")]\n    #[pool(environment = venv)]\n    ml: PoolConfig,\n    \
                 #[cfg(windows)]\n    #[pool]\n    other: PoolConfig,\n    #[pool]\n    web: PoolConfig,";
    let package = Package::with_pools(pools);
    let manifest = fs::read_to_string(package.path("Cargo.toml")).unwrap();
    package.host.write(
        "Cargo.toml",
        &format!("{manifest}\n[features]\nml = []\nall = [\"ml\"]\n"),
    );
    let names = |more: &[&str]| {
        let document = package.json(more);
        let pools = document["packages"][0]["pools"].as_array().unwrap().clone();
        pools
            .iter()
            .map(|pool| pool["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["web"]);
    assert_eq!(names(&["--features", "all"]), ["ml", "web"]);
    assert_eq!(names(&["--all-features"]), ["ml", "web"]);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    if Command::new("script").arg("--version").output().is_err() {
        return tools::skip("script");
    }
    let package = three();
    let on_terminal = |env: &[(&str, &str)], more: &[&str]| {
        let mut shown = vec![env!("CARGO_BIN_EXE_cargo-snakepit"), "snakepit", "check"];
        shown.extend(more);
        let mut command = package.host.command("script");
        command.args([
            "-qec",
            &format!("stty rows 24 cols 80; {}", shown.join(" ")),
            "/dev/null",
        ]);
        command
            .env_remove("NO_COLOR")
            // Where programs run unattended, even `TERM=dumb` is taken for colourful.
            .env_remove("CI")
            .env("TERM", "xterm-256color")
            .envs(env.iter().copied());
        ended(&mut command).stdout
    };
    let colored = on_terminal(&[], &[]);
    assert!(colored.contains("\u{1b}[1m\u{1b}[91merror"), "{colored}");
    for plain in [
        on_terminal(&[("NO_COLOR", "1")], &[]),
        on_terminal(&[("TERM", "dumb")], &[]),
        on_terminal(&[], &["--color", "never"]),
    ] {
        assert!(!plain.contains("\u{1b}["), "{plain}");
        // The table keeps to the terminal; what has one word in it may be longer.
        let table = plain
            .lines()
            .skip(2)
            .take_while(|line| !line.trim().is_empty());
        assert!(
            table
                .clone()
                .all(|line| line.trim_end().chars().count() <= 80),
            "{plain}"
        );
        assert!(table.count() > 4, "{plain}");
    }
    let forced = package.run(&["check", "--color", "always"]);
    assert!(forced.stdout.contains("\u{1b}["), "{forced:?}");
}

#[test]
fn all_that_is_known_of_a_pool_is_told_with_verbose() {
    let package = three();
    let ended = package.run(&["check", "--verbose", "--pool", "ml"]);
    let venv = package.path(".venv").display().to_string();
    for wanted in [
        "declared         AppConfig, src/main.rs:9",
        &format!("prefix           {venv}"),
        &format!("VIRTUAL_ENV={venv}"),
        "unset PYTHONHOME",
        "free threading   no",
        "greet(name, mark=\"!\")",
        &format!("python path      {}", package.path("python").display()),
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            ended.stdout
        );
    }
}

#[test]
fn an_interpreter_is_asked_once_and_again_only_when_it_changed_or_thorough_is_wanted() {
    let package = Package::with_pools(
        "    #[pool(environment = system(python_executable = \"python\"))]\n    web: PoolConfig,",
    );
    let python = tools::python().path.display().to_string();
    let log = package.path("log");
    let wrapper = package.path("bin/python");
    script(
        &wrapper,
        &format!(
            "#!/bin/sh\necho asked >> '{}'\nexec '{python}' \"$@\"\n",
            log.display()
        ),
    );
    let asked = |more: &[&str]| {
        let _ = fs::remove_file(&log);
        let mut command = package.snakepit(&[&["check"], more].concat());
        let path =
            std::env::join_paths([package.path("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
        let ended = ended(command.env("PATH", path).env("CARGO", cargo()));
        assert_eq!(ended.status, Some(0), "{ended:?}");
        fs::read_to_string(&log).unwrap_or_default().lines().count()
    };
    assert!(asked(&[]) > 0);
    assert_eq!(asked(&[]), 0);
    assert!(asked(&["--thorough"]) > 0);
    assert_eq!(asked(&[]), 0);
    assert!(package.target().join("snakepit/app-probes.json").is_file());
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[test]
fn a_custom_environment_is_known_by_the_last_build_and_marked_so() {
    let package =
        Package::with_pools("    #[pool(environment = custom(\"own\"))]\n    web: PoolConfig,");
    package.host.write(
        "build.rs",
        &format!(
            "use std::path::PathBuf;\nuse snakepit_build::{{Builder, Config, Diagnostic, Host, Launch, PythonEnvironment}};\n\
             struct Own;\nimpl PythonEnvironment for Own {{\n\
             fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {{ Ok(PathBuf::from({:?})) }}\n\
             fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {{ Ok(Launch::default()) }}\n\
             fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {{ Ok(()) }}\n}}\n\
             fn main() {{ Builder::new().environment(\"own\", Own).emit(); }}\n",
            package.path("own/bin/python3")
        ),
    );
    package.venv("own");
    let unbuilt = package.run(&["check"]);
    assert_eq!(unbuilt.status, Some(1));
    for wanted in [
        "not built yet",
        "the environment `own` is the package's own",
        "help: run `cargo build`",
    ] {
        assert!(
            unbuilt.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            unbuilt.stdout
        );
    }
    validated(&package.json(&[]));
    package.host.build(&[]).stdout();
    let built = package.run(&["check"]);
    assert_eq!(built.status, Some(0), "{built:?}");
    assert!(
        built.stdout.contains("as the last build found it"),
        "{}",
        built.stdout
    );
    let document = package.json(&[]);
    validated(&document);
    assert_eq!(
        document["packages"][0]["pools"][0]["known_by"],
        "last_build"
    );
    fs::remove_file(package.path("own/bin/python3")).unwrap();
    let gone = package.run(&["check"]);
    assert_eq!(gone.status, Some(1));
    assert!(
        gone.stdout.contains("since the last build"),
        "{}",
        gone.stdout
    );
}

#[test]
fn a_workspace_is_checked_as_cargo_builds_it() {
    let package = Package::with_pools("    #[pool]\n    web: PoolConfig,");
    let manifest = fs::read_to_string(package.path("Cargo.toml")).unwrap();
    for member in ["one", "two"] {
        package.host.write(
            &format!("{member}/Cargo.toml"),
            &manifest.replace("\"app\"", &format!("{member:?}")),
        );
        package.host.write(
            &format!("{member}/build.rs"),
            "fn main() { snakepit_build::emit(); }",
        );
        package.host.write(
            &format!("{member}/src/main.rs"),
            &program(&format!("#[pool]\nof_{member}: PoolConfig,")),
        );
    }
    package.host.write(
        "plain/Cargo.toml",
        "[package]\nname = \"plain\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
    );
    package.host.write("plain/src/lib.rs", "");
    package.host.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\", \"plain\"]\n",
    );
    let names = |folder: &str, more: &[&str]| {
        let mut command = package.snakepit(&[&["check", "--json"], more].concat());
        let ended = ended(command.current_dir(package.path(folder)));
        let document: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        let packages = document["packages"].as_array().unwrap().clone();
        packages
            .iter()
            .map(|package| package["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(".", &[]), ["one", "two"]);
    assert_eq!(names("two", &[]), ["two"]);
    assert_eq!(names("two/src", &["--workspace"]), ["one", "two"]);
    assert_eq!(names(".", &["-p", "one"]), ["one"]);
    assert_eq!(names(".", &["--workspace", "--exclude", "one"]), ["two"]);
    let manifest = package.path("two/Cargo.toml").display().to_string();
    assert_eq!(names("one", &["--manifest-path", &manifest]), ["two"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let package = three();
    for arguments in [&["check", "--verbose"][..], &["explain"], &["list"]] {
        let mut child = package
            .snakepit(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader is gone before anything is written.
        drop(child.stdout.take());
        let status = child.wait().unwrap();
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(said, "");
        // Nobody reads it any more, which is nobody's fault.
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn progress_is_shown_on_a_terminal_alone() {
    if Command::new("script").arg("--version").output().is_err() {
        return tools::skip("script");
    }
    let pools = "    #[pool(environment = system(python_executable = \"slow/python\"))]\n    web: PoolConfig,";
    let package = Package::with_pools(pools);
    let python = tools::python().path.display().to_string();
    let text = format!("#!/bin/sh\nsleep 1\nexec '{python}' \"$@\"\n");
    script(&package.path("slow/python"), &text);
    let in_pipe = package.run(&["check", "--thorough"]);
    assert_eq!(in_pipe.stderr, "");
    let program = env!("CARGO_BIN_EXE_cargo-snakepit");
    let mut on_terminal = package.host.command("script");
    let text = format!("stty rows 24 cols 80; {program} snakepit check --thorough > /dev/null");
    on_terminal.args(["-qec", &text, "/dev/null"]);
    on_terminal.env("TERM", "xterm-256color");
    let slow = ended(&mut on_terminal).stdout;
    assert!(
        slow.contains("asking interpreters: 0 of 1 pools are done"),
        "{slow:?}"
    );
}

#[test]
fn what_this_user_may_not_write_costs_nothing_but_the_memory_of_it() {
    let package = Package::with_pools("    #[pool]\n    web: PoolConfig,");
    fs::write(package.target().join("snakepit"), "in the way").unwrap();
    let ended = package.run(&["check"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
}
