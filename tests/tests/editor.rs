//! The conditions of an editor: rust-analyzer expands the macro with `OUT_DIR` of the last `cargo check`, in text that
//! nobody has saved, on whatever search path it was started with.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;
use snakepit_test_tools::{python, skip};
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

const POOLS: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct Config {
    #[pool(environment = venv(venv_path = ".venv"))]
    pub ml: PoolConfig,
}
"#;

/// What an editor learns from `cargo check --message-format=json`.
struct Checked {
    out_dir: PathBuf,
    /// The variables that its build script gives the compiler.
    variables: Vec<(String, String)>,
    /// The metadata of the crate `snakepit`.
    runtime: PathBuf,
}

fn check(host: &HostPackage) -> Checked {
    let mut cargo = host.cargo(["check", "--offline", "--message-format=json"]);
    let messages = Outcome::of(&mut cargo).stdout();
    let messages = messages
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let messages: Vec<Value> = messages.collect();
    let script = messages
        .iter()
        .filter(|message| message["reason"] == "build-script-executed")
        .find(|message| {
            message["package_id"]
                .as_str()
                .unwrap()
                .contains("host-editor")
        });
    let runtime = messages
        .iter()
        .filter(|message| message["reason"] == "compiler-artifact")
        .find(|message| message["target"]["name"] == "snakepit");
    let path = |value: &Value| PathBuf::from(value.as_str().unwrap());
    let script = script.unwrap();
    Checked {
        out_dir: path(&script["out_dir"]),
        variables: serde_json::from_value(script["env"].clone()).unwrap(),
        runtime: path(&runtime.unwrap()["filenames"][0]),
    }
}

/// The compiler itself, not the proxy that chooses one.
fn rustc() -> PathBuf {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Outcome::of(Command::new(rustc).args(["--print", "sysroot"])).stdout();
    Path::new(printed.trim()).join("bin/rustc")
}

/// The arguments that expand and check a source as an editor would.
fn arguments(checked: &Checked, source: &Path, out: &Path) -> Vec<OsString> {
    let joined = |text: &str, path: &Path| {
        let mut joined = OsString::from(text);
        joined.push(path);
        joined
    };
    let words = [
        "--edition=2024",
        "--crate-type=lib",
        "--emit=metadata",
        "--deny=warnings",
    ];
    let mut arguments: Vec<OsString> = words.map(OsString::from).to_vec();
    arguments.push(joined("--extern=snakepit=", &checked.runtime));
    arguments.push(joined("-Ldependency=", checked.runtime.parent().unwrap()));
    arguments.push(joined("--out-dir=", out));
    arguments.push(source.into());
    arguments
}

#[test]
fn an_editor_expands_what_the_last_build_found_and_looks_at_nothing_else() {
    let main = format!("{POOLS}\nfn main() {{\n    println!(\"{{}}\", Config::POOLS.len());\n}}\n");
    let host = HostPackage::new("host-editor", Path::new(TARGET), "", &main);
    let venv = host.path(".venv");
    python().make_venv(&venv);
    let checked = check(&host);
    // Whatever would be looked at beside the manifest is gone.
    fs::remove_dir_all(&venv).unwrap();
    for entry in fs::read_dir(&checked.out_dir).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("snakepit-manifest.json") {
            fs::remove_file(path).unwrap();
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("bin");
    fs::create_dir(&empty).unwrap();
    let source = folder.path().join("unsaved.rs");
    let expand = |text: &str, program: &Path, before: &[&str]| {
        fs::write(&source, text).unwrap();
        let mut command = Command::new(program);
        command
            .args(before)
            .args(arguments(&checked, &source, folder.path()))
            .env_clear()
            .env("PATH", &empty)
            .env("OUT_DIR", &checked.out_dir)
            .envs(checked.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder.path());
        Outcome::of(&mut command)
    };
    let rustc = rustc();
    // Lines may move, and a pool may be named that is new: its error is at its place.
    let unsaved = format!(
        "//! Not saved.\n\nconst LATER: u8 = 0;\n{POOLS}\npub fn pool() -> &'static str {{\n    Config::ML.pool\n}}\n"
    );
    let unsaved = unsaved.replace("const LATER", "#[allow(dead_code)]\nconst LATER");
    expand(&unsaved, &rustc, &[]).stdout();
    let changed = POOLS.replace("pub ml", "pub other");
    let said = expand(&changed, &rustc, &[]).failure();
    assert!(said.contains("[snakepit::declaration_unknown]"), "{said}");
    assert!(said.contains("unsaved.rs:5:7"), "{said}");

    let Some(strace) = strace() else {
        return skip("strace, which shows that the macro starts nothing");
    };
    let log = folder.path().join("trace");
    let log_name = log.to_str().unwrap();
    let traced = [
        "-f",
        "-e",
        "trace=execve,openat",
        "-o",
        log_name,
        rustc.to_str().unwrap(),
    ];
    expand(&unsaved, &strace, &traced).stdout();
    let log = fs::read_to_string(log).unwrap();
    let started: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("execve("))
        .collect();
    assert_eq!(started.len(), 1, "{started:?}");
    // The macro reads the file, and then the compiler, which comes back when it changes.
    let out_dir = checked.out_dir.to_str().unwrap();
    let read = log
        .lines()
        .filter(|line| line.contains("openat(") && line.contains(out_dir));
    let read: Vec<&str> = read.collect();
    assert!(!read.is_empty(), "{log}");
    for line in read {
        assert!(line.contains("snakepit-manifest.json\""), "{line}");
    }
    let host_folder = host.path("");
    assert!(!log.contains(host_folder.to_str().unwrap()), "{log}");
}

/// A `strace` that may trace.
fn strace() -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    let strace = env::split_paths(&paths).map(|folder| folder.join("strace"));
    let strace = strace.into_iter().find(|path| path.is_file())?;
    let traces = Command::new(&strace)
        .args(["-o", "/dev/null", "true"])
        .status();
    traces
        .is_ok_and(|status| status.success())
        .then_some(strace)
}
