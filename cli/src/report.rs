//! What was found, as data: what people read and what programs read is made of it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use snakepit_build::Diagnostic;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::Resolution;

/// How it stands with something, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    Warning,
    Error,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One package.
#[derive(Debug)]
pub(crate) struct PackageReport {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest: PathBuf,
    /// What is wrong beside the pools: in a source that cannot be read, in an attribute.
    pub(crate) problems: Vec<Problem>,
    pub(crate) pools: Vec<PoolReport>,
}

/// One pool.
#[derive(Debug)]
pub(crate) struct PoolReport {
    pub(crate) request: Request,
    /// The struct that declares it.
    pub(crate) owner: String,
    pub(crate) place: Place,
    pub(crate) origin: Origin,
    pub(crate) resolution: Option<Box<Resolution>>,
    /// Why this environment was picked, where it was.
    pub(crate) picked: Option<String>,
    pub(crate) problems: Vec<Problem>,
}

/// How it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was looked at just now.
    Checked,
    /// The package's own build script, which alone knows its custom environments, found it when it last ran.
    LastBuild(PathBuf),
    /// The same, but it has never run since the pool was declared like this.
    NotBuilt,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) severity: Status,
    /// With its code; `None`: what the compiler would say, or this program itself.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Whether it is what is wrong with all pools of the package, such as with its lock.
    pub(crate) is_shared: bool,
    pub(crate) place: Option<Place>,
}

/// A place in a source.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: Arc<SourceText>,
    /// In bytes.
    pub(crate) span: Range<usize>,
    pub(crate) line: usize,
    /// From 1 on, in characters.
    pub(crate) column: usize,
}

/// A source file.
#[derive(Debug)]
pub(crate) struct SourceText {
    /// Relative to the package, where it stands in it.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn of(
        diagnostic: &Diagnostic,
        severity: Status,
        place: impl Into<Option<Place>>,
    ) -> Self {
        Self {
            severity,
            code: Some(diagnostic.code().to_owned()),
            message: diagnostic.message().to_owned(),
            help: Some(diagnostic.help().to_owned()),
            is_shared: diagnostic.place() == "struct",
            place: place.into(),
        }
    }
}

impl PoolReport {
    pub(crate) fn status(&self) -> Status {
        let worst = self.problems.iter().map(|problem| problem.severity).max();
        worst.unwrap_or(Status::Ok)
    }

    /// The kind of environment, as far as it is known.
    pub(crate) fn environment(&self) -> &str {
        match (&self.resolution, &self.request.custom) {
            (Some(resolution), _) => &resolution.metadata.environment,
            (None, Some(custom)) => custom,
            (None, None) => &self.request.kind,
        }
    }
}

impl PackageReport {
    pub(crate) fn status(&self) -> Status {
        let pools = self.pools.iter().map(PoolReport::status);
        let problems = self.problems.iter().map(|problem| problem.severity);
        pools.chain(problems).max().unwrap_or(Status::Ok)
    }
}
