//! What is wrong with a declaration whatever its environment turns out to be, so that it is told also where the
//! environment is missing.

use std::path::{Path, PathBuf};

use crate::catalogue::Code;
use crate::choice::Kind;
use crate::declaration::Request;
use crate::demand;
use crate::diagnostic::Diagnostic;
use crate::elsewhere;
use crate::environment::absolute;
use crate::host::Host;
use crate::requirement::Requirement;

/// Kinds whose manager can start the interpreter itself.
const MANAGED: &[&str] = &["conda", "poetry", "uv"];

/// Whether the manager of a kind can start its interpreter.
pub(crate) fn is_managed(kind: &Kind) -> bool {
    kind.builtin().is_some_and(|name| MANAGED.contains(&name))
}

/// Everything that is wrong with what is written. `kind` is the environment's, where it is known.
pub(crate) fn check(
    request: &Request,
    kind: Option<&Kind>,
    package_dir: &Path,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if let Some(kind) = kind.filter(|kind| request.manager_launch && !is_managed(kind)) {
        let message =
            format!("`launch = manager` makes no sense for `{kind}`, which no manager starts");
        let help = "remove it: the interpreter is started directly";
        faults.push(Diagnostic::new(Code::LaunchNotSupported, message, help).at("launch"));
    }
    if let Some(specifier) = &request.python {
        faults.extend(demand::specifiers(specifier).err());
    }
    for (index, text) in request.requires.iter().enumerate() {
        let read = Requirement::parse(text);
        faults.extend(
            read.err()
                .map(|fault| fault.at(format!("requires:{index}"))),
        );
    }
    faults.extend(missing_server(request, package_dir, host));
    faults.extend(match kind {
        // Its `Launch` tells whose folders are meant.
        Some(Kind::Custom(_)) => Vec::new(),
        Some(kind) if kind.builtin() == Some("docker") => {
            elsewhere::relative_folders(request, "the container")
        }
        _ => missing_folders(request, package_dir, host),
    });
    faults
}

/// The script of a gRPC server that is none.
fn missing_server(request: &Request, package_dir: &Path, host: &dyn Host) -> Option<Diagnostic> {
    let script = absolute(package_dir, request.server.as_ref()?);
    if host.info(&script).is_some_and(|info| !info.is_dir) {
        return None;
    }
    let message = format!("`server` names `{}`, which is no file", script.display());
    let help = "make it, or correct the path, which starts at the package's folder";
    Some(Diagnostic::new(Code::ServerNotFound, message, help).at("server"))
}

/// The folders of `python_path` that are none, for an interpreter that sees the same files as the build script.
pub(crate) fn missing_folders(
    request: &Request,
    package_dir: &Path,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    let is_missing = |folder: &PathBuf| !host.info(folder).is_some_and(|info| info.is_dir);
    let folders = request.python_path.iter().enumerate();
    folders
        .map(|(index, folder)| (index, absolute(package_dir, folder)))
        .filter(|(_, folder)| is_missing(folder))
        .map(|(index, folder)| {
            let message = format!(
                "`python_path` names `{}`, which is no folder",
                folder.display()
            );
            let help = "make it, or correct the path";
            let fault = Diagnostic::new(Code::PythonPathNotFound, message, help);
            fault.at(format!("python_path:{index}"))
        })
        .collect()
}
