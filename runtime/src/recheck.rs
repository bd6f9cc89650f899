//! The proof at start-up that what the build saw still holds, and what is said where it does not.

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Read};

use crate::access::refusal;
use crate::anchor::Anchor;
use crate::spec::{Check, SpawnSpec};

/// The operator's choice of a level.
const VARIABLE: &str = "SNAKEPIT_RECHECK";

/// The longest `pyvenv.cfg` that is read, in bytes.
const MOST_SETTINGS: usize = 64 * 1024;

/// Changes that a message tells; [`Drift::changes`] has them all.
const MOST_TOLD: usize = 12;

/// How closely a program looks at its environment before it uses it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recheck {
    /// A few system calls: the interpreter is there and has the length that it had, and the small files that make the
    /// environment, such as `pyvenv.cfg`, say what they said. Times do not count, so that a copy passes.
    #[default]
    Quick,
    /// In addition the interpreter is started once and asked who it is and what is installed: its version and binary
    /// interface, its prefixes, every distribution with its version, and the content of the manager's lock file, if
    /// that is there at all. It takes as long as a start of Python does.
    Thorough,
    /// Nothing is looked at.
    Off,
}

impl Recheck {
    /// The operator's choice: what `SNAKEPIT_RECHECK` says, else the default.
    pub(crate) fn chosen() -> Result<Self, SpecError> {
        let Some(value) = env::var_os(VARIABLE) else {
            return Ok(Self::default());
        };
        match value.to_str() {
            Some("" | "quick") => Ok(Self::Quick),
            Some("thorough") => Ok(Self::Thorough),
            Some("off") => Ok(Self::Off),
            _ => Err(SpecError::Level {
                found: value.to_string_lossy().into_owned(),
            }),
        }
    }
}

/// Why a spec cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// The environment is no longer what the build saw.
    Drift(Drift),
    /// `SNAKEPIT_RECHECK` says something that is no level.
    Level {
        /// What it says.
        found: String,
    },
    /// The folder that the program's paths start from is not told.
    Anchor {
        /// The pool.
        pool: &'static str,
        /// What should tell it.
        anchor: Anchor,
        /// What it does instead, in words that follow "it".
        found: String,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drift(drift) => drift.fmt(f),
            Self::Level { found } => write!(
                f,
                "`{VARIABLE}` is `{found}`, wanted is `quick`, `thorough` or `off`"
            ),
            Self::Anchor {
                pool,
                anchor: Anchor::Env(name),
                found,
            } => write!(
                f,
                "pool `{pool}`: `{name}` is to name the folder that the Python environment is in, but it {found}; \
                 set it to the absolute path of that folder"
            ),
            Self::Anchor { pool, found, .. } => write!(
                f,
                "pool `{pool}`: the program's own path is to tell where the Python environment is, but it {found}"
            ),
        }
    }
}

impl std::error::Error for SpecError {}

impl From<Drift> for SpecError {
    fn from(drift: Drift) -> Self {
        Self::Drift(drift)
    }
}

/// What the build saw and what no longer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The pool.
    pub pool: &'static str,
    /// Every fact that changed, at least one.
    pub changes: Vec<Change>,
}

/// One fact that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub fact: Fact,
    /// What the build saw.
    pub expected: String,
    /// What it does now, in words that follow "it".
    pub found: String,
}

/// A fact that the build saw.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// A file of the environment, by its path.
    File(String),
    /// That the user may read this file of the environment, by its path; whether it changed is not known.
    Access(String),
    /// That this program answers as a Python interpreter.
    Interpreter(String),
    /// The version of Python.
    Version,
    /// The implementation of Python.
    Implementation,
    /// The tag of its binary interface.
    Abi,
    /// `sys.prefix`: the environment that the interpreter believes to be in.
    Prefix,
    /// `sys.base_prefix`: the installation that it comes from.
    BasePrefix,
    /// An installed distribution, by its normalized name.
    Distribution(String),
    /// The content of a manager's lock file, by its path.
    LockFile(String),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Access(path) | Self::Interpreter(path) => {
                write!(f, "`{path}`")
            }
            Self::Version => f.write_str("the version of Python"),
            Self::Implementation => f.write_str("the implementation of Python"),
            Self::Abi => f.write_str("the binary interface of Python"),
            Self::Prefix => f.write_str("`sys.prefix`"),
            Self::BasePrefix => f.write_str("`sys.base_prefix`"),
            Self::Distribution(name) => write!(f, "the distribution `{name}`"),
            Self::LockFile(path) => write!(f, "the content of `{path}`"),
        }
    }
}

