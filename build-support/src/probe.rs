//! Asks one interpreter who it is: one run of one small script, one JSON answer, remembered in `OUT_DIR` by the
//! interpreter's path, size and time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use serde_json::Value;

use crate::adapter::Inspection;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Host, Program};
use crate::memo::Memo;
use crate::replace::replace;
use crate::said::said;
use crate::shell;
use crate::sysroot;
use crate::wire::record;

/// Longest wait for an interpreter's answer.
pub const LIMIT: Duration = Duration::from_secs(10);

/// The oldest Python that a worker runs on; the script compares it, too.
pub(crate) const OLDEST: &str = "3.8";

/// What comes before the answer: `site` and `sitecustomize` may print whatever they like before it.
const MARK: &str = "snakepit-probe:";

/// The functions of the script.
const PROBE: &str = include_str!("probe.py");

/// Runs them, after [`PROBE`].
const ASK: &str = r#"print("snakepit-probe:" + json(answer()))"#;

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// `3.13.2`.
    pub version: String,
    /// `cpython`, `pypy`, ...
    pub implementation: String,
    /// `sys.executable`.
    pub executable: String,
    /// `sys.prefix`.
    pub prefix: String,
    /// `sys.base_prefix`.
    pub base_prefix: String,
    /// `linux-x86_64`, ...
    pub platform: String,
    /// `cpython-313`, ...
    pub cache_tag: String,
    /// `sys.abiflags`: `t` for a free-threaded build, `d` for a debug build.
    pub abi_flags: String,
    /// The tag of its binary interface: `cpython-313-x86_64-linux-gnu`; empty where it has none.
    pub soabi: String,
    /// How its extension modules end: `.cpython-313-x86_64-linux-gnu.so`.
    pub ext_suffix: String,
    /// Whether it was built without a GIL.
    pub free_threading: bool,
    /// Whether its GIL is on by default.
    pub gil_enabled: bool,
    /// Where it looks for distributions, in its own order.
    pub site_packages: Vec<String>,
    /// Where its own modules are.
    pub standard_library: String,
    /// The values of the environment markers, by name.
    pub markers: BTreeMap<String, String>,
}

record!(Interpreter {
    version,
    implementation,
    executable,
    prefix,
    base_prefix,
    platform,
    cache_tag,
    abi_flags,
    soabi,
    ext_suffix,
    free_threading,
    gil_enabled,
    site_packages,
    standard_library,
    markers
});

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
    interpreters: BTreeMap<String, Interpreter>,
    adapters: BTreeMap<String, Inspection>,
    digests: BTreeMap<String, String>,
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
        } = serde_json::from_slice(&stored).unwrap_or_default();
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
            && let Ok(text) = serde_json::to_vec(&now)
            && text != self.stored
        {
            let _ = replace(file, &text);
        }
    }

    /// What the interpreter at `path` says of itself.
    ///
    /// # Errors
    /// `probe_failed`: it cannot be run, ends with a failure, hangs, or prints something else. `python_too_old`.
    pub fn ask(&self, path: &Path, host: &dyn Host) -> Result<Interpreter, Diagnostic> {
        let program = Program::new(path, &[], LIMIT);
        let ask = || match host.target() {
            Some(target) => sysroot::interpreter(path, target, host),
            None => ask(&program, host),
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
        self.answer(key, || ask(program, host))
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

/// A digest as lock files write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in hmac_sha256::Hash::hash(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
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

/// One run, nothing remembered.
pub(crate) fn ask(
    program: &Program<'_>,
    host: &(impl Host + ?Sized),
) -> Result<Interpreter, Diagnostic> {
    let shown = shell::command(program.path, program.args.iter().copied());
    let failed = |found: String| {
        Diagnostic::new(
            Code::ProbeFailed,
            format!("`{shown}` did not answer as a Python interpreter: {found}"),
            format!(
                "run `{shown} -c \"import sys; print(sys.version)\"` to see what is wrong with it"
            ),
        )
    };
    // `-E -s` keep the builder's own PYTHONPATH and user site out of the answer.
    let script = format!("{PROBE}{ASK}");
    let answer = host
        .run(&Program {
            args: [&program.args[..], &["-E", "-s", "-c", &script]].concat(),
            ..program.clone()
        })
        .map_err(|error| failed(error.to_string()))?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    let stderr = String::from_utf8_lossy(&answer.stderr);
    if !answer.success {
        let text = if stderr.trim().is_empty() {
            &stdout
        } else {
            &stderr
        };
        return Err(failed(format!("{}, {}", answer.status, said(text))));
    }
    let Some(json) = stdout.lines().find_map(|line| line.strip_prefix(MARK)) else {
        return Err(failed(said(&stdout)));
    };
    match Said::read(json) {
        Ok(Said::Interpreter(interpreter)) => Ok(*interpreter),
        Ok(Said::TooOld(version)) => Err(too_old(&shown, &version)),
        Err(_) => Err(failed(said(json))),
    }
}

/// The interpreter is of a version that no worker runs on.
pub(crate) fn too_old(shown: &str, version: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PythonTooOld,
        format!("`{shown}` is Python {version}, but workers need Python {OLDEST} or later"),
        format!("name an environment with Python {OLDEST} or later"),
    )
}

/// What the script prints.
enum Said {
    TooOld(String),
    Interpreter(Box<Interpreter>),
}

impl Said {
    fn read(json: &str) -> serde_json::Result<Self> {
        let value: Value = serde_json::from_str(json)?;
        match value.get("too_old").and_then(Value::as_str) {
            Some(version) => Ok(Self::TooOld(version.to_owned())),
            None => serde_json::from_value(value).map(Self::Interpreter),
        }
    }
}
