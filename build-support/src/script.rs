//! Scripts of our own that an interpreter runs: one line of JSON comes back.

use crate::host::{Host, Program};
use crate::said::last_line;
use crate::wire::{Read, parse};

/// What comes before the answer: user code of `site` may print before it.
const MARK: &str = "snakepit-answer:";

/// The answer of a script, or in words what came instead.
pub(crate) fn ask<T: Read>(program: &Program<'_>, host: &dyn Host) -> Result<T, String> {
    let answer = host.run(program).map_err(|error| error.to_string())?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    if let Some(json) = stdout.lines().find_map(|line| line.strip_prefix(MARK)) {
        return parse(json).map_err(|why| format!("its answer cannot be read: {why}"));
    }
    let stderr = String::from_utf8_lossy(&answer.stderr);
    Err(last_line(&stderr).unwrap_or_else(|| format!("it printed no answer ({})", answer.status)))
}
