//! Packages to look at, and the program that looks.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use snakepit_test_tools as tools;
use snakepit_tests::HostPackage;
use tempfile::TempDir;

/// How it ended: status, standard output, standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A package in a folder of its own, with its own target folder.
pub(crate) struct Package {
    pub(crate) host: HostPackage,
    target: TempDir,
}

impl Package {
    /// A package that depends on Snakepit; `pools` are the fields of its struct.
    pub(crate) fn with_pools(pools: &str) -> Self {
        Self::new(&program(pools))
    }

    /// The same with a whole source.
    pub(crate) fn new(main: &str) -> Self {
        let target = tempfile::tempdir().unwrap();
        let host = HostPackage::new("app", target.path(), "default-features = false", main);
        Self { host, target }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.host.path(relative)
    }

    /// A virtual environment of the tests' Python.
    pub(crate) fn venv(&self, relative: &str) {
        tools::python().make_venv(&self.path(relative));
    }

    pub(crate) fn target(&self) -> &Path {
        self.target.path()
    }

    /// `cargo snakepit ARGUMENTS` in the package.
    pub(crate) fn snakepit(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(env!("CARGO_BIN_EXE_cargo-snakepit"));
        command
            .arg("snakepit")
            .args(arguments)
            .env_remove("NO_COLOR");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.snakepit(arguments))
    }

    /// What `check --json` says.
    pub(crate) fn json(&self, more: &[&str]) -> Value {
        let ended = self.run(&[&["check", "--json"], more].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
    }
}

/// A program whose struct has these fields.
pub(crate) fn program(pools: &str) -> String {
    format!(
        "use snakepit::{{PoolConfig, snakepit_pools}};\n\n#[snakepit_pools]\n#[derive(Debug, Default)]\n\
         struct AppConfig {{\n{pools}\n}}\n\nfn main() {{\n    println!(\"{{:?}}\", AppConfig::default());\n}}\n"
    )
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ended {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A shell script that may be run.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A shell writes it: a child that another test starts could inherit the open file, and running it would fail.
    let write = "printf '%s' \"$2\" > \"$1\" && chmod +x \"$1\"";
    let status = Command::new("sh")
        .args(["-c", write, "sh"])
        .arg(path)
        .arg(text)
        .status();
    assert!(status.unwrap().success());
}
