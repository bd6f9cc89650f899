//! `snakepit.lock`: what a build found, committed beside `Cargo.toml`, so that later builds find the same or fail, and
//! so that a machine without Python can build.
//!
//! A pool stands there as the manifest has it (`entry`), with paths that hold on other machines (`roots`), beside what
//! its declaration asked for. `text` writes it, `compare` tells two apart; what a build makes of it is `outcome`'s.

mod compare;
mod entry;
mod roots;
mod text;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use compare::Difference;
pub(crate) use entry::{Sources, entry, resolution};
pub(crate) use roots::{NAMES as ROOTS, RootFault, Roots, variable};

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Table};
use crate::host::Host;
use crate::json::Value;
use crate::machine::Machine;
use crate::ordered::{Map, Ordered, Set};
use crate::replace::replace;

/// The lock's name, beside `Cargo.toml`.
pub(crate) const FILE_NAME: &str = "snakepit.lock";

/// The form that is written. An older one is read; one of a newer version is refused.
const VERSION: u32 = 1;

/// Where what is wrong with the whole lock belongs to.
const PLACE: &str = "struct";

const AGAIN: &str =
    "restore it from your version control, or write it again: `cargo snakepit lock`";

/// What a build found for every pool of a package, as it is committed.
///
/// ```no_run
/// # fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::path::Path;
///
/// use snakepit_build::{Builder, Lock};
///
/// let package = Path::new("/app");
/// let found = match Builder::new().lock(package) {
///     Ok(found) => found,
///     Err(refused) => return Err(refused[0].fault.to_string().into()),
/// };
/// if let Some(lock) = Lock::read(package).map_err(|fault| fault.to_string())? {
///     for difference in lock.compare(&found) {
///         println!("{}: {difference}", difference.pool);
///     }
/// }
/// found.write(package)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    pools: Map<String, Table>,
}

/// The file of a lock, not understood yet.
pub(crate) struct File(io::Result<Vec<u8>>);

impl File {
    /// That of a package, if there is one.
    pub(crate) fn of(package: &Path, host: &dyn Host) -> Option<Self> {
        match host.consult(&path(package)) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            read => Some(Self(read)),
        }
    }

    pub(crate) fn lock(&self, package: &Path) -> Result<Lock, Diagnostic> {
        let shown = format!("`{}`", path(package).display());
        match &self.0 {
            Ok(bytes) => Lock::parse(bytes, &shown),
            Err(error) => Err(invalid(&shown, &format!("cannot be read: {error}"))),
        }
    }

    /// Whether this is a lock as it would be written now.
    pub(crate) fn is(&self, lock: &Lock) -> bool {
        let bytes = self.0.as_ref();
        bytes.is_ok_and(|bytes| *bytes == lock.text().as_bytes())
    }
}

impl Lock {
    /// The lock of the package in a folder, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is none: a code that begins with `lock_`.
    pub fn read(package: &Path) -> Result<Option<Self>, Diagnostic> {
        Self::of(package, &Machine)
    }

    /// The same, on a machine.
    pub(crate) fn of(package: &Path, host: &dyn Host) -> Result<Option<Self>, Diagnostic> {
        File::of(package, host)
            .map(|file| file.lock(package))
            .transpose()
    }

    /// Reads the text of a lock; `shown` is what messages call it.
    ///
    /// # Errors
    /// It is none: a code that begins with `lock_`.
    #[doc(hidden)]
    pub fn parse(bytes: &[u8], shown: &str) -> Result<Self, Diagnostic> {
        let text = str::from_utf8(bytes).map_err(|_| invalid(shown, "is not UTF-8"))?;
        if let Some(line) = conflict(text) {
            let message = format!("{shown} has the marks of a merge conflict at line {line}");
            let help = "take either side, then write it again: `cargo snakepit lock`";
            return Err(Diagnostic::new(Code::LockConflict, message, help).at(PLACE));
        }
        let is_whole = text.trim_end().ends_with(text::END);
        let mut document = document::parse(text).map_err(|why| match is_whole {
            true => invalid(shown, &format!("is no TOML: {why}")),
            false => cut(shown),
        })?;
        match document
            .remove("version")
            .and_then(|version| version.as_i64())
        {
            Some(version) if version > i64::from(VERSION) => {
                let message = format!(
                    "{shown} has the form {version}, but this `snakepit-build` knows no form after {VERSION}"
                );
                let help = "build with the version of `snakepit-build` that wrote it, or write it again with this one: \
                            `cargo snakepit lock`";
                return Err(Diagnostic::new(Code::LockTooNew, message, help).at(PLACE));
            }
            Some(1..) => {}
            _ => return Err(invalid(shown, "does not begin with its `version`")),
        }
        if !is_whole {
            return Err(cut(shown));
        }
        let pools = document
            .remove("pools")
            .unwrap_or_else(|| Value::Object(Table::new()));
        if let Some(key) = document.keys().next() {
            return Err(unknown(shown, key));
        }
        let Value::Object(pools) = pools else {
            return Err(invalid(shown, "has `pools` that are no table"));
        };
        let mut lock = Self::default();
        for (name, pool) in pools {
            let Value::Object(pool) = pool else {
                return Err(invalid(
                    shown,
                    &format!("has a pool `{name}` that is no table"),
                ));
            };
            entry::check(&pool).map_err(|fault| {
                let at = |path: &str| match path {
                    "" => format!("pools.{name}"),
                    path => format!("pools.{name}.{path}"),
                };
                match fault {
                    entry::Fault::Invalid(why) => invalid(
                        shown,
                        &format!("has a pool `{name}` that cannot be used: {why}"),
                    ),
                    entry::Fault::UnknownKey(path) => unknown(shown, &at(&path)),
                    entry::Fault::Path(path, why) => {
                        let message = format!(
                            "{shown} has a path at `{}` that it must not have: {why}",
                            at(&path)
                        );
                        Diagnostic::new(Code::LockPathInvalid, message, AGAIN).at(PLACE)
                    }
                }
            })?;
            lock.pools.insert(name, pool);
        }
        Ok(lock)
    }

