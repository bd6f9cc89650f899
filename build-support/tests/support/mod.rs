//! What several test programs need.
#![allow(dead_code, reason = "each test program needs a part of it")]

pub(crate) mod wheels;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::host::{Answer, FileInfo, Program};
use snakepit_build::manifest::{EnvOp, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Diagnostic, Host, Machine};

/// The interpreter that the tests run on.
pub(crate) fn python() -> PathBuf {
    snakepit_test_tools::python().path.clone()
}

/// A script that may be run. A shell writes it: while this process had it open, a child started by another test
/// could inherit it, and running it would fail as busy.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success());
}

/// A search path.
type Search = Box<dyn Fn(&str) -> Option<PathBuf> + Sync>;

/// The machine with other variables and another search path.
pub(crate) struct World {
    pub(crate) variables: BTreeMap<String, OsString>,
    pub(crate) which: Search,
    /// Whether programs may be run.
    pub(crate) runs: bool,
    /// A folder before the search path of programs that are run.
    pub(crate) path: Option<PathBuf>,
}

impl World {
    /// No variables, and one program by all names.
    pub(crate) fn with(program: Option<&Path>) -> Self {
        let program = program.map(Path::to_owned);
        Self {
            variables: BTreeMap::new(),
            which: Box::new(move |_| program.clone()),
            runs: true,
            path: None,
        }
    }

    /// Resolves a pool of a package in this world, nothing remembered; of several faults it gives the first.
    pub(crate) fn resolve(
        &self,
        request: &Request,
        package: &Path,
    ) -> Result<Resolution, Diagnostic> {
        resolve(request, package, &Custom::new(), &Cache::default(), self)
            .map_err(|mut faults| faults.remove(0))
    }
}

impl Host for World {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        Machine.info(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.read(path)
    }

    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        Machine.consult_start(path, most)
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
        (self.which)(name)
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        assert!(self.runs, "`{}` was run", program.path.display());
        let set = |name: &str, value: &str| EnvOp::Set {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let variables = self.variables.iter();
        let variables = variables.filter_map(|(name, value)| Some(set(name, value.to_str()?)));
        let path = self.path.iter().map(|path| EnvOp::Prepend {
            name: "PATH".to_owned(),
            value: path.display().to_string(),
        });
        let env: Vec<_> = variables
            .chain(program.env.iter().cloned())
            .chain(path)
            .collect();
        Machine.run(&Program {
            env: &env,
            ..program.clone()
        })
    }
}

/// A request for one kind of environment.
pub(crate) fn request(kind: &str, options: &[(&str, &str)]) -> Request {
    let mut request = Request::new("ml");
    request.kind = kind.to_owned();
    request.options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    request
}

/// What an interpreter of this version answers to the probe, as a script.
pub(crate) fn answering(version: &str, site_packages: &str) -> String {
    format!(
        r#"#!/bin/sh
cat <<END
snakepit-probe:{{"version": "{version}", "implementation": "cpython", "executable": "", "prefix": "/p", "base_prefix": "/p", "platform": "", "cache_tag": "", "abi_flags": "", "soabi": "", "ext_suffix": "", "free_threading": false, "gil_enabled": true, "site_packages": ["{site_packages}"], "standard_library": "", "markers": {{}}}}
END
"#
    )
}
