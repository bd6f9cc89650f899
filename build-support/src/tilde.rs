//! Paths of a declaration that begin with `~`, which only a shell expands.

use std::path::{Path, PathBuf};

use crate::catalogue::Code;
use crate::declaration::{Adapter, Request};
use crate::diagnostic::Diagnostic;
use crate::environment::absolute;
use crate::host::Host;

/// The options of the built kinds that are paths.
const OPTIONS: &[&str] = &[
    "cwd",
    "prefix",
    "project_dir",
    "python_executable",
    "venv_path",
];

/// The same fault, with help that does not lead to a folder named `~`.
pub(crate) fn explained(
    fault: Diagnostic,
    request: &Request,
    package_dir: &Path,
    host: &dyn Host,
) -> Diagnostic {
    let path = named(fault.place(), request).filter(|path| path.starts_with('~'));
    let Some(path) = path else {
        return fault;
    };
    let is_there = |file: &Path| host.info(file).or_else(|| host.source_info(file)).is_some();
    if is_there(&absolute(package_dir, path)) {
        return fault;
    }
    let found = if fault.is(Code::ContainerPathRelative) {
        // Its home folder is nobody's here.
        Some(not_expanded(fault.help()))
    } else {
        help(path, host)
    };
    match found {
        Some(help) => fault.with_help(help),
        None => fault,
    }
}

/// What to do about a path that names nothing, if it begins with `~`.
pub(crate) fn help(path: &str, host: &dyn Host) -> Option<String> {
    let rest = path.strip_prefix('~')?;
    let home = || host.variable("HOME").map(PathBuf::from);
    let whole = match rest.strip_prefix('/') {
        Some(below) => home().map(|home| home.join(below)),
        None if rest.is_empty() => home(),
        // That of somebody else.
        None => None,
    };
    Some(not_expanded(&match whole {
        Some(whole) => format!("write `{}`", whole.display()),
        None => "write the whole path".to_owned(),
    }))
}

fn not_expanded(help: &str) -> String {
    format!("`~` is not expanded: {help}")
}

/// The path that is written at a place of the declaration.
fn named<'a>(place: &str, request: &'a Request) -> Option<&'a str> {
    if let Some(option) = place.strip_prefix("option:") {
        let is_path = request.custom.is_none() && OPTIONS.contains(&option);
        return request
            .options
            .get(option)
            .filter(|_| is_path)
            .map(String::as_str);
    }
    if let Some(index) = place.strip_prefix("python_path:") {
        let index: usize = index.parse().ok()?;
        return request.python_path.get(index).map(String::as_str);
    }
    match place {
        "server" => request.server.as_deref(),
        "adapter" => request.adapter.as_ref().and_then(Adapter::file),
        _ => None,
    }
}
