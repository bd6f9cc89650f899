//! What interpreters and files said in earlier builds, kept in `OUT_DIR`: by the path, size and time of what was asked,
//! and by whatever else decides about the answer.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs};

use crate::adapter::Inspection;
use crate::diagnostic::Diagnostic;
use crate::digest::digest;
use crate::host::{Host, Program};
use crate::memo::Memo;
use crate::ordered::Map;
use crate::probe::{self, Interpreter};
use crate::replace::replace;
use crate::sysroot;
use crate::wire::{Written, parse, record};

/// What programs answered before: each is asked once, also by several pools at the same time.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    stored: Vec<u8>,
    interpreters: Memo<Interpreter>,
    /// What is behind the adapters' names.
    pub(crate) adapters: Memo<Inspection>,
    digests: Memo<String>,
}

/// The file's form.
#[derive(Default)]
struct Stored {
    interpreters: Map<String, Interpreter>,
    adapters: Map<String, Inspection>,
    digests: Map<String, String>,
}

record!(Stored {
    interpreters,
    adapters,
    digests
});

impl Cache {
    /// The cache of a file; one that cannot be read is an empty one.
    pub fn load(file: PathBuf) -> Self {
        let stored = fs::read(&file).unwrap_or_default();
        let Stored {
            interpreters,
            adapters,
            digests,
        } = str::from_utf8(&stored)
            .ok()
            .and_then(|text| parse(text).ok())
            .unwrap_or_default();
        Self {
            file: Some(file),
            stored,
            interpreters: Memo::of(interpreters),
            adapters: Memo::of(adapters),
            digests: Memo::of(digests),
        }
    }

    /// The cache of a file whose answers are not believed: all are asked for again.
    pub fn anew(file: PathBuf) -> Self {
        Self {
            file: Some(file),
            ..Self::default()
        }
    }

    /// Writes the cache if it learned something; a folder that cannot be written only costs the next build its
    /// probes, and a failure is never remembered. Of adapters only the last look is kept: each edit makes another.
    pub fn save(&self) {
        let now = Stored {
            interpreters: self.interpreters.known(),
            adapters: self.adapters.used(),
            digests: self.digests.used(),
        };
        if let Some(file) = &self.file
            && let text = now.tree().to_string()
            && text.as_bytes() != self.stored
        {
            let _ = replace(file, text.as_bytes());
        }
    }

    /// What the interpreter at `path` says of itself.
    ///
    /// # Errors
    /// `probe_failed`: it cannot be run, ends with a failure, hangs, or prints something else. `python_too_old`.
    pub fn ask(&self, path: &Path, host: &dyn Host) -> Result<Interpreter, Diagnostic> {
        let program = Program::new(path, &[], probe::LIMIT);
        let ask = || match host.target() {
            Some(target) => sysroot::interpreter(path, target, host),
            None => probe::ask(&program, host),
        };
        self.answer(key(path, host), ask)
    }

    /// The digest of a file's content; `None` where it cannot be read. A build script is not optimised, and a lock file
    /// may have megabytes: it is computed again when the file has another length or time.
    pub(crate) fn digest(&self, path: &Path, host: &dyn Host) -> Option<String> {
        let info = host.info(path)?;
        let digest = || Some(digest(&host.consult(path).ok()?));
        let Some(modified) = info
            .modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        else {
            return digest();
        };
        let key = format!("{}|{}|{}", path.display(), info.len, modified.as_nanos());
        let gone = || Diagnostic::custom("", "", "");
        let answer = self
            .digests
            .answer(key, |_| true, || digest().ok_or_else(gone));
        answer.ok()
    }

    /// What the interpreter says that a manager's command starts. `deciding` is everything that decides which one
    /// that is.
    ///
    /// # Errors
    /// Those of [`Cache::ask`].
    pub(crate) fn ask_through(
        &self,
        program: &Program<'_>,
        deciding: &dyn std::fmt::Debug,
        host: &dyn Host,
    ) -> Result<Interpreter, Diagnostic> {
        let key = key(program.path, host)
            .map(|key| format!("{key}|{:?}|{:?}|{deciding:?}", program.args, program.cwd));
        self.answer(key, || probe::ask(program, host))
    }

    fn answer(
        &self,
        key: Option<String>,
        ask: impl FnOnce() -> Result<Interpreter, Diagnostic>,
    ) -> Result<Interpreter, Diagnostic> {
        match key {
            Some(key) => self.interpreters.answer(key, |_| true, ask),
            None => ask(),
        }
    }
}

/// The path itself counts beside the file behind it: two venvs may share one interpreter.
fn key(path: &Path, host: &dyn Host) -> Option<String> {
    let info = host.info(path)?;
    let modified = info.modified?.duration_since(UNIX_EPOCH).ok()?;
    let canonical = host.on_this_machine(&host.canonical(path).ok()?);
    let prefix = path.parent().and_then(Path::parent)?;
    let mut key = format!(
        "{}|{}|{}|{}|{}",
        env!("CARGO_PKG_VERSION"),
        path.display(),
        canonical.display(),
        info.len,
        modified.as_nanos()
    );
    let mut deciding = vec![host.read(&prefix.join("pyvenv.cfg")).ok()];
    if host.is_script(path) {
        deciding.extend(selection(prefix, host));
    }
    for bytes in deciding {
        key.push('|');
        key.push_str(&String::from_utf8_lossy(&bytes.unwrap_or_default()));
    }
    Some(key)
}

/// What decides which interpreter a script starts, as far as it is known: pyenv's shims.
/// <https://github.com/pyenv/pyenv#understanding-python-version-selection>
fn selection(root: &Path, host: &dyn Host) -> [Option<Vec<u8>>; 3] {
    let variable = host.variable("PYENV_VERSION");
    let here = env::current_dir().unwrap_or_default();
    let local = here
        .ancestors()
        .find_map(|folder| host.read(&folder.join(".python-version")).ok());
    [
        variable.map(|version| version.to_string_lossy().into_owned().into_bytes()),
        local,
        host.read(&root.join("version")).ok(),
    ]
}
