//! The sources whose compilation shows what the macro says, each on a machine that is written down beside it:
//! `ui/errors/CODE.rs`, `CODE.toml` and, as trybuild keeps it, `CODE.stderr`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snakepit_build::cache::Cache;
use snakepit_build::manifest::Outcome;
use snakepit_build::outcome::outcomes;
use snakepit_build::package::World;
use snakepit_build::resolver::Custom;
use snakepit_build::{Config, Diagnostic, Host, Launch, PythonEnvironment, named};

use crate::stage::{PACKAGE, Stage};

/// One source, relative to the package of the tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scene {
    source: PathBuf,
}

impl Scene {
    /// All sources of a folder, in the order of their names.
    ///
    /// # Panics
    /// If the folder cannot be read.
    pub fn all(folder: &str) -> Vec<Self> {
        let entries = fs::read_dir(folder).expect("the sources are there");
        let paths = entries.map(|entry| entry.expect("the folder can be read").path());
        let sources =
            paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let mut scenes: Vec<Self> = sources.map(|source| Self { source }).collect();
        scenes.sort();
        scenes
    }

    /// The source.
    pub fn path(&self) -> &Path {
        &self.source
    }

    /// The source's name without `.rs`; in `ui/errors` it is the code that the scene provokes.
    pub fn name(&self) -> String {
        let stem = self.source.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// What the compiler says, as trybuild keeps it.
    pub fn said(&self) -> Option<String> {
        fs::read_to_string(self.source.with_extension("stderr")).ok()
    }

    /// What the build helper finds for the source's pools on the scene's machine.
    ///
    /// # Panics
    /// If a file of the scene cannot be read.
    pub fn outcomes(&self) -> BTreeMap<String, Outcome> {
        let text = fs::read_to_string(&self.source).expect("the source can be read");
        let machine = fs::read_to_string(self.source.with_extension("toml")).unwrap_or_default();
        let stage = Stage::parse(&machine);
        let mut custom = Custom::new();
        custom.insert("frozen".to_owned(), Box::new(Named("/usr/bin/python3")));
        custom.insert("relative".to_owned(), Box::new(Named("python3")));
        let world = World {
            package: Path::new(PACKAGE),
            custom: &custom,
            probes: &Cache::default(),
            host: &stage,
            done: &|_| {},
        };
        outcomes(&named::of_text(&text), world).pools
    }

    /// The warnings of the source's pools.
    pub fn warnings(&self) -> Vec<String> {
        let outcomes = self.outcomes().into_iter();
        outcomes
            .filter_map(|(key, outcome)| match outcome {
                Outcome::Resolved(resolution) => Some((key, resolution.warnings)),
                Outcome::Failed(_) => None,
            })
            .flat_map(|(key, warnings)| {
                let request: Value = serde_json::from_str(&key).expect("a key is JSON");
                let pool = request["pool"].as_str().unwrap_or_default().to_owned();
                let of_pool = move |warning: Diagnostic| warning.warning_of_pool(&pool);
                warnings.into_iter().map(of_pool)
            })
            .collect()
    }
}

/// An environment of the program's own, whose interpreter somebody named.
struct Named(&'static str);

impl PythonEnvironment for Named {
    fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {
        Ok(PathBuf::from(self.0))
    }

    fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        Ok(Launch::default())
    }

    fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
        Ok(())
    }
}
