//! A package as a whole: what its sources declare, and what becomes of all its pools, resolved side by side. The build
//! script and the command line share it.

use std::env::consts;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io, thread};

use crate::cache::Cache;
use crate::declaration::{Declaration, PoolDeclaration, Request};
use crate::declare;
use crate::host::Host;
use crate::machine::Machine;
use crate::manifest::Outcome;
use crate::ordered::Set;
use crate::recorder::{Facts, Recorder};
use crate::resolver::{Custom, resolve};

/// The folders of a package whose sources are read.
const FOLDERS: [&str; 4] = ["src", "tests", "examples", "benches"];

/// The sources of a package that mention the attribute, and those that cannot be read.
pub struct Sources {
    /// In the order of their paths.
    pub files: Vec<Source>,
    /// The files and folders to watch for new pools.
    pub(crate) watched: Set<PathBuf>,
}

/// One source file.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// The same, relative to the package where it stands in it.
    pub shown: PathBuf,
    /// Its text; empty where it cannot be read.
    pub text: String,
    /// Its annotated structs.
    pub declarations: Result<Vec<Declaration>, Unread>,
}

/// Why a source says nothing.
#[derive(Debug)]
pub enum Unread {
    /// It cannot be read, or is no text.
    File(io::Error),
    /// It is not Rust.
    Syntax(syn::Error),
}

impl Unread {
    /// The line that is not Rust.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::File(_) => None,
            Self::Syntax(error) => Some(error.span().start().line),
        }
    }
}

/// In words that go on after the file's name.
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "cannot be read: {error}"),
            Self::Syntax(error) => write!(f, "is not Rust: {error}"),
        }
    }
}

impl Sources {
    /// Reads `src`, `tests`, `examples` and `benches`, and further files relative to the package.
    pub fn read(package: &Path, more: &[PathBuf]) -> Self {
        let mut watched = Set::new();
        let mut paths = Vec::new();
        for folder in FOLDERS.map(|name| package.join(name)) {
            if folder.is_dir() {
                rust_files(&folder, &mut paths);
                watched.insert(folder);
            }
        }
        for source in more {
            let path = package.join(source);
            watched.insert(path.clone());
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let files = paths.into_iter();
        let files = files.filter_map(|path| Source::read(path, package));
        Self {
            files: files.collect(),
            watched,
        }
    }
}

impl Source {
    /// `None`: the file does not mention the attribute.
    fn read(path: PathBuf, package: &Path) -> Option<Self> {
        let (text, declarations) = match text_of(&path) {
            Ok(text) if !text.contains("snakepit_pools") => return None,
            Ok(text) => {
                let mut declarations = declare::parse_file(&text).map_err(Unread::Syntax);
                let found = declarations.iter_mut().flatten();
                let pools: Vec<_> = found.flat_map(|one| &mut one.pools).collect();
                if !pools.is_empty() {
                    let around = declare::module_conditions(&path, &|path| text_of(path).ok());
                    for pool in pools {
                        pool.conditions.extend(around.iter().cloned());
                    }
                }
                (text, declarations)
            }
            Err(error) => (String::new(), Err(Unread::File(error))),
        };
        Some(Self {
            shown: path.strip_prefix(package).unwrap_or(&path).to_owned(),
            path,
            text,
            declarations,
        })
    }
}

fn text_of(path: &Path) -> io::Result<String> {
    let is_no_text = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let bytes = Machine.read(path)?;
    String::from_utf8(bytes).map_err(is_no_text)
}

/// Whether the compiler will leave the pool out, as far as `variable` tells, which answers as Cargo does in a build
/// script.
pub fn is_disabled(pool: &PoolDeclaration, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let mut conditions = pool.conditions.iter();
    conditions.any(|condition| declare::is_false(condition, variable))
}

/// What Cargo would tell a build script of a build for this machine, save for the features.
pub fn on_this_machine(name: &str) -> Option<String> {
    let known = match name.strip_prefix("CARGO_CFG_")? {
        "UNIX" => return cfg!(unix).then(String::new),
        "WINDOWS" => return cfg!(windows).then(String::new),
        "TARGET_OS" => consts::OS,
        "TARGET_FAMILY" => consts::FAMILY,
        "TARGET_ARCH" => consts::ARCH,
        "TARGET_ENV" if cfg!(target_env = "gnu") => "gnu",
        "TARGET_ENV" if cfg!(target_env = "musl") => "musl",
        "TARGET_POINTER_WIDTH" => return Some(usize::BITS.to_string()),
        "TARGET_ENDIAN" if cfg!(target_endian = "big") => "big",
        "TARGET_ENDIAN" => "little",
        _ => return None,
    };
    Some(known.to_owned())
}

/// What the pools of a package are resolved in.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The package's folder.
    pub package: &'a Path,
    /// The environments that its build script registered.
    pub custom: &'a Custom,
    /// What interpreters answered before.
    pub probes: &'a Cache,
    /// The machine.
    pub host: &'a dyn Host,
    /// Told of each pool as soon as it is resolved.
    pub done: &'a (dyn Fn(&Request) + Sync),
}

/// Resolves pools side by side, each a key and its request: what became of each, with its key, and what was looked at
/// for it.
pub(crate) fn resolve_all<'r>(
    requests: impl IntoIterator<Item = (String, &'r Request)>,
    world: World<'_>,
) -> Vec<((String, Outcome), Facts)> {
    let World {
        package,
        custom,
        probes,
        host,
        done,
    } = world;
    // Spans cannot cross threads; requests can.
    thread::scope(|scope| {
        let running: Vec<_> = requests
            .into_iter()
            .map(|(key, request)| {
                let work = move || {
                    let recorder = Recorder::new(host, probes);
                    let outcome = match resolve(request, package, custom, probes, &recorder) {
                        Ok(resolution) => Outcome::Resolved(Box::new(resolution)),
                        Err(faults) => Outcome::Failed(faults),
                    };
                    done(request);
                    ((key, outcome), recorder.into_facts())
                };
                scope.spawn(work)
            })
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        // Links are not followed: a loop of them would never end.
        if path.is_dir() && !path.is_symlink() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
