//! Asks one interpreter who it is: one run of one small script, one JSON answer. `cache` remembers it.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Answer, Host, Program};
use crate::json::{self, Value};
use crate::said::{complained, said};
use crate::shell;
use crate::wire::{self, Written, record};

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

impl Interpreter {
    /// What the script prints of it: whatever stands in for an interpreter answers so.
    #[doc(hidden)]
    pub fn answer(&self) -> String {
        format!("{MARK}{}\n", self.tree())
    }
}

/// One run, nothing remembered.
pub(crate) fn ask(
    program: &Program<'_>,
    host: &(impl Host + ?Sized),
) -> Result<Interpreter, Diagnostic> {
    asked(program, &|program| host.run(program))
}

/// Apart from [`ask`], which the compiler makes anew for every host.
fn asked(
    program: &Program<'_>,
    run: &dyn Fn(&Program<'_>) -> io::Result<Answer>,
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
    let program = Program {
        args: [&program.args[..], &["-E", "-s", "-c", &script]].concat(),
        ..program.clone()
    };
    let answer = run(&program).map_err(|error| failed(error.to_string()))?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    let stderr = String::from_utf8_lossy(&answer.stderr);
    if !answer.success {
        let text = if stderr.trim().is_empty() {
            &stdout
        } else {
            &stderr
        };
        // A manager that starts the interpreter complains in its own way.
        let found = match program.args.is_empty() {
            true => said(text),
            false => complained(text),
        };
        return Err(failed(format!("{}, {found}", answer.status)));
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
    fn read(json: &str) -> Result<Self, String> {
        let value = json::parse(json)?;
        match value.get("too_old").and_then(Value::as_str) {
            Some(version) => Ok(Self::TooOld(version.to_owned())),
            None => wire::Read::read(value).map(Self::Interpreter),
        }
    }
}
