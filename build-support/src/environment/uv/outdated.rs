//! Whether `uv.lock` still says what `pyproject.toml` does.

use std::path::Path;
use std::str::FromStr;

use super::asking::unchanging;
use super::{PLACE, Project, is_at, packages, text};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Table};
use crate::host::Host;
use crate::json::Value;
use crate::ordered::{Map, Set};
use crate::requirement::{Requirement, Source, normalized};
use crate::specifier::Specifiers;

/// How uv says that it would write another lock. A lock that will do is not resolved anew, so that a failure of that
/// means another lock, too.
const REFUSALS: &[&str] = &[
    "needs to be updated",
    "No solution found when resolving dependencies",
];

/// Asks uv. Where it cannot tell, such as what a package that would have to be built depends on, the lock is believed.
pub(super) fn ask(project: &Project, uv: &Path, host: &dyn Host) -> Result<(), Diagnostic> {
    let env = unchanging();
    let answer = host.run(&project.program(uv, &["lock", "--check"], &env));
    let is_refused = answer.is_ok_and(|answer| {
        let said = String::from_utf8_lossy(&answer.stderr);
        !answer.success && REFUSALS.iter().any(|refusal| said.contains(refusal))
    });
    if !is_refused {
        return Ok(());
    }
    let difference = difference(project, host);
    Err(fault(
        project,
        difference.as_deref().unwrap_or("`uv lock --check` fails"),
    ))
}

/// Compares the direct dependencies, where there is no uv to ask.
pub(super) fn compare(project: &Project, host: &dyn Host) -> Result<(), Diagnostic> {
    difference(project, host).map_or(Ok(()), |found| Err(fault(project, &found)))
}

fn fault(project: &Project, found: &str) -> Diagnostic {
    let message = format!(
        "`{}` is not up to date with `{}`: {found}",
        project.root.join("uv.lock").display(),
        project.folder.join("pyproject.toml").display()
    );
    let help = format!("run `uv lock` in `{}`", project.folder.display());
    Diagnostic::new(Code::UvLockOutdated, message, help).at(PLACE)
}

/// Distributions by their normalized names, each with the versions that are asked for; `None` stands for a source that
/// is no version.
type Wanted = Map<String, Set<Option<Set<String>>>>;

/// The first direct dependency of which the two files say something else.
fn difference(project: &Project, host: &dyn Host) -> Option<String> {
    let own =
        packages(&project.lock).find(|package| is_at(package, &project.root, &project.member))?;
    let pyproject = document::read(&project.folder.join("pyproject.toml"), host).ok()?;
    let declared = declared(&pyproject)?;
    let locked = locked(own);
    let mut names = declared.keys().chain(locked.keys());
    names.find_map(|name| match (declared.get(name), locked.get(name)) {
        (Some(_), None) => Some(format!("the dependency `{name}` is not in the lock")),
        (None, Some(_)) => Some(format!("`{name}` is locked, and no dependency any more")),
        (Some(now), Some(then)) => {
            // A source of its own, such as a folder, has no versions to compare.
            let is_versions = now.iter().chain(then).all(Option::is_some);
            (is_versions && now != then)
                .then(|| format!("`{name}` was locked for other versions than are asked for now"))
        }
        (None, None) => None,
    })
}

/// What `pyproject.toml` asks for; `None` where that is not written there.
fn declared(pyproject: &Table) -> Option<Wanted> {
    let table = pyproject.get("project")?.as_object()?;
    let dynamic = table.get("dynamic").and_then(Value::as_array);
    let is_dynamic = |name: &Value| {
        matches!(
            name.as_str(),
            Some("dependencies" | "optional-dependencies")
        )
    };
    if dynamic.is_some_and(|names| names.iter().any(is_dynamic)) {
        return None;
    }
    let sources = pyproject
        .get("tool")
        .and_then(|tool| tool.get("uv")?.get("sources")?.as_object());
    let has_source = |name: &str| {
        let mut names = sources.into_iter().flat_map(|table| table.keys());
        names.any(|source| normalized(source) == name)
    };
    let optional = table
        .get("optional-dependencies")
        .and_then(Value::as_object);
    let lists = optional.into_iter().flat_map(|table| table.values());
    let texts = table.get("dependencies").into_iter().chain(lists);
    let texts = texts.filter_map(Value::as_array).flatten();
    let own = text(table, "name").map(normalized);
    let mut wanted = Wanted::new();
    for requirement in texts.filter_map(Value::as_str) {
        let requirement = Requirement::parse(requirement).ok()?;
        let name = normalized(&requirement.name);
        // An extra may name others of the same project, which the lock does not list.
        if own.as_ref() == Some(&name) {
            continue;
        }
        let versions = match &requirement.source {
            Source::Versions(versions) if !has_source(&name) => Some(versions.normalized()),
            _ => None,
        };
        wanted.or_insert_with(name, Set::new).insert(versions);
    }
    Some(wanted)
}

/// What the lock was made for.
fn locked(own: &Table) -> Wanted {
    let list = own
        .get("metadata")
        .and_then(|metadata| metadata.get("requires-dist")?.as_array());
    let own_name = text(own, "name").map(normalized);
    let mut wanted = Wanted::new();
    for table in list.into_iter().flatten().filter_map(Value::as_object) {
        let Some(name) = text(table, "name").map(normalized) else {
            continue;
        };
        if own_name.as_ref() == Some(&name) {
            continue;
        }
        let known = ["name", "specifier", "extras", "marker"];
        let has_source = table.keys().any(|key| !known.contains(&key.as_str()));
        let versions = Specifiers::from_str(text(table, "specifier").unwrap_or_default());
        let versions = versions.ok().filter(|_| !has_source);
        let versions = versions.map(|versions| versions.normalized());
        wanted.or_insert_with(name, Set::new).insert(versions);
    }
    wanted
}
