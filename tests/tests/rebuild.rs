//! When a build asks again: twelve changes and more that must reach the program, as many that must not, each against a
//! real cargo. A change that must makes Cargo run the build script; one that must not leaves the package fresh.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_test_tools::{Python, pythons, skip};
use snakepit_tests::{HostPackage, Outcome};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/rebuild");

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(
        environment = venv(venv_path = ".venv"),
        requires = ["demo"],
        adapter = "tools",
        python_path = ["python"],
    )]
    pub ml: PoolConfig,
    #[pool(environment = system(python_executable = "links/python"))]
    pub linked: PoolConfig,
    #[pool(environment = system)]
    pub system: PoolConfig,
    #[pool(environment = pyenv)]
    pub versioned: PoolConfig,
}

fn main() {
    println!("{} {}", AppConfig::ML.metadata.python_version, AppConfig::LINKED.metadata.python_version);
    println!("{} {}", AppConfig::SYSTEM.metadata.python_version, AppConfig::VERSIONED.metadata.python_version);
}
"#;

/// The package under test, and what its builds see of the machine.
struct Host {
    package: HostPackage,
    variables: BTreeMap<&'static str, OsString>,
    new: Python,
    old: Python,
    /// What each build before had to say, for the message of one that surprises.
    told: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Build {
    /// The build script ran, and the program was made.
    Again,
    /// Neither ran.
    Fresh,
    /// The build script ran, and the compiler stopped with this code.
    Refused(&'static str),
}

use Build::{Again, Fresh, Refused};

impl Host {
    fn new(new: Python, old: Python) -> Self {
        let package = HostPackage::new(
            "host-rebuild",
            Path::new(TARGET),
            "default-features = false",
            MAIN,
        );
        package.write(
            "python/tools.py",
            "import helpers\n\ndef greet():\n    return helpers.TEXT\n",
        );
        package.write("python/helpers.py", "TEXT = 'hello'\n");
        package.write("links/readme", "");
        for python in [&new, &old] {
            let version = package
                .path("pyenv/versions")
                .join(python.version.to_string());
            fs::create_dir_all(version.parent().unwrap()).unwrap();
            let prefix = python.path.parent().and_then(Path::parent).unwrap();
            symlink(prefix, version).unwrap();
        }
        package.write(".python-version", &format!("{}\n", new.version));
        let variables = BTreeMap::from([
            ("SNAKEPIT_PYTHON", new.path.clone().into_os_string()),
            ("PYENV_ROOT", package.path("pyenv").into_os_string()),
        ]);
        let host = Self {
            package,
            variables,
            new,
            old,
            told: Vec::new(),
        };
        // A copy stands for an interpreter that a package manager installed at one path.
        host.interpreter(&host.new);
        symlink("interpreter", host.path("links/python")).unwrap();
        host.venv(&host.new);
        host.install("1.0");
        host
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.package.path(relative)
    }

    fn venv(&self, python: &Python) {
        let folder = self.path(".venv");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let mut make = Command::new(&python.path);
        make.args(["-m", "venv"]).arg(folder);
        Outcome::of(&mut make).stdout();
    }

    fn python(&self, arguments: &[&str]) {
        let mut python = Command::new(self.path(".venv/bin/python"));
        Outcome::of(python.args(arguments)).stdout();
    }

    /// Installs `demo` in the venv, from a wheel.
    fn install(&self, version: &str) {
        self.wheel("demo", version);
    }

    fn wheel(&self, name: &str, version: &str) {
        let make = "import sys, zipfile
name, version, folder = sys.argv[1:]
info = f'{name}-{version}.dist-info'
path = f'{folder}/{name}-{version}-py3-none-any.whl'
with zipfile.ZipFile(path, 'w') as wheel:
    wheel.writestr(f'{name}.py', f'VERSION = {version!r}')
    wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')
    wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(f'{info}/RECORD', '')";
        let folder = tempfile::tempdir().unwrap();
        self.python(&["-c", make, name, version, folder.path().to_str().unwrap()]);
        let wheel = folder
            .path()
            .join(format!("{name}-{version}-py3-none-any.whl"));
        self.pip(&["install", wheel.to_str().unwrap()]);
    }

    fn pip(&self, arguments: &[&str]) {
        let pip = [
            "-m",
            "pip",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ];
        let mut all = pip.to_vec();
        all.push(arguments[0]);
        if arguments[0] == "install" {
            all.extend(["--no-index", "--no-deps"]);
        }
        all.extend(&arguments[1..]);
        self.python(&all);
    }

    /// The interpreter that `links/python` leads to, with the libraries of its own version.
    fn interpreter(&self, python: &Python) {
        let beside = self.path("links/interpreter.new");
        let text = format!("#!/bin/sh\nexec {} \"$@\"\n", python.path.display());
        fs::write(&beside, text).unwrap();
        let mut executable = Command::new("chmod");
        Outcome::of(executable.arg("+x").arg(&beside)).stdout();
        fs::rename(beside, self.path("links/interpreter")).unwrap();
    }

    /// Builds, and compares what Cargo did; what it had to say.
    #[track_caller]
    fn build(&mut self, wanted: Build, after: &str) -> String {
        let mut cargo = self.package.cargo(["build", "--offline", "--verbose"]);
        let build = Outcome::of(cargo.envs(&self.variables));
        let said = &build.stderr;
        let ran = said.contains("/build-script-build`");
        let holds = match wanted {
            Again => build.success && ran,
            Fresh => build.success && !ran && said.contains("Fresh host-rebuild "),
            Refused(code) => !build.success && ran && said.contains(&format!("[snakepit::{code}]")),
        };
        assert!(
            holds,
            "{after}: wanted {wanted:?}\n{said}\nbefore:\n{}",
            self.told.join("\n")
        );
        println!("{after}: {wanted:?}");
        self.told.push(format!("{after}: {wanted:?}"));
        build.stderr
    }

    fn printed(&self) -> String {
        Outcome::of(&mut self.package.program()).stdout()
    }
}

#[test]
fn a_build_asks_again_when_a_recorded_fact_changed_and_only_then() {
    let all = pythons();
    let [new, .., old] = all.as_slice() else {
        return skip("two Python versions");
    };
    let mut host = Host::new(new.clone(), old.clone());
    let new = new.version.to_string();
    host.build(Again, "the first build");
    host.build(Fresh, "nothing changed");
    assert_eq!(host.printed(), format!("{new} {new}\n{new} {new}\n"));
    must_not(&mut host);
    must(&mut host);
    hiding(&mut host);
    host.build(Fresh, "nothing changed at the end");
}

/// What a person does all day beside a program that is built.
fn must_not(host: &mut Host) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut longer = OsString::from("/elsewhere/bin:");
    longer.push(&path);
    for (name, value) in [
        ("PATH", longer),
        ("VIRTUAL_ENV", "/elsewhere".into()),
        ("CONDA_PREFIX", "/elsewhere".into()),
        ("PYTHONPATH", "/elsewhere".into()),
        ("HOME", "/elsewhere".into()),
    ] {
        let kept = host.variables.insert(name, value);
        if name == "HOME" {
            // Cargo and rustup live below it by default.
            for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
                let home = std::env::var_os(name).or_else(|| {
                    Some(
                        Path::new(&std::env::var_os("HOME")?)
                            .join(folder)
                            .into_os_string(),
                    )
                });
                host.variables.extend(home.map(|home| (name, home)));
            }
        }
        host.build(Fresh, &format!("another `{name}`"));
        match kept {
            Some(value) => host.variables.insert(name, value),
            None => host.variables.remove(name),
        };
    }
    host.wheel("unrelated", "1.0");
    host.build(Fresh, "a distribution that no pool requires is installed");
    host.wheel("unrelated", "2.0");
    host.build(Fresh, "a distribution that no pool requires is upgraded");
    host.python(&[
        "-m",
        "compileall",
        "-q",
        host.path("python").to_str().unwrap(),
    ]);
    host.build(Fresh, "the adapter's bytecode is written");
    host.package
        .write("python/helpers.py", "TEXT = 'good day'\n");
    host.build(Fresh, "a module that the adapter imports is edited");
    host.package.write("python/other.py", "");
    host.build(Fresh, "a module is added beside the adapter");
    host.package.write(
        "pyproject.toml",
        "[project]\nname = \"notes\"\nversion = \"1\"\n",
    );
    host.build(Fresh, "a `pyproject.toml` that no pool asks for is added");
    host.package.write("README.md", "text");
    host.build(Fresh, "a file of no kind is added to the package");
    fs::create_dir(host.path(".venv/share")).ok();
    host.package.write(".venv/share/note", "text");
    host.build(Fresh, "a file is written into the venv");
}

