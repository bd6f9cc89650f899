//! `emit()`: sources to declarations, declarations to the manifest, facts to Cargo's directives.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::cache::Cache;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::environment::PythonEnvironment;
use crate::environment::docker::SELECTION;
use crate::host::Host;
use crate::lock::{self, Lock};
use crate::machine::Machine;
use crate::manifest::{EMITTED, FILE_NAME, Manifest, Outcome};
use crate::named::{self, Pool};
use crate::ordered::{Ordered, Set};
use crate::outcome::{OFFLINE, Outcomes, found, looked_at, outcomes, resolved};
use crate::package::{Sources, World, on_this_machine};
use crate::resolver::Custom;
use crate::sysroot;

/// Resolves every declared pool of the package whose build script calls it.
///
/// It does not panic on a missing environment: the macro reports that at the attribute that asked for it.
///
/// # Panics
/// Outside a build script, or when `OUT_DIR` cannot be written.
pub fn emit() {
    Builder::new().emit();
}

/// The long form of [`emit`].
///
/// ```no_run
/// use snakepit_build::Builder;
///
/// // in the `main` of build.rs
/// Builder::new().source("generated/pools.rs").emit();
/// ```
#[derive(Default)]
pub struct Builder {
    custom: Custom,
    sources: Vec<PathBuf>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("environments", &self.custom.keys().collect::<Vec<_>>())
            .field("sources", &self.sources)
            .finish()
    }
}

impl Builder {
    /// A builder that reads `src`, `tests`, `examples` and `benches`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a kind of environment, used as `environment = custom("name", ...)`: [`PythonEnvironment`] has an example.
    /// The name may be that of one of Snakepit's own kinds.
    #[must_use]
    pub fn environment(
        mut self,
        name: &str,
        environment: impl PythonEnvironment + 'static,
    ) -> Self {
        self.custom.insert(name.to_owned(), Box::new(environment));
        self
    }

