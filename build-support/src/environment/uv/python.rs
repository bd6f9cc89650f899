//! Whether the environment's Python is one that the declaration and the project want. uv itself says little of it: it
//! looks for another Python, and complains of what it meets there.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Project, text};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Table};
use crate::environment::pyenv::is_version;
use crate::host::Host;
use crate::specifier::Specifiers;
use crate::version::Version;

/// Where faults of the declared version stand.
const PLACE: &str = "option:python_version";

pub(super) fn check(
    project: &Project,
    executable: &Path,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    // One that does not answer is told of when it is asked for the pool, at its place.
    let Ok(found) = host.interpreter(executable) else {
        return Ok(());
    };
    let shown = executable.display();
    if let Some(wanted) = &project.python {
        let holds = if wanted.starts_with(|c: char| c.is_ascii_digit()) {
            is_version(&found.version, found.free_threading, wanted)
        } else if let Ok(specifiers) = Specifiers::from_str(wanted) {
            Version::from_str(&found.version).is_ok_and(|version| specifiers.contains(&version))
        } else {
            // uv knows further ways to name an interpreter.
            true
        };
        if !holds {
            let message = format!(
                "wants Python `{wanted}`, but `{shown}` is Python {}",
                found.version
            );
            let fault = Diagnostic::new(Code::PythonVersionMismatch, message, project.sync());
            return Err(fault.at(PLACE));
        }
    }
    let Some((file, wanted)) = unmet(project, &found.version, host) else {
        return Ok(());
    };
    let message = format!(
        "`requires-python` of `{}` wants Python `{wanted}`, but `{shown}` is Python {}",
        file.display(),
        found.version
    );
    let fault = |help: String| Diagnostic::new(Code::PythonVersionMismatch, message, help);
    Err(match &project.python {
        // uv refuses to make an environment of it.
        Some(_) => fault(format!("name a `python_version` that is `{wanted}`")).at(PLACE),
        None => fault(project.sync()),
    })
}

/// The `requires-python` that a version does not meet, and whose it is: the project's own, or that of all members of
/// its workspace.
fn unmet(project: &Project, version: &str, host: &dyn Host) -> Option<(PathBuf, Specifiers)> {
    let version = Version::from_str(version).ok()?.without_phase();
    let wanted = |table: &Table| Specifiers::from_str(text(table, "requires-python")?).ok();
    let unmet = |wanted: &Specifiers| !wanted.contains(&version);
    let file = project.folder.join("pyproject.toml");
    let own = document::read(&file, host).ok();
    let own = own.and_then(|table| wanted(table.get("project")?.as_object()?));
    let own = own.filter(unmet).map(|wanted| (file, wanted));
    own.or_else(|| {
        let locked = wanted(&project.lock).filter(unmet);
        Some((project.root.join("uv.lock"), locked?))
    })
}
