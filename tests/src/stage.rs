//! A machine that is written down: its files, variables and programs, and what these answer. What the real build
//! helper finds on it is the same everywhere, also where docker or conda cannot be had.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use snakepit_build::Host;
use snakepit_build::host::{Answer, FileInfo, Program};
use snakepit_build::probe::Interpreter;
use snakepit_build::sysroot::Target;

/// The package's folder on it.
pub const PACKAGE: &str = "/app";

/// Where its search path leads.
const BIN: &str = "/usr/bin";

/// The machine, as a TOML file describes it. Every folder above a file is there, and the package's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// Folders with nothing in them.
    folders: Vec<PathBuf>,
    /// Files with their text.
    files: BTreeMap<PathBuf, String>,
    /// Files of which only the length counts.
    lengths: BTreeMap<PathBuf, u64>,
    variables: BTreeMap<String, String>,
    /// Variables in Latin-1, each character one byte: beyond ASCII that is not UTF-8.
    latin1: BTreeMap<String, String>,
    programs: Vec<Staged>,
    /// The processor of 64 bits whose root file system it is, where it is a target's.
    target: Option<String>,
    /// What a build for it is made for.
    #[serde(skip)]
    built_for: Option<Target>,
    /// Whether there is no `python3`; otherwise it is Python 3.12.
    without_python: bool,
}

/// One program.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Staged {
    path: PathBuf,
    /// For an interpreter: its version.
    python: Option<String>,
    /// For an interpreter: where its distributions are.
    site_packages: Option<String>,
    answers: Vec<Recorded>,
}

/// What a program says when its arguments have a text in them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Recorded {
    to: String,
    /// How it ended; success where it is not given.
    status: Option<String>,
    stdout: String,
    stderr: String,
}

impl Stage {
    /// Reads a machine's description.
    ///
    /// # Panics
    /// If it is none.
    pub fn parse(text: &str) -> Self {
        let mut stage: Self = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        stage.folders.push(PACKAGE.into());
        stage.built_for = stage.target.clone().map(|arch| Target {
            arch,
            pointer_width: 64,
            is_little_endian: true,
        });
        if !stage.without_python {
            stage.programs.push(Staged {
                path: Path::new(BIN).join("python3"),
                python: Some("3.12.1".to_owned()),
                ..Staged::default()
            });
        }
        stage
    }

    fn program(&self, path: &Path) -> Option<&Staged> {
        self.programs.iter().find(|program| program.path == path)
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let programs = self.programs.iter().map(|program| program.path.as_path());
        let files = self.files.keys().chain(self.lengths.keys());
        let files = files.chain(&self.folders).map(PathBuf::as_path);
        files.chain(programs)
    }
}

impl Staged {
    /// What an interpreter answers to the probe.
    fn interpreter(&self, version: &str) -> Interpreter {
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let python_version = minor.join(".");
        let prefix = self.path.parent().and_then(Path::parent);
        let prefix = prefix.unwrap_or(Path::new("/")).display().to_string();
        let library = format!("{prefix}/lib/python{python_version}");
        let site_packages = format!("{library}/site-packages");
        Interpreter {
            version: version.to_owned(),
            implementation: "cpython".to_owned(),
            executable: self.path.display().to_string(),
            prefix: prefix.clone(),
            base_prefix: "/usr".to_owned(),
            platform: "linux-x86_64".to_owned(),
            cache_tag: format!("cpython-{}", minor.concat()),
            abi_flags: String::new(),
            soabi: format!("cpython-{}-x86_64-linux-gnu", minor.concat()),
            ext_suffix: format!(".cpython-{}-x86_64-linux-gnu.so", minor.concat()),
            free_threading: false,
            gil_enabled: true,
            site_packages: vec![self.site_packages.clone().unwrap_or(site_packages)],
            standard_library: library,
            markers: [
                ("python_version".to_owned(), python_version),
                ("sys_platform".to_owned(), "linux".to_owned()),
            ]
            .into(),
        }
    }
}

impl Host for Stage {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        let is_executable = self.program(path).is_some();
        let is_file = self.files.contains_key(path) || self.lengths.contains_key(path);
        let is_dir =
            !is_file && !is_executable && self.paths().any(|other| other.starts_with(path));
        let len = self.lengths.get(path).copied();
        let text = self.files.get(path).map(|text| text.len() as u64);
        (is_executable || is_file || is_dir).then_some(FileInfo {
            is_dir,
            is_executable,
            len: len.or(text).unwrap_or_default(),
            modified: None,
        })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.files.get(path);
        text.map(|text| text.clone().into_bytes())
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn is_script(&self, _: &Path) -> bool {
        false
    }

    fn is_link(&self, _: &Path) -> bool {
        false
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        match self.info(path) {
            Some(_) => Ok(path.to_owned()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let below = self.paths().filter_map(|other| {
            let first = other.strip_prefix(path).ok()?.components().next()?;
            Some(path.join(first))
        });
        let mut names: Vec<PathBuf> = below.collect();
        names.sort();
        names.dedup();
        names
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        let bytes = |text: &String| text.chars().map(|char| char as u8).collect();
        let latin1 = self.latin1.get(name).map(bytes).map(OsString::from_vec);
        latin1.or_else(|| self.variables.get(name).map(OsString::from))
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(BIN).join(name);
        self.program(&path).map(|_| path)
    }

    fn target(&self) -> Option<&Target> {
        self.built_for.as_ref()
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        let staged = self.program(program.path).ok_or(ErrorKind::NotFound)?;
        let arguments = program.args.join(" ");
        let recorded = staged
            .answers
            .iter()
            .find(|answer| arguments.contains(&answer.to));
        let recorded = match (recorded, &staged.python) {
            (Some(recorded), _) => recorded.clone(),
            (None, Some(version)) if arguments.contains("snakepit-probe:") => Recorded {
                stdout: staged.interpreter(version).answer(),
                ..Recorded::default()
            },
            // An interpreter that finds nothing of what it is asked for.
            (None, Some(_)) => Recorded::default(),
            (None, None) => return Err(io::Error::other(format!("no answer to `{arguments}`"))),
        };
        Ok(Answer {
            success: recorded.status.is_none(),
            status: recorded
                .status
                .unwrap_or_else(|| "exit status: 0".to_owned()),
            stdout: recorded.stdout.into_bytes(),
            stderr: recorded.stderr.into_bytes(),
        })
    }
}