    /// Reads another source file, relative to the package: one with pools that is outside of `src`, `tests`, `examples`
    /// and `benches`.
    ///
    /// ```
    /// use snakepit_build::Builder;
    ///
    /// let builder = Builder::new().source("generated/pools.rs").source("shared/config.rs");
    /// ```
    #[must_use]
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(path.into());
        self
    }

    /// Resolves all pools side by side, holds them against the lock, writes the manifest and prints Cargo's directives.
    ///
    /// Where there is a lock, or where it knows what nobody else does, such as environments of the program's own, it
    /// also writes the lock that it would accept: `OUT_DIR/snakepit.lock`.
    ///
    /// # Panics
    /// Outside a build script, or when `OUT_DIR` cannot be written.
    pub fn emit(self) {
        let package = PathBuf::from(
            env::var_os("CARGO_MANIFEST_DIR").expect("`emit` is called by a build script"),
        );
        let out =
            PathBuf::from(env::var_os("OUT_DIR").expect("`emit` is called by a build script"));
        let sources = Sources::read(&package, &self.sources);
        let pools = named::pools(&sources, &|name| env::var(name).ok());
        let probes = Cache::load(out.join("snakepit-probes.json"));
        let world = self.world(&package, &probes, &Machine);
        let mut outcomes = outcomes(&pools, world);
        let is_known_here = !self.custom.is_empty() || !self.sources.is_empty();
        if is_known_here && !outcomes.is_locked {
            let world = looked_at(world, &outcomes.sysroot);
            outcomes.found = found(&pools, &outcomes.pools, None, world);
        }
        probes.save();
        let manifest = Manifest {
            pools: outcomes.pools.clone(),
            package: outcomes.package(&package).display().to_string(),
            sources: self
                .sources
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        };
        if let Err(why) = handed_over(&out, &manifest, outcomes.found.as_ref()) {
            panic!("{why}");
        }
        for directive in directives(&sources.watched, &pools, &outcomes, &package, &out) {
            println!("{directive}");
        }
    }

    /// What a lock of the package in a folder would have to say now, whatever the one that is there says. No build
    /// script runs: of a kind of its own the package's `build.rs` tells alone, which leaves what it found in
    /// `OUT_DIR/snakepit.lock`.
    ///
    /// All pools are looked for but those of other targets than this machine.
    ///
    /// # Errors
    /// Every source and every declaration that cannot be read, else every pool that cannot be resolved, with what is
    /// wrong with it.
    pub fn lock(&self, package: &Path) -> Result<Lock, Vec<Refused>> {
        self.lock_on(package, &Machine)
    }

    /// The same, on a machine.
    ///
    /// # Errors
    /// Those of [`Builder::lock`].
    #[doc(hidden)]
    pub fn lock_on(&self, package: &Path, host: &dyn Host) -> Result<Lock, Vec<Refused>> {
        let sources = Sources::read(package, &self.sources);
        // A pool that cannot be read would be taken for one that is gone.
        let unread = unread(&sources);
        if !unread.is_empty() {
            return Err(unread);
        }
        let mut pools = named::pools(&sources, &on_this_machine);
        // A pool is left out if that is so with the features and without them.
        let with_features = |name: &str| match name.starts_with("CARGO_FEATURE_") {
            true => Some(String::new()),
            false => on_this_machine(name),
        };
        for (pool, other) in pools.iter_mut().zip(named::pools(&sources, &with_features)) {
            pool.is_enabled |= other.is_enabled;
        }
        let probes = Cache::default();
        let world = self.world(package, &probes, host);
        let resolved = resolved(&pools, world);
        // One that cannot be read is what is to be replaced.
        let known = Lock::read(package).unwrap_or_default();
        let world = looked_at(world, &resolved.sysroot);
        found(&pools, &resolved.pools, known.as_ref(), world).ok_or_else(|| {
            let mut refused = Vec::new();
            for pool in &pools {
                if let Some(Outcome::Failed(faults)) = resolved.pools.get(&pool.key) {
                    refused.extend(faults.iter().map(|fault| Refused {
                        pool: pool.name.clone(),
                        place: pool.place.clone(),
                        fault: fault.clone(),
                    }));
                }
            }
            refused
        })
    }

    fn world<'a>(&'a self, package: &'a Path, probes: &'a Cache, host: &'a dyn Host) -> World<'a> {
        World {
            package,
            custom: &self.custom,
            probes,
            host,
            done: &|_| {},
        }
    }
}

/// Writes what the build found into `OUT_DIR`, or says what is in the way.
fn handed_over(out: &Path, manifest: &Manifest, found: Option<&Lock>) -> Result<(), String> {
    let told = |path: &Path, attempt: &str, error: io::Error| {
        format!(
            "`{}` cannot be {attempt}: {error}; see that this user may write there and that the disk has room, or have \
             the folder made anew: `cargo clean`",
            path.display()
        )
    };
    let path = out.join(FILE_NAME);
    let written = manifest.write(&path);
    written.map_err(|error| told(&path, "written", error))?;
    let path = lock::path(out);
    let Some(found) = found else {
        // That of an earlier build would be taken for this one's.
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(told(&path, "removed", error))
            }
            _ => Ok(()),
        };
    };
    let written = found.write_to(&path).map(drop);
    written.map_err(|error| told(&path, "written", error))
}

