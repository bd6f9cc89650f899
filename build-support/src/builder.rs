//! `emit()`: sources to declarations, declarations to the manifest, facts to Cargo's directives.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};

use crate::declaration::Request;
use crate::environment::PythonEnvironment;
use crate::environment::docker::SELECTION;
use crate::host::Machine;
use crate::manifest::{FILE_NAME, Manifest, Outcome};
use crate::package::{Sources, World, is_disabled, resolve_all};
use crate::probe::Cache;
use crate::recorder::Facts;
use crate::resolver::Custom;

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

    /// Registers a kind of environment, used as `environment = custom("name", ...)`.
    #[must_use]
    pub fn environment(
        mut self,
        name: &str,
        environment: impl PythonEnvironment + 'static,
    ) -> Self {
        self.custom.insert(name.to_owned(), Box::new(environment));
        self
    }

    /// Reads another source file, relative to the package.
    #[must_use]
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(path.into());
        self
    }

    /// Resolves all pools side by side, writes the manifest and prints Cargo's directives.
    ///
    /// # Panics
    /// Outside a build script, or when `OUT_DIR` cannot be written.
    pub fn emit(self) {
        let package = PathBuf::from(
            env::var_os("CARGO_MANIFEST_DIR").expect("`emit` is called by a build script"),
        );
        let out =
            PathBuf::from(env::var_os("OUT_DIR").expect("`emit` is called by a build script"));
        let Declared { pools, watched } = self.declared(&package);
        let probes = Cache::load(out.join("snakepit-probes.json"));
        let world = World {
            package: &package,
            custom: &self.custom,
            probes: &probes,
            host: &Machine,
        };
        let requests = pools.iter().map(|(key, pool)| (key.clone(), &pool.request));
        let (outcomes, facts) = resolve_all(requests, world, &|_| {}).into_iter().unzip();
        let facts: Vec<Facts> = facts;
        let manifest = Manifest { pools: outcomes };
        probes.save();
        let path = out.join(FILE_NAME);
        if let Err(error) = manifest.write(&path) {
            panic!("`{}` cannot be written: {error}", path.display());
        }
        for directive in directives(&manifest, &pools, &watched, &facts, &out) {
            println!("{directive}");
        }
    }

    fn declared(&self, package: &Path) -> Declared {
        // A file that cannot be read or parsed is the compiler's to report, at its place.
        let sources = Sources::read(package, &self.sources);
        let mut pools = BTreeMap::new();
        for source in sources.files {
            let declarations = source.declarations.unwrap_or_default();
            let declared = declarations
                .into_iter()
                .flat_map(|declaration| declaration.pools)
                .filter(|pool| !is_disabled(pool, &|name| env::var(name).ok()));
            for pool in declared {
                let line = pool.span("pool").start().line;
                let place = pools.entry(pool.key());
                place.or_insert_with(|| Declaration {
                    place: format!("{}:{line}", source.shown.display()),
                    request: pool.request,
                });
            }
        }
        Declared {
            pools,
            watched: sources.watched,
        }
    }
}

/// What the sources say.
struct Declared {
    /// The pools, by their keys.
    pools: BTreeMap<String, Declaration>,
    /// The files and folders to watch for new pools.
    watched: BTreeSet<PathBuf>,
}

/// A pool of the sources.
struct Declaration {
    /// Where it stands first, as `src/main.rs:7`. Only Cargo's warnings have it: the manifest is the same wherever a
    /// pool stands.
    place: String,
    request: Request,
}

