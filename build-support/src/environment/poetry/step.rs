//! Whether what is installed is what `poetry.lock` says.

use std::path::Path;

use super::{Project, permission};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::distribution::{Distributions, Installed, same_version};
use crate::document::{self, Table};
use crate::host::Host;
use crate::json::Value;
use crate::marker::{Marker, Variables};
use crate::ordered::{Map, Set};
use crate::probe::Interpreter;
use crate::requirement::normalized;

/// The group of what the project itself depends on.
const MAIN: &str = "main";

/// The lock file.
pub(super) fn read_lock(project: &Project, host: &dyn Host) -> Result<Table, Diagnostic> {
    let file = project.folder.join("poetry.lock");
    document::read(&file, host).map_err(|why| {
        project.fault(
            Code::PoetryLockInvalid,
            format!("`{}` {why}", file.display()),
            permission(&file, host).unwrap_or_else(|| {
                let folder = project.folder.display();
                format!("remove it, then run `poetry lock` in `{folder}`")
            }),
        )
    })
}

/// Whether no package is locked.
pub(super) fn asks_for_nothing(lock: &Table) -> bool {
    let packages = lock.get("package").and_then(Value::as_array);
    packages.is_none_or(Vec::is_empty)
}

/// Compares the lock file, as far as it counts for the interpreter, with what is installed for it.
///
/// A version that the lock does not have is always a fault. A package that is absent is one where the lock says that
/// it belongs to the main group and needs no extra: what else is installed is the user's choice.
pub(super) fn check(
    project: &Project,
    lock: &Table,
    environment: &Path,
    interpreter: &Interpreter,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let mut locked: Map<String, Versions<'_>> = Map::new();
    let packages = lock.get("package").and_then(Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let (Some(name), Some(version)) = (text("name"), text("version")) else {
            continue;
        };
        let versions = locked.or_insert_with(normalized(name), Versions::default);
        versions.all.insert(version);
        if is_demanded(package, &interpreter.markers) {
            versions.demanded.insert(version);
        }
    }
    let installed = Installed::of(&interpreter.site_packages, host);
    let mut faults = Vec::new();
    for (name, Versions { all, demanded }) in locked.iter() {
        let wanted = if demanded.is_empty() { all } else { demanded };
        let listed = || wanted.iter().copied().collect::<Vec<_>>().join(" or ");
        match installed.find(name) {
            None if !demanded.is_empty() => {
                faults.push(format!("{name} {} is not installed", listed()));
            }
            Some(found)
                if !wanted
                    .iter()
                    .any(|version| same_version(version, &found.version)) =>
            {
                faults.push(format!("{name} is {}, not {}", found.version, listed()));
            }
            _ => {}
        }
    }
    let Some(first) = faults.first() else {
        return Ok(());
    };
    let more = match faults.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let folder = project.folder.display();
    Err(project.fault(
        Code::PoetryLockOutOfStep,
        format!(
            "the environment `{}` is not in step with `{folder}/poetry.lock`: {first}{more}",
            environment.display()
        ),
        format!("run `poetry sync` in `{folder}`"),
    ))
}

/// What the lock says of one distribution.
#[derive(Default)]
struct Versions<'a> {
    all: Set<&'a str>,
    /// Those that have to be installed for this interpreter.
    demanded: Set<&'a str>,
}

/// Whether a package has to be installed; before the format 2.1 a lock does not tell.
fn is_demanded(package: &Value, variables: &Variables) -> bool {
    let groups = package.get("groups").and_then(Value::as_array);
    let in_main =
        groups.is_some_and(|groups| groups.iter().any(|group| group.as_str() == Some(MAIN)));
    let optional = package.get("optional").and_then(Value::as_bool) == Some(true);
    // One marker for all groups, or one for each that has one.
    let marker = match package.get("markers") {
        Some(Value::Object(groups)) => groups.get(MAIN).and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    let holds = |text| Marker::parse(text).is_ok_and(|marker| marker.holds(variables, None));
    in_main && !optional && marker.is_none_or(holds)
}
