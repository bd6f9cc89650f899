//! The adapter in a target's root file system: found as `import` would find it, and neither run nor read, since only
//! its own Python knows its syntax. So its tools are not listed, and a syntax error shows when a worker starts.

use std::path::{Path, PathBuf};

use super::inspection::{Adapted, Asked, Inspection, Look};
use crate::declaration::Adapter;
use crate::diagnostic::Diagnostic;
use crate::host::Host;

/// Looks for the adapter in the folders of the target.
pub(super) fn check(
    adapter: &Adapter,
    folders: &[&String],
    asked: &Asked<'_>,
    host: &dyn Host,
) -> Result<Adapted, Diagnostic> {
    if adapter.is_embedded() {
        return Ok(Adapted::default());
    }
    let mut folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let mut names = names(&folders, host);
    let mut namespace = None;
    for part in asked.module.split('.') {
        let found = folders.iter().find_map(|folder| find(folder, part, host));
        match found {
            Some(Module::Package(folder)) => folders = vec![folder],
            // What is below a module that is no package is not there.
            Some(Module::File) => folders = Vec::new(),
            None => {
                let parts = folders.iter().map(|folder| folder.join(part));
                let parts =
                    parts.filter(|folder| host.info(folder).is_some_and(|info| info.is_dir));
                folders = parts.collect();
                if folders.is_empty() {
                    names.sort();
                    return Inspection::of(Look::Missing { names }).tools(asked);
                }
                namespace = Some(folders.clone());
                continue;
            }
        }
        namespace = None;
    }
    let look = match namespace {
        Some(folders) => Look::Namespace {
            folders: folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect(),
        },
        None => Look::Found { tools: None },
    };
    Inspection::of(look).tools(asked)
}

enum Module {
    /// With what is in its folder.
    Package(PathBuf),
    File,
}

fn find(folder: &Path, name: &str, host: &dyn Host) -> Option<Module> {
    let package = folder.join(name);
    if host.info(&package.join("__init__.py")).is_some() {
        return Some(Module::Package(package));
    }
    if host.info(&folder.join(format!("{name}.py"))).is_some() {
        return Some(Module::File);
    }
    let is_extension = |file: &PathBuf| {
        let file = file.file_name().and_then(|file| file.to_str());
        let rest = file.and_then(|file| file.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".so"))
    };
    host.list(folder)
        .iter()
        .any(is_extension)
        .then_some(Module::File)
}

/// What can be imported from folders, for a hint.
fn names(folders: &[PathBuf], host: &dyn Host) -> Vec<String> {
    let entries = folders.iter().flat_map(|folder| host.list(folder));
    let stems = entries.filter_map(|entry| {
        let name = entry.file_name()?.to_str()?;
        let stem = name.strip_suffix(".py").unwrap_or(name);
        (!stem.contains(['.', '-'])).then(|| stem.to_owned())
    });
    stems.collect()
}