/// What is wrong with the sources themselves.
fn unread(sources: &Sources) -> Vec<Refused> {
    let mut refused = Vec::new();
    for source in &sources.files {
        let shown = source.shown.display();
        let mut refuse = |pool: &str, line: Option<usize>, fault: Diagnostic| {
            refused.push(Refused {
                pool: pool.to_owned(),
                place: match line {
                    Some(line) => format!("{shown}:{line}"),
                    None => shown.to_string(),
                },
                fault,
            });
        };
        match &source.declarations {
            Ok(declarations) => {
                for declaration in declarations {
                    for mistake in &declaration.mistakes {
                        let line = mistake.span().start().line;
                        let fault = mistake.diagnostic().clone();
                        refuse(&declaration.name, Some(line), fault);
                    }
                }
            }
            Err(unread) => {
                let message = format!("`{shown}` {unread}");
                let fault = Diagnostic::new(Code::DeclarationUnknown, message, "mend the file");
                refuse("", unread.line(), fault);
            }
        }
    }
    refused
}

/// A pool that cannot be resolved, or a declaration that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name, as the lock has it: `AppConfig.ml`; of a mistake that of the struct, of a file none.
    pub pool: String,
    /// Where it stands: `src/main.rs:7`.
    pub place: String,
    /// What is wrong with it.
    pub fault: Diagnostic,
}

