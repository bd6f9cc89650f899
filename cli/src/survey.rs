//! A package looked at as its build script does: its sources read, its pools resolved.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::sync::Arc;

use proc_macro2::Span;
use snakepit_build::cache::Cache;
use snakepit_build::declaration::{PoolDeclaration, Request};
use snakepit_build::manifest::{Outcome, Resolution};
use snakepit_build::named::{self, Pool};
use snakepit_build::outcome::outcomes;
use snakepit_build::package::{Source, Sources, Unread, World, is_disabled};
use snakepit_build::resolver::Custom;
use snakepit_build::{Diagnostic, choice};

use crate::failure::Failure;
use crate::interrupt::{self, Interruptible};
use crate::last_build::{LastBuild, drift};
use crate::package::{BUILD, Package};
use crate::progress::Progress;
use crate::report::{Origin, PackageReport, Place, PoolReport, Problem, SourceText, Status};

/// How a package is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How<'a> {
    /// These pools alone; empty: all of them.
    pub(crate) pools: &'a [String],
    /// Whether interpreters are asked again that have not changed.
    pub(crate) anew: bool,
}

/// Looks at packages, one after the other.
///
/// # Errors
/// A pool that is named is in none of them.
pub(crate) fn survey(packages: &[Package], how: How<'_>) -> Result<Vec<PackageReport>, Failure> {
    interrupt::guard()?;
    let mut declared: Vec<Declared> = packages.iter().map(declared).collect();
    let is_read = declared.iter().all(|declared| declared.problems.is_empty());
    let all = declared.iter().flat_map(|declared| &declared.pools);
    let mut names: Vec<&str> = all.map(|pool| pool.request().pool.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if let Some(wanted) = how
        .pools
        .iter()
        .find(|wanted| !names.contains(&wanted.as_str()))
        // Else it may be one that could not be read, which the problems tell.
        .filter(|_| is_read)
    {
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let there = match &listed[..] {
            [] => "none is declared".to_owned(),
            listed => format!("there are {}", listed.join(", ")),
        };
        return Err(Failure::usage(format!("no pool `{wanted}`: {there}")));
    }
    if !how.pools.is_empty() {
        for declared in &mut declared {
            declared
                .pools
                .retain(|pool| how.pools.contains(&pool.request().pool));
        }
    }
    let surveyed = packages.iter().zip(declared);
    surveyed
        .map(|(package, declared)| resolved(package, declared, how.anew))
        .collect()
}

/// What the sources of a package say.
pub(crate) struct Declared {
    pub(crate) problems: Vec<Problem>,
    /// All pools, also those that are not looked at.
    pub(crate) named: Vec<Pool>,
    pools: Vec<DeclaredPool>,
}

struct DeclaredPool {
    key: String,
    declaration: PoolDeclaration,
    /// The struct's name.
    owner: String,
    source: Arc<SourceText>,
}

pub(crate) fn declared(package: &Package) -> Declared {
    let variable = |name: &str| package.variable(name);
    let sources = Sources::read(&package.folder, &package.sources);
    let mut declared = Declared {
        problems: Vec::new(),
        named: named::pools(&sources, &variable),
        pools: Vec::new(),
    };
    for source in sources.files {
        let Source {
            shown,
            text,
            declarations,
            ..
        } = source;
        let source = Arc::new(SourceText {
            path: shown.display().to_string(),
            text,
        });
        let declarations = match declarations {
            Ok(declarations) => declarations,
            Err(unread) => {
                declared.problems.push(unread_problem(&unread, &source));
                continue;
            }
        };
        for declaration in declarations {
            for mistake in &declaration.mistakes {
                let place = Place::of(mistake.span(), &source);
                declared
                    .problems
                    .push(Problem::of(mistake.diagnostic(), Status::Error, place));
            }
            let enabled = declaration
                .pools
                .into_iter()
                .filter(|pool| !is_disabled(pool, &variable));
            declared.pools.extend(enabled.map(|pool| DeclaredPool {
                key: pool.key(),
                declaration: pool,
                owner: declaration.name.clone(),
                source: Arc::clone(&source),
            }));
        }
    }
    if package.has_unknown_sources {
        declared.problems.push(Problem {
            severity: Status::Error,
            code: None,
            message: "the build script names further sources, which it alone knows, and it has not run yet"
                .to_owned(),
            help: Some("run `cargo build` first, which may fail".to_owned()),
            is_shared: false,
            place: None,
        });
    }
    if !declared.pools.is_empty() && !package.has_build_script {
        declared.problems.push(Problem {
            severity: Status::Error,
            code: None,
            message: format!("the package has no `build.rs`, or `{BUILD}` is not one of its `[build-dependencies]`"),
            help: Some(format!("run `cargo snakepit init -p {}`", package.name)),
            is_shared: false,
            place: None,
        });
    }
    declared
}

impl Declared {
    /// What is wrong with a pool, by its name in the lock, at its place if it has one.
    pub(crate) fn problem(&self, name: &str, fault: &Diagnostic) -> (Option<&str>, Problem) {
        let is_it =
            |pool: &&DeclaredPool| format!("{}.{}", pool.owner, pool.request().pool) == name;
        match self.pools.iter().find(is_it) {
            Some(pool) => {
                let name = pool.request().pool.as_str();
                (Some(name), pool.problem(fault, Status::Error))
            }
            None => (None, Problem::of(fault, Status::Error, None)),
        }
    }
}

impl DeclaredPool {
    fn request(&self) -> &Request {
        &self.declaration.request
    }

    /// The place of a part, as the macro finds it.
    fn place(&self, part: &str) -> Place {
        Place::of(self.declaration.span(part), &self.source)
    }

    fn problem(&self, diagnostic: &Diagnostic, severity: Status) -> Problem {
        Problem::of(diagnostic, severity, self.place(diagnostic.place()))
    }
}

fn unread_problem(unread: &Unread, source: &Arc<SourceText>) -> Problem {
    let place = match unread {
        Unread::File(_) => None,
        Unread::Syntax(error) => Some(Place::of(error.span(), source)),
    };
    Problem {
        severity: Status::Error,
        code: None,
        message: format!("`{}` {unread}", source.path),
        help: None,
        is_shared: false,
        place,
    }
}

impl Place {
    fn of(span: Span, source: &Arc<SourceText>) -> Self {
        let start = span.start();
        // Spans do not count a byte order mark.
        let mark = source.text.len() - source.text.trim_start_matches('\u{feff}').len();
        let range = span.byte_range();
        let end = (range.end + mark).min(source.text.len());
        Self {
            source: Arc::clone(source),
            span: (range.start + mark).min(end)..end,
            line: start.line,
            column: start.column + 1,
        }
    }
}

/// Makes a folder the current one.
///
/// # Errors
/// It is not there, or closed to this user.
pub(crate) fn enter(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    env::set_current_dir(folder).map_err(Failure::of(format!("`{shown}` cannot be entered")))
}

/// What becomes of the pools.
fn resolved(package: &Package, declared: Declared, anew: bool) -> Result<PackageReport, Failure> {
    // As cargo starts a build script: what a pyenv shim starts depends on the folder.
    enter(&package.folder)?;
    let file = package.cache.join(format!("{}-probes.json", package.name));
    let probes = if anew {
        Cache::anew(file)
    } else {
        Cache::load(file)
    };
    let progress = Progress::start();
    let world = World {
        package: &package.folder,
        custom: &Custom::new(),
        probes: &probes,
        host: &Interruptible,
        done: &|_| progress.done(),
    };
    let mut named = declared.named;
    for pool in &mut named {
        let is_wanted = declared.pools.iter().any(|wanted| wanted.key == pool.key);
        pool.is_enabled &= is_wanted && pool.request.custom.is_none();
    }
    let enabled = named.iter().filter(|pool| pool.is_enabled);
    let keys: BTreeSet<&String> = enabled.map(|pool| &pool.key).collect();
    progress.expect(keys.len());
    let found = outcomes(&named, world).pools;
    progress.finish();
    // A target folder that cannot be written to only costs the next check its probes.
    let _ = std::fs::create_dir_all(&package.cache);
    probes.save();
    let is_custom = |pool: &DeclaredPool| pool.request().custom.is_some();
    let last = declared
        .pools
        .iter()
        .any(is_custom)
        .then(|| LastBuild::of(package))
        .flatten();
    let pools = declared.pools.iter();
    let pools = pools.map(|pool| match found.get(&pool.key) {
        Some(outcome) => pool.report(outcome, Origin::Checked, &package.folder),
        None => pool.of_last_build(last.as_ref(), &package.folder),
    });
    Ok(PackageReport {
        name: package.name.clone(),
        version: package.version.clone(),
        manifest: package.manifest.clone(),
        pools: pools.collect(),
        problems: declared.problems,
    })
}

impl DeclaredPool {
    fn report(&self, outcome: &Outcome, origin: Origin, package: &Path) -> PoolReport {
        let (resolution, problems): (_, Vec<Problem>) = match outcome {
            Outcome::Resolved(resolution) => {
                let warnings = resolution.warnings.iter();
                let warnings = warnings.map(|warning| self.problem(warning, Status::Warning));
                (Some(resolution.clone()), warnings.collect())
            }
            Outcome::Failed(faults) => {
                let faults = faults.iter();
                (
                    None,
                    faults
                        .map(|fault| self.problem(fault, Status::Error))
                        .collect(),
                )
            }
        };
        PoolReport {
            request: self.request().clone(),
            owner: self.owner.clone(),
            place: self.place("pool"),
            origin,
            picked: self.picked(resolution.as_deref(), package),
            resolution,
            problems,
        }
    }

    /// For a custom environment.
    fn of_last_build(&self, last: Option<&LastBuild>, package: &Path) -> PoolReport {
        let kind = self.request().custom.as_deref().unwrap_or_default();
        let found = last.and_then(|last| Some((last, last.manifest.pools.get(&self.key)?)));
        let Some((last, outcome)) = found else {
            let mut report = self.report(&Outcome::Failed(Vec::new()), Origin::NotBuilt, package);
            report.problems.push(Problem {
                severity: Status::Error,
                code: None,
                message: format!(
                    "the environment `{kind}` is the package's own, which only its build script knows, and no build \
                     of this declaration was found"
                ),
                help: Some("run `cargo build`".to_owned()),
                is_shared: false,
                place: Some(self.place("environment")),
            });
            return report;
        };
        let mut report = self.report(outcome, Origin::LastBuild(last.path.clone()), package);
        if let Some(changed) = report.resolution.as_deref().and_then(drift) {
            report.problems.push(Problem {
                severity: Status::Error,
                code: None,
                message: format!("since the last build {changed}"),
                help: Some("run `cargo build`".to_owned()),
                is_shared: false,
                place: Some(self.place("environment")),
            });
        }
        report
    }

    /// Why the environment is the one that it is.
    fn picked(&self, resolution: Option<&Resolution>, package: &Path) -> Option<String> {
        if self.request().kind != "auto" {
            let Place { source, line, .. } = self.place("environment");
            return Some(format!("declared in {}:{line}", source.path));
        }
        if let Some(resolution) = resolution {
            return resolution.metadata.extra.get("detected_why").cloned();
        }
        let choice = choice::choose(self.request(), package, &Interruptible).ok()?;
        choice.reasons.get("detected_why").cloned()
    }
}

/// The pool that is meant, where one is wanted.
///
/// # Errors
/// There are several, or none.
pub(crate) fn only(reports: &[PackageReport]) -> Result<&PoolReport, Failure> {
    let pools: Vec<&PoolReport> = reports.iter().flat_map(|report| &report.pools).collect();
    match pools[..] {
        [pool] => Ok(pool),
        [] if reports.iter().any(|report| !report.problems.is_empty()) => Err(Failure::failed(
            "the sources cannot be read as they are: `cargo snakepit check` shows where",
        )),
        [] => Err(Failure::usage("no pool is declared")),
        _ => {
            let names: Vec<String> = pools
                .iter()
                .map(|pool| format!("`{}`", pool.request.pool))
                .collect();
            Err(Failure::usage(format!(
                "there are several pools: name one of {} with `--pool`",
                names.join(", ")
            )))
        }
    }
}
