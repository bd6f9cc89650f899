//! Which kind of environment a pool gets, and why: the one that is declared, or for `auto` the one whose marker is
//! nearest to the package.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::declaration::Request;
use crate::detector::{Detected, FALLBACK, MARKERS, detect};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::environment::{Config, ExtraMetadata, is_uv_member, utf8, without_pyenv};
use crate::host::Host;
use crate::ordered::Ordered;

/// A kind of environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One of Snakepit's own.
    Builtin(String),
    /// One that the program registered, by its name, which may be that of one of Snakepit's own.
    Custom(String),
}

impl Kind {
    /// Its name.
    pub fn name(&self) -> &str {
        let (Self::Builtin(name) | Self::Custom(name)) = self;
        name
    }

    /// Its name, if it is one of Snakepit's own.
    pub fn builtin(&self) -> Option<&str> {
        match self {
            Self::Builtin(name) => Some(name),
            Self::Custom(_) => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was chosen.
pub struct Choice {
    /// The kind.
    pub kind: Kind,
    /// `declared`, the marker that was found, or `fallback`.
    pub detected_by: String,
    /// The options that go with it.
    pub config: Config,
    /// For `auto`: `detected_in`, the folder of the marker, and `detected_why`, where it was looked and what was
    /// found there.
    pub reasons: ExtraMetadata,
}

/// Chooses for a pool of a package.
///
/// # Errors
/// `project_dir` names no folder, or what is found has no path that is text.
pub fn choose(
    request: &Request,
    package_dir: &Path,
    host: &dyn Host,
) -> Result<Choice, Diagnostic> {
    let config = Config {
        base: package_dir.to_owned(),
        options: request.options.clone(),
        manager_launch: request.manager_launch,
        pool: request.pool.clone(),
        env: request.env.clone(),
    };
    if request.kind == "auto" {
        return automatic(config, package_dir, host);
    }
    Ok(Choice {
        kind: match &request.custom {
            Some(name) => Kind::Custom(name.clone()),
            None => Kind::Builtin(request.kind.clone()),
        },
        detected_by: "declared".to_owned(),
        config,
        reasons: ExtraMetadata::new(),
    })
}

fn automatic(mut config: Config, package: &Path, host: &dyn Host) -> Result<Choice, Diagnostic> {
    let named = config.option("project_dir").map(str::to_owned);
    let start = config.project_dir(host)?;
    let mut found = detect(&start, host);
    let mut dir = start.clone();
    let mut empty = Vec::new();
    if found.marker == FALLBACK {
        empty.push(format!("nothing in `{}`", start.display()));
        // A folder that is named is the one that is meant.
        if named.is_none() {
            for folder in above(package, host) {
                found = detect(folder, host);
                if found.marker != FALLBACK {
                    folder.clone_into(&mut dir);
                    break;
                }
                empty.push(format!("nothing in `{}`", folder.display()));
            }
        }
    }
    let mut why = why(&found, &dir, &empty);
    let mut reasons = ExtraMetadata::new();
    if found.marker != FALLBACK {
        reasons.insert("detected_in".to_owned(), utf8(&dir)?);
    }
    // The detector names folders as they stand in the one that it looked at.
    config.base.clone_from(&dir);
    config.options = found
        .options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .ordered();
    let mut kind = found.kind;
    if kind == "pyenv" {
        // The environment reads the file itself: it may name several versions.
        config.options.clear();
        if let Some(python) = without_pyenv(&dir, host) {
            let option = ("python_executable".to_owned(), utf8(&python?)?);
            config.options.extend([option]);
            kind = "system";
            why.push_str("; there is no pyenv, and this interpreter on the search path will do");
        }
    } else if kind == "uv" && dir != start && is_uv_member(&dir, &start, host) {
        // The environment is the root's, held to what this member needs of it.
        let option = ("project_dir".to_owned(), utf8(&start)?);
        config.options.extend([option]);
        why.push_str(&format!("; `{}` is a member of it", start.display()));
    }
    reasons.insert("detected_why".to_owned(), why);
    Ok(Choice {
        kind: Kind::Builtin(kind.to_owned()),
        detected_by: found.marker.to_owned(),
        config,
        reasons,
    })
}

/// Where it was looked, what was found, and why this and nothing else.
fn why(found: &Detected, dir: &Path, empty: &[String]) -> String {
    let mut parts = empty.to_vec();
    if found.marker == FALLBACK {
        parts.push("so that the machine's own Python is taken".to_owned());
        return parts.join(", ");
    }
    parts.push(format!("`{}` in `{}`", found.marker, dir.display()));
    let before: Vec<String> = MARKERS
        .iter()
        .map(|marker| marker.name)
        .take_while(|name| *name != found.marker)
        .map(|name| format!("`{name}`"))
        .collect();
    if !before.is_empty() {
        parts.push(format!("where there is no {}", before.join(", no ")));
    }
    parts.join(", ")
}

/// The folders above the package that are still its own, the nearest first.
fn above<'a>(package: &'a Path, host: &dyn Host) -> impl Iterator<Item = &'a Path> {
    let top = top(package, host);
    let above = package.ancestors().skip(1);
    above.take_while(move |folder| folder.starts_with(&top))
}

/// The highest folder that is still the package's own: that of its workspace, else the top of its checkout. Without
/// either nobody says that what is above belongs to the package.
pub(crate) fn top(package: &Path, host: &dyn Host) -> PathBuf {
    let is_workspace = |folder: &Path| {
        let table = document::read(&folder.join("Cargo.toml"), host);
        table.is_ok_and(|table| table.contains_key("workspace"))
    };
    // A folder in a checkout, a file in a further working tree of one.
    let is_checkout = |folder: &Path| host.info(&folder.join(".git")).is_some();
    let folders = || package.ancestors().map(Path::to_path_buf);
    folders()
        .find(|folder| is_workspace(folder))
        .or_else(|| folders().find(|folder| is_checkout(folder)))
        .unwrap_or_else(|| package.to_owned())
}