/// What Cargo is told: when to ask again, and what to warn of.
fn directives(
    sources: &Set<PathBuf>,
    declared: &[Pool],
    outcomes: &Outcomes,
    package: &Path,
    out: &Path,
) -> Vec<String> {
    let mut lines = vec![format!("cargo::rustc-env={EMITTED}=1")];
    let Outcomes { pools, facts, .. } = outcomes;
    let mut watched: Set<PathBuf> = sources.clone();
    for facts in facts {
        let seen = facts.files.keys().chain(facts.consulted.keys());
        watched.extend(seen.map(|path| outcomes.host().on_this_machine(path)));
        watched.extend(facts.sources.iter().cloned());
    }
    if outcomes.is_locked {
        watched.insert(lock::path(package));
        watched.extend(outcomes.locked_files());
    }
    for path in watched {
        let path = path.display().to_string();
        // What follows a line break would be a directive of the file's own.
        if !path.contains(['\n', '\r']) {
            lines.push(format!("cargo::rerun-if-changed={path}"));
        }
    }
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    if pools.values().any(failed) {
        // The mending may make any file: while a pool fails, a file that is never there makes Cargo ask each time.
        let never = out.join("snakepit-failed");
        lines.push(format!("cargo::rerun-if-changed={}", never.display()));
    }
    let asked = facts.iter().flat_map(|facts| &facts.variables);
    let always = [OFFLINE, "SNAKEPIT_PYTHON", sysroot::VARIABLE];
    let roots = outcomes.sysroot.iter().flat_map(|_| sysroot::roots());
    let variables: Set<String> = asked
        .cloned()
        .chain(always.map(str::to_owned))
        .chain(roots)
        .ordered();
    for name in variables {
        if name.starts_with("SNAKEPIT_")
            || name == "UV_PROJECT_ENVIRONMENT"
            || SELECTION.contains(&&*name)
        {
            lines.push(format!("cargo::rerun-if-env-changed={name}"));
        }
    }
    for (key, outcome) in pools {
        if let Outcome::Resolved(resolution) = outcome
            && let Some(Pool { place, request, .. }) = declared.iter().find(|pool| pool.key == *key)
        {
            let warnings = resolution.warnings.iter();
            lines.extend(warnings.map(|warning| {
                let warning = warning.warning_of_pool(&request.pool);
                format!("cargo::warning={place}: {warning}")
            }));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::manifest::Resolution;
    use crate::recorder::Facts;

    /// The directives of a package whose only pool reads one file and three variables.
    fn lines(outcome: Outcome, is_locked: bool) -> Vec<String> {
        let facts = Facts {
            files: ["/venv/pyvenv.cfg", "/venv\ncargo::warning=a"]
                .map(|path| (PathBuf::from(path), None))
                .into_iter()
                .ordered(),
            sources: Set::new(),
            consulted: [(PathBuf::from("/app/uv.lock"), 1)].into_iter().ordered(),
            variables: [
                "DOCKER_HOST",
                "PATH",
                "SNAKEPIT_HOME",
                "UV_PROJECT_ENVIRONMENT",
            ]
            .map(str::to_owned)
            .into_iter()
            .ordered(),
        };
        let source = "\n\n\n\n\n#[snakepit_pools] struct C {\n    #[pool] ml: PoolConfig,\n}";
        let pools = named::of_text(source);
        let outcomes = Outcomes {
            pools: BTreeMap::from([(pools[0].key.clone(), outcome)]),
            facts: vec![facts.clone(), facts],
            is_locked,
            ..Outcomes::default()
        };
        let sources = [PathBuf::from("/app/src")].into_iter().ordered();
        let [package, out] = ["/app", "/out"].map(Path::new);
        directives(&sources, &pools, &outcomes, package, out)
    }

    #[test]
    fn cargo_watches_what_was_seen_and_only_variables_that_name_an_environment() {
        let wanted = [
            "cargo::rustc-env=SNAKEPIT_EMITTED=1",
            "cargo::rerun-if-changed=/app/src",
            "cargo::rerun-if-changed=/app/uv.lock",
            "cargo::rerun-if-changed=/venv/pyvenv.cfg",
            "cargo::rerun-if-env-changed=DOCKER_HOST",
            "cargo::rerun-if-env-changed=SNAKEPIT_HOME",
            "cargo::rerun-if-env-changed=SNAKEPIT_OFFLINE",
            "cargo::rerun-if-env-changed=SNAKEPIT_PYTHON",
            "cargo::rerun-if-env-changed=SNAKEPIT_SYSROOT",
            "cargo::rerun-if-env-changed=UV_PROJECT_ENVIRONMENT",
        ];
        assert_eq!(lines(Outcome::Resolved(Box::default()), false), wanted);
    }

    #[test]
    fn a_lock_that_is_there_is_watched_and_one_that_is_not_never() {
        let line = "cargo::rerun-if-changed=/app/snakepit.lock".to_owned();
        for is_locked in [false, true] {
            let lines = lines(Outcome::Resolved(Box::default()), is_locked);
            assert_eq!(lines.contains(&line), is_locked, "{lines:?}");
        }
    }

    #[test]
    fn a_warning_names_the_file_and_the_line_of_its_pool() {
        let resolution = Resolution {
            warnings: vec![Diagnostic::new(Code::GilStillEnabled, "slow", "wait")],
            ..Resolution::default()
        };
        let lines = lines(Outcome::Resolved(Box::new(resolution)), false);
        let wanted = "cargo::warning=src/main.rs:7: pool `ml`: slow [snakepit::gil_still_enabled]; help: wait";
        assert_eq!(lines.last().map(String::as_str), Some(wanted));
    }

    #[test]
    fn what_cannot_be_written_or_removed_is_told_by_its_own_path() {
        let out = tempfile::tempdir().unwrap();
        let manifest = Manifest::default();
        let lock = lock::path(out.path());
        fs::create_dir_all(lock.join("inside")).unwrap();
        for (found, attempt) in [(None, "removed"), (Some(&Lock::default()), "written")] {
            let why = handed_over(out.path(), &manifest, found).unwrap_err();
            let wanted = format!("`{}` cannot be {attempt}: ", lock.display());
            assert!(why.starts_with(&wanted), "{why}");
        }
        let nowhere = out.path().join("nowhere");
        let why = handed_over(&nowhere, &manifest, None).unwrap_err();
        assert!(
            why.contains(FILE_NAME) && why.contains("cargo clean"),
            "{why}"
        );
    }

    #[test]
    fn while_a_pool_fails_each_build_asks_again() {
        let fault = Diagnostic::new(Code::VenvNotFound, "none", "make one");
        let lines = lines(Outcome::Failed(vec![fault]), false);
        assert!(
            lines.contains(&"cargo::rerun-if-changed=/out/snakepit-failed".to_owned()),
            "{lines:?}"
        );
    }
}
