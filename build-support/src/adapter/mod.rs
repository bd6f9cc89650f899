//! Whether the user's Python module can be found by its interpreter. It is never run.

mod embed;

use std::path::{Path, PathBuf};

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::environment::Launch;
use crate::host::Host;
use crate::probe::Interpreter;

pub(crate) use embed::read;

/// The longest source of an adapter, in bytes: reading it takes Python about a hundred times as much memory.
const MOST_SOURCE: u64 = 8 << 20;

/// Asks the interpreter itself, for what files cannot tell: editable installs, zip files, extension modules.
/// The folders of `python_path` follow the module.
const SCRIPT: &str = "import sys, importlib.util
sys.path[:0] = sys.argv[2:]
print('snakepit:found' if importlib.util.find_spec(sys.argv[1]) else '')";

pub(crate) fn check(
    module: &str,
    python_path: &[PathBuf],
    interpreter: &Interpreter,
    executable: &Path,
    launch: &Launch,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let relative: PathBuf = module.split('.').collect();
    let folders = interpreter
        .site_packages
        .iter()
        .chain([&interpreter.standard_library])
        .map(PathBuf::from);
    for folder in python_path.iter().cloned().chain(folders) {
        let base = folder.join(&relative);
        if host.info(&base.with_added_extension("py")).is_some()
            || host.info(&base.join("__init__.py")).is_some()
        {
            return Ok(());
        }
    }
    // Only a module at the top is asked for: finding a deeper one would run its parents.
    if !module.contains('.') {
        let mut args = vec!["-I", "-c", SCRIPT, module];
        args.extend(python_path.iter().filter_map(|folder| folder.to_str()));
        let answer = host.run(&launch.program(executable, &args));
        let found = |stdout: &[u8]| String::from_utf8_lossy(stdout).contains("snakepit:found");
        if answer.is_ok_and(|answer| found(&answer.stdout)) {
            return Ok(());
        }
    }
    let looked: Vec<String> = python_path
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    Err(not_found(
        module,
        &executable.display().to_string(),
        &looked,
    ))
}

fn too_large(file: &str, bytes: u64) -> Diagnostic {
    let message = format!(
        "the adapter's source `{file}` has {bytes} bytes, and {MOST_SOURCE} are the most that is read"
    );
    let help = "move its data to a file of its own, which it reads when it is imported";
    Diagnostic::new(Code::AdapterTooLarge, message, help).at("adapter")
}

/// The fault of a module that `command` does not find, nor do the folders of `python_path`.
pub(crate) fn not_found(module: &str, command: &str, python_path: &[String]) -> Diagnostic {
    let mut message = format!("`{command}` finds no module `{module}`");
    if !python_path.is_empty() {
        message.push_str(&format!(", nor does `{}`", python_path.join("`, `")));
    }
    let help =
        "name its folder in `python_path = [\"...\"]`, or install its package into the environment";
    Diagnostic::new(Code::AdapterNotFound, message, help).at("adapter")
}
