//! A host that remembers what was looked at. Cargo's `rerun-if-changed` lines and the re-check's facts come from
//! here: nobody writes either list by hand.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cache::Cache;
use crate::diagnostic::Diagnostic;
use crate::host::{Answer, FileInfo, Host, Program};
use crate::ordered::{Map, Set};
use crate::probe::Interpreter;
use crate::sysroot::Target;

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The files that were there, with their content where it was read. Folders are left out, since Cargo would
    /// watch everything below them, and so are missing files: Cargo would rerun the build script for ever.
    pub(crate) files: Map<PathBuf, Option<Vec<u8>>>,
    /// What was read for the build alone, as digests: Cargo watches it, the program does not compare it.
    pub(crate) consulted: Map<PathBuf, u64>,
    /// Sources of the package, where they are on the build machine: Cargo watches them.
    pub(crate) sources: Set<PathBuf>,
    /// The environment variables that were asked for.
    pub(crate) variables: Set<String>,
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Another host, whose facts are recorded.
pub(crate) struct Recorder<'a> {
    host: &'a dyn Host,
    probes: &'a Cache,
    facts: Mutex<Facts>,
}

impl<'a> Recorder<'a> {
    /// Nothing looked at yet.
    pub(crate) fn new(host: &'a dyn Host, probes: &'a Cache) -> Self {
        Self {
            host,
            probes,
            facts: Mutex::default(),
        }
    }

    /// What was seen so far.
    pub(crate) fn into_facts(self) -> Facts {
        self.facts
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, note: impl FnOnce(&mut Facts)) {
        note(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn saw_if_there(&self, path: &Path) {
        // Asking is recording.
        let _ = self.info(path);
    }

    fn consulted(&self, path: &Path, bytes: &[u8]) {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        self.record(|facts| {
            facts.consulted.insert(path.to_owned(), hasher.finish());
        });
    }

    fn saw(&self, path: &Path) {
        self.record(|facts| {
            facts.files.or_insert_with(path.to_owned(), || None);
        });
    }
}

impl Host for Recorder<'_> {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        let info = self.host.info(path)?;
        if !info.is_dir {
            self.saw(path);
        }
        Some(info)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.host.read(path)?;
        self.record(|facts| {
            facts.files.insert(path.to_owned(), Some(bytes.clone()));
        });
        Ok(bytes)
    }

    fn consult(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.host.consult(path)?;
        self.consulted(path, &bytes);
        Ok(bytes)
    }

    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let bytes = self.host.consult_start(path, most)?;
        self.consulted(path, &bytes);
        Ok(bytes)
    }

    fn is_script(&self, path: &Path) -> bool {
        self.saw_if_there(path);
        self.host.is_script(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.host.canonical(path)
    }

    fn is_link(&self, path: &Path) -> bool {
        self.host.is_link(path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        self.host.list(path)
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.record(|facts| {
            facts.variables.insert(name.to_owned());
        });
        self.host.variable(name)
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        let path = self.host.which(name)?;
        self.saw(&path);
        Some(path)
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        self.saw_if_there(program.path);
        self.host.run(program)
    }

    fn source(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.host.source(path)?;
        self.record(|facts| {
            facts.sources.insert(path.to_owned());
        });
        Ok(bytes)
    }

    fn source_info(&self, path: &Path) -> Option<FileInfo> {
        let info = self.host.source_info(path)?;
        if !info.is_dir {
            self.record(|facts| {
                facts.sources.insert(path.to_owned());
            });
        }
        Some(info)
    }

    fn target(&self) -> Option<&Target> {
        self.host.target()
    }

    fn package(&self, built: &Path) -> PathBuf {
        self.host.package(built)
    }

    fn on_this_machine(&self, path: &Path) -> PathBuf {
        self.host.on_this_machine(path)
    }

    fn interpreter(&self, path: &Path) -> Result<Interpreter, Diagnostic> {
        self.saw_if_there(path);
        // What decides between cached answers is a fact of the build, not of the environment: it is read through
        // the host below, whose recorder is the build's.
        self.probes.ask(path, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    #[test]
    fn a_file_that_is_consulted_is_watched_and_not_compared_at_start_up() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let probes = Cache::default();
        let build = Recorder::new(&Machine, &probes);
        let own = Recorder::new(&build, &probes);
        own.consult(&file).unwrap();
        for facts in [own.into_facts(), build.into_facts()] {
            assert!(facts.consulted.contains_key(&file), "{facts:?}");
            assert!(facts.files.keys().next().is_none(), "{facts:?}");
        }
    }
}