    /// The lock's text.
    #[doc(hidden)]
    pub fn text(&self) -> String {
        text::written(VERSION, &self.pools)
    }

    /// Writes the lock of the package in a folder: all of it, or nothing. Whether it is another one now.
    ///
    /// Cargo cannot watch for a lock that is not there. So that the next build looks, a first lock makes `build.rs` as
    /// new as itself.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, package: &Path) -> io::Result<bool> {
        let path = path(package);
        let is_first = !path.exists();
        let is_written = self.write_to(&path)?;
        if is_first
            && let Ok(script) = fs::File::options()
                .append(true)
                .open(package.join("build.rs"))
        {
            // Without it somebody has to run `touch build.rs`.
            let _ = script.set_modified(SystemTime::now());
        }
        Ok(is_written)
    }

    pub(crate) fn write_to(&self, path: &Path) -> io::Result<bool> {
        replace(path, self.text().as_bytes())
    }

    /// Every fact that is another one in `found`, sorted.
    pub fn compare(&self, found: &Self) -> Vec<Difference> {
        let names: Set<&String> = self.pools.keys().chain(found.pools.keys()).ordered();
        let pool = |name: &String, locked: Option<String>, found: Option<String>| {
            vec![Difference {
                pool: name.clone(),
                fact: "pool".to_owned(),
                locked,
                found,
            }]
        };
        let differences = names.into_iter().flat_map(|name| {
            match (self.pools.get(name), found.pools.get(name)) {
                (Some(locked), Some(found)) => compare::compare(name, locked, found),
                (None, _) => pool(name, None, Some("declared".to_owned())),
                (_, None) => pool(name, Some("declared".to_owned()), None),
            }
        });
        differences.collect()
    }

    /// The pools' names.
    pub fn pools(&self) -> impl Iterator<Item = &str> {
        self.pools.keys().map(String::as_str)
    }

    pub(crate) fn pool(&self, name: &str) -> Option<&Table> {
        self.pools.get(name)
    }

    pub(crate) fn insert(&mut self, name: &str, entry: Table) {
        self.pools.insert(name.to_owned(), entry);
    }
}

/// What one pool's two sides differ in.
pub(crate) fn differences(pool: &str, locked: &Table, found: &Table) -> Vec<Difference> {
    compare::compare(pool, locked, found)
}

/// The lock of a package.
pub(crate) fn path(package: &Path) -> PathBuf {
    package.join(FILE_NAME)
}

fn invalid(shown: &str, found: &str) -> Diagnostic {
    Diagnostic::new(Code::LockInvalid, format!("{shown} {found}"), AGAIN).at(PLACE)
}

fn cut(shown: &str) -> Diagnostic {
    invalid(
        shown,
        &format!("was cut off: its last line is not `{}`", text::END),
    )
}

fn unknown(shown: &str, key: &str) -> Diagnostic {
    let message = format!("{shown} has a key `{key}`, which no lock of this form has");
    Diagnostic::new(Code::LockKeyUnknown, message, AGAIN).at(PLACE)
}

/// The line of the first mark that a merge left. <https://git-scm.com/docs/git-merge#_how_conflicts_are_presented>
fn conflict(text: &str) -> Option<usize> {
    let is_mark = |line: &str| {
        ["<<<<<<< ", ">>>>>>> "]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    text.lines().position(is_mark).map(|line| line + 1)
}