/// What Cargo is told: when to ask again, and what to warn of.
fn directives(
    manifest: &Manifest,
    pools: &BTreeMap<String, Declaration>,
    watched: &BTreeSet<PathBuf>,
    facts: &[Facts],
    out: &Path,
) -> Vec<String> {
    let mut lines = Vec::new();
    let seen = facts
        .iter()
        .flat_map(|facts| facts.files.keys().chain(facts.consulted.keys()));
    for path in watched.iter().chain(seen).collect::<BTreeSet<_>>() {
        let path = path.display().to_string();
        // What follows a line break would be a directive of the file's own.
        if !path.contains(['\n', '\r']) {
            lines.push(format!("cargo::rerun-if-changed={path}"));
        }
    }
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    if manifest.pools.values().any(failed) {
        // The mending may make any file: while a pool fails, a file that is never there makes Cargo ask each time.
        let never = out.join("snakepit-failed");
        lines.push(format!("cargo::rerun-if-changed={}", never.display()));
    }
    let asked = facts.iter().flat_map(|facts| &facts.variables);
    let variables: BTreeSet<&str> = asked
        .map(String::as_str)
        .chain(["SNAKEPIT_PYTHON"])
        .collect();
    for name in variables {
        if name.starts_with("SNAKEPIT_")
            || name == "UV_PROJECT_ENVIRONMENT"
            || SELECTION.contains(&name)
        {
            lines.push(format!("cargo::rerun-if-env-changed={name}"));
        }
    }
    for (key, outcome) in &manifest.pools {
        if let Outcome::Resolved(resolution) = outcome
            && let Some(Declaration { place, request }) = pools.get(key)
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
    use std::fs;

    use super::*;
    use crate::catalogue::Code;
    use crate::diagnostic::Diagnostic;
    use crate::manifest::Resolution;

    /// The directives of a package whose only pool reads one file and three variables.
    fn lines(outcome: Outcome) -> Vec<String> {
        let facts = Facts {
            files: BTreeMap::from([
                (PathBuf::from("/venv/pyvenv.cfg"), None),
                (PathBuf::from("/venv\ncargo::warning=a"), None),
            ]),
            consulted: BTreeMap::from([(PathBuf::from("/app/uv.lock"), 1)]),
            variables: [
                "DOCKER_HOST",
                "PATH",
                "SNAKEPIT_HOME",
                "UV_PROJECT_ENVIRONMENT",
            ]
            .map(str::to_owned)
            .into(),
        };
        let manifest = Manifest {
            pools: BTreeMap::from([("ml".to_owned(), outcome)]),
        };
        let watched = BTreeSet::from([PathBuf::from("/app/src")]);
        let pool = Declaration {
            place: "src/main.rs:7".to_owned(),
            request: Request::new("ml"),
        };
        directives(
            &manifest,
            &BTreeMap::from([("ml".to_owned(), pool)]),
            &watched,
            &[facts.clone(), facts],
            Path::new("/out"),
        )
    }

    #[test]
    fn cargo_watches_what_was_seen_and_only_variables_that_name_an_environment() {
        let wanted = [
            "cargo::rerun-if-changed=/app/src",
            "cargo::rerun-if-changed=/app/uv.lock",
            "cargo::rerun-if-changed=/venv/pyvenv.cfg",
            "cargo::rerun-if-env-changed=DOCKER_HOST",
            "cargo::rerun-if-env-changed=SNAKEPIT_HOME",
            "cargo::rerun-if-env-changed=SNAKEPIT_PYTHON",
            "cargo::rerun-if-env-changed=UV_PROJECT_ENVIRONMENT",
        ];
        assert_eq!(lines(Outcome::Resolved(Box::default())), wanted);
    }

    #[test]
    fn a_warning_names_the_file_and_the_line_of_its_pool() {
        let resolution = Resolution {
            warnings: vec![Diagnostic::new(Code::GilStillEnabled, "slow", "wait")],
            ..Resolution::default()
        };
        let lines = lines(Outcome::Resolved(Box::new(resolution)));
        let wanted = "cargo::warning=src/main.rs:7: pool `ml`: slow [snakepit::gil_still_enabled]; help: wait";
        assert_eq!(lines.last().map(String::as_str), Some(wanted));
    }

    #[test]
    fn pools_are_found_with_the_line_of_their_attribute() {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir(package.path().join("src")).unwrap();
        let source = "//! A program.\n\n#[snakepit_pools]\nstruct C {\n    #[pool]\n    ml: PoolConfig,\n}\n";
        fs::write(package.path().join("src/main.rs"), source).unwrap();
        let declared = Builder::new().declared(package.path());
        let places: Vec<&String> = declared.pools.values().map(|pool| &pool.place).collect();
        assert_eq!(places, ["src/main.rs:5"]);
    }

    #[test]
    fn while_a_pool_fails_each_build_asks_again() {
        let fault = Diagnostic::new(Code::VenvNotFound, "none", "make one");
        let lines = lines(Outcome::Failed(vec![fault]));
        assert!(
            lines.contains(&"cargo::rerun-if-changed=/out/snakepit-failed".to_owned()),
            "{lines:?}"
        );
    }
}