/// What changes the program's constants, or shows that they no longer hold.
fn must(host: &mut Host) {
    let [new, old] = [host.new.clone(), host.old.clone()];
    host.package
        .write("python/tools.py", "def greet():\n    return 'changed'\n");
    host.build(Again, "the adapter is edited");
    fs::rename(host.path("python/tools.py"), host.path("python/gone")).unwrap();
    host.build(Refused("adapter_not_found"), "the adapter is removed");
    fs::rename(host.path("python/gone"), host.path("python/tools.py")).unwrap();
    host.build(Again, "the adapter is back");

    host.install("1.1");
    host.build(Again, "a required distribution is upgraded");
    host.pip(&["uninstall", "--yes", "demo"]);
    host.build(
        Refused("requirement_not_installed"),
        "a required distribution is uninstalled",
    );
    host.install("1.1");
    host.build(Again, "it is installed again");

    fs::remove_dir_all(host.path(".venv")).unwrap();
    host.build(Refused("venv_not_found"), "the venv is deleted");
    host.venv(&old);
    host.install("1.1");
    host.build(Again, "the venv is made again, with another Python");
    host.venv(&new);
    host.install("1.1");
    host.build(Again, "the venv is made again in place");

    host.interpreter(&old);
    host.build(Again, "another interpreter is installed behind a link");
    host.variables
        .insert("SNAKEPIT_PYTHON", old.path.into_os_string());
    host.build(Again, "`SNAKEPIT_PYTHON` names another interpreter");
    host.package
        .write(".python-version", &format!("{}\n", old.version));
    host.build(Again, "`.python-version` is changed");
    let [new, old] = [new.version.to_string(), old.version.to_string()];
    assert_eq!(host.printed(), format!("{new} {old}\n{old} {old}\n"));

    host.package.write(
        "src/main.rs",
        &MAIN.replace("[\"demo\"]", "[\"demo>=1.1\"]"),
    );
    host.build(Again, "a declaration is edited");
    let more = "use snakepit::{PoolConfig, snakepit_pools};\n\n#[snakepit_pools]\npub struct More {\n    #[pool]\n    pub more: PoolConfig,\n}\n";
    host.package.write("src/more.rs", more);
    host.package
        .write("src/main.rs", &format!("{MAIN}\nmod more;\n"));
    host.build(Again, "a struct is added in a new file");
}

/// A file that hides a module of Python itself: it is watched from the build on that warns of it.
fn hiding(host: &mut Host) {
    const WARNING: &str = "[snakepit::standard_module_hidden]";
    host.package.write("python/colorsys.py", "");
    host.build(Fresh, "a file that hides comes to where nothing was");
    host.package
        .write("python/tools.py", "def greet():\n    return 'again'\n");
    let said = host.build(Again, "the adapter beside it is edited");
    assert!(said.contains(WARNING), "{said}");
    let said = host.build(Fresh, "nothing changed beside the file that hides");
    assert!(said.contains(WARNING), "{said}");
    let [old, new] = ["python/colorsys.py", "python/my_colors.py"].map(|file| host.path(file));
    fs::rename(old, new).unwrap();
    let said = host.build(Again, "the file that hides is renamed");
    assert!(!said.contains(WARNING), "{said}");
}