impl Drift {
    /// How it is mended.
    pub const fn help(&self) -> &'static str {
        if self.is_of_access() {
            "give this user the right to, or build with a Python that this user can reach"
        } else {
            "restore the environment, or build again: `touch build.rs && cargo build`"
        }
    }

    /// Whether all that was found is that the user may not look: then nothing needs to have changed.
    const fn is_of_access(&self) -> bool {
        let mut changes = self.changes.as_slice();
        while let [change, others @ ..] = changes {
            if !matches!(change.fact, Fact::Access(_)) {
                return false;
            }
            changes = others;
        }
        true
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pool, is_of_access) = (self.pool, self.is_of_access());
        let what = if is_of_access {
            "the Python environment is closed to this user"
        } else {
            "the Python environment changed after the build"
        };
        write!(f, "pool `{pool}`: {what}: ")?;
        for change in self.changes.iter().take(MOST_TOLD) {
            let Change {
                fact,
                expected,
                found,
            } = change;
            if is_of_access {
                write!(f, "{fact} {found}; ")?;
            } else {
                write!(f, "{fact} was {expected}, now it {found}; ")?;
            }
        }
        if self.changes.len() > MOST_TOLD {
            write!(f, "and {} more; ", self.changes.len() - MOST_TOLD)?;
        }
        f.write_str(self.help())
    }
}

impl std::error::Error for Drift {}

impl SpawnSpec {
    /// The facts that a few system calls tell.
    pub(crate) fn look_quickly(&self) -> Result<(), SpecError> {
        self.unless(self.changed_files()?)
    }

    pub(crate) fn changed_files(&self) -> Result<Vec<Change>, SpecError> {
        let mut changes = Vec::new();
        for check in self.checks {
            changes.extend(self.change(check)?);
        }
        Ok(changes)
    }

    /// Success, unless something changed.
    pub(crate) fn unless(&self, changes: Vec<Change>) -> Result<(), SpecError> {
        if changes.is_empty() {
            return Ok(());
        }
        let pool = self.pool;
        Err(Drift { pool, changes }.into())
    }

    fn change(&self, check: &Check) -> Result<Option<Change>, SpecError> {
        let changed = |path: Cow<'_, str>, expected: String, found: String| {
            Ok(Some(Change {
                fact: Fact::File(path.into_owned()),
                expected,
                found,
            }))
        };
        let unread = |path: Cow<'_, str>, error: &io::Error| match refusal(&path, error) {
            Some(found) => Ok(Some(Change {
                fact: Fact::Access(path.into_owned()),
                expected: "readable".to_owned(),
                found,
            })),
            None => changed(path, "there".to_owned(), gone(error)),
        };
        let (path, text, found) = match *check {
            Check::Size { path, bytes } => {
                let path = self.placed(path)?;
                return match fs::metadata(&*path) {
                    Ok(now) if now.len() == bytes => Ok(None),
                    Ok(now) => changed(
                        path,
                        format!("{bytes} bytes long"),
                        format!("has {} bytes", now.len()),
                    ),
                    Err(error) => unread(path, &error),
                };
            }
            Check::Content { path, text } => {
                let (path, text) = (self.placed(path)?, self.placed(text)?);
                let found = read_at_most(&path, text.len() + 1);
                (path, text, found)
            }
            Check::Settings { path, text } => {
                let (path, text) = (self.placed(path)?, self.placed(text)?);
                let found = read_at_most(&path, MOST_SETTINGS).map(without_command);
                (path, text, found)
            }
        };
        match found {
            Ok(found) if found == text.as_bytes() => Ok(None),
            Ok(found) => {
                let found = String::from_utf8_lossy(&found);
                let (before, now) = first_difference(&text, &found);
                changed(path, before, now)
            }
            Err(error) => unread(path, &error),
        }
    }
}

/// A `pyvenv.cfg` without the line that tells how it was made.
fn without_command(bytes: Vec<u8>) -> Vec<u8> {
    let is_kept = |line: &&[u8]| {
        let key = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        key.trim_ascii() != b"command"
    };
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.filter(is_kept).flatten().copied().collect()
}

/// A file's bytes, or as many as are asked for: a grown file is seen, a huge one is not swallowed. The common case is
/// one system call between open and close: a short read is the end of a regular file.
fn read_at_most(path: &str, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut file = fs::File::open(path)?;
    let mut length = 0;
    while length < most {
        match file.read(&mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
        if length + 1 == most {
            break;
        }
    }
    debug_assert!(length <= most, "no more is read");
    bytes.truncate(length);
    Ok(bytes)
}

fn gone(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is gone".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The first line that is not the same, as it was and as it is.
fn first_difference(before: &str, now: &str) -> (String, String) {
    let mut now = now.lines();
    let before = before.lines().map(Some).chain([None]);
    for line in before {
        let other = now.next();
        if other != line {
            let old = line.map_or_else(|| "at its end".to_owned(), |line| format!("`{line}`"));
            let new = other.map_or_else(|| "ends".to_owned(), |line| format!("says `{line}`"));
            return (old, new);
        }
    }
    (
        "as it was".to_owned(),
        "differs in its line ends".to_owned(),
    )
}
