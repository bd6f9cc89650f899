//! Asks one interpreter who it is: one run of one small script, one JSON answer, remembered in `OUT_DIR` by the
//! interpreter's path, size and time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::host::Host;

/// Longest wait for an interpreter's answer.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What comes before the answer: `site` and `sitecustomize` may print whatever they like before it.
const MARK: &str = "snakepit-probe:";

const SCRIPT: &str = r#"
import json, sys, sysconfig
gil = getattr(sys, "_is_gil_enabled", None)
paths = sysconfig.get_paths()
print("snakepit-probe:" + json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])) + ("" if sys.version_info[3] == "final" else {"alpha": "a", "beta": "b", "candidate": "rc"}[sys.version_info[3]] + str(sys.version_info[4])),
    "implementation": sys.implementation.name,
    "executable": sys.executable or "",
    "prefix": sys.prefix,
    "base_prefix": sys.base_prefix,
    "platform": sysconfig.get_platform(),
    "cache_tag": sys.implementation.cache_tag or "",
    "free_threading": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "gil_enabled": True if gil is None else bool(gil()),
    "site_packages": sorted({paths["purelib"], paths["platlib"]}),
    "standard_library": paths["stdlib"],
}))
"#;

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it was built without a GIL.
    pub free_threading: bool,
    /// Whether its GIL is on by default.
    pub gil_enabled: bool,
    /// Where its distributions are installed.
    pub site_packages: Vec<String>,
    /// Where its own modules are.
    pub standard_library: String,
}

/// Interpreters that answered before.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    known: Mutex<BTreeMap<String, Interpreter>>,
}

impl Cache {
    /// The cache of a file; one that cannot be read is an empty one.
    pub fn load(file: PathBuf) -> Self {
        let known = fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            file: Some(file),
            known: Mutex::new(known),
        }
    }

    /// Writes the cache; a folder that cannot be written only costs the next build its probes.
    pub fn save(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(file), Ok(text)) = (&self.file, serde_json::to_vec(&*known)) {
            let beside = file.with_extension("json.new");
            let _ = fs::write(&beside, text).and_then(|()| fs::rename(beside, file));
        }
    }

    /// What the interpreter at `path` says of itself.
    ///
    /// # Errors
    /// `probe_failed`: it cannot be run, ends with a failure, hangs, or prints something else.
    pub fn ask(&self, path: &Path, host: &dyn Host) -> Result<Interpreter, Diagnostic> {
        let key = key(path, host);
        if let Some(key) = &key
            && let Some(known) = self
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(key)
        {
            return Ok(known.clone());
        }
        let interpreter = ask(path, host)?;
        if let Some(key) = key {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(key, interpreter.clone());
        }
        Ok(interpreter)
    }
}

/// The path itself counts beside the file behind it: two venvs may share one interpreter.
fn key(path: &Path, host: &dyn Host) -> Option<String> {
    let info = host.info(path)?;
    let modified = info.modified?.duration_since(UNIX_EPOCH).ok()?;
    let canonical = fs::canonicalize(path).ok()?;
    let venv = path
        .parent()
        .and_then(Path::parent)
        .and_then(|prefix| fs::read(prefix.join("pyvenv.cfg")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    Some(format!(
        "{}|{}|{}|{}|{venv}",
        path.display(),
        canonical.display(),
        info.len,
        modified.as_nanos()
    ))
}

fn ask(path: &Path, host: &dyn Host) -> Result<Interpreter, Diagnostic> {
    let failed = |found: String| {
        Diagnostic::new(
            "probe_failed",
            format!(
                "`{}` did not answer as a Python interpreter: {found}",
                path.display()
            ),
            format!(
                "run `{} -c \"import sys; print(sys.version)\"` to see what is wrong with it",
                path.display()
            ),
        )
    };
    // `-I` keeps the builder's own PYTHONPATH and user site out of the answer.
    let answer = host
        .run(path, &["-I", "-c", SCRIPT], LIMIT)
        .map_err(|error| failed(error.to_string()))?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    if !answer.success {
        return Err(failed(format!(
            "{}, {}",
            answer.status,
            said(&String::from_utf8_lossy(&answer.stderr))
        )));
    }
    let Some(json) = stdout.lines().find_map(|line| line.strip_prefix(MARK)) else {
        return Err(failed(said(&stdout)));
    };
    serde_json::from_str(json).map_err(|error| failed(format!("{error}, in {}", said(json))))
}

/// The last line of what a program printed, cut to a length that fits into a message.
fn said(text: &str) -> String {
    match text.lines().rev().find(|line| !line.trim().is_empty()) {
        None => "it printed nothing".to_owned(),
        Some(line) => format!(
            "it printed `{}`",
            line.chars().take(200).collect::<String>().escape_debug()
        ),
    }
}
