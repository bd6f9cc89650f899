//! Whether what is installed is what `uv.lock` says, where there is no uv to ask: what `uv sync --check` would say
//! without development's groups and without extras.

use std::path::Path;

use super::{Project, is_at, packages, source, text};
use crate::diagnostic::Diagnostic;
use crate::distribution::{Distributions, Installed, same_version};
use crate::document::Table;
use crate::host::Host;
use crate::json::Value;
use crate::marker::{Marker, Variables};
use crate::ordered::{Map, Ordered, Set};

/// Compares the lock, as far as it counts for the interpreter, with what is installed.
pub(super) fn compare(
    project: &Project,
    executable: &Path,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let interpreter = host.interpreter(executable)?;
    let installed = Installed::of(&interpreter.site_packages, host);
    let mut locked = Locked::new();
    for package in packages(&project.lock) {
        if let Some(name) = text(package, "name") {
            locked.or_insert_with(name, Vec::new).push(package);
        }
    }
    let own =
        packages(&project.lock).filter(|package| is_at(package, &project.root, &project.member));
    // Packages to look at, each with the extra whose dependencies are wanted, or with those that it always has.
    let mut open: Vec<(&Table, Option<&str>)> = own.map(|package| (package, None)).collect();
    for (package, _) in &open {
        check(project, &[*package], &installed)?;
    }
    let mut seen: Set<_> = open
        .iter()
        .map(|(package, extra)| (std::ptr::from_ref(*package), *extra))
        .ordered();
    while let Some((package, extra)) = open.pop() {
        for dependency in dependencies(package, extra) {
            let chosen = chosen(dependency, &locked, &interpreter.markers);
            check(project, &chosen, &installed)?;
            let extras = dependency.get("extra").and_then(Value::as_array);
            let extras = extras.into_iter().flatten().filter_map(Value::as_str);
            let wanted: Vec<_> = [None].into_iter().chain(extras.map(Some)).collect();
            for package in chosen {
                for extra in &wanted {
                    let is_new = dependencies(package, *extra).next().is_some()
                        && seen.insert((std::ptr::from_ref(package), *extra));
                    open.extend(is_new.then_some((package, *extra)));
                }
            }
        }
    }
    Ok(())
}

/// The packages of a lock by their names: a lock has thousands of them, and as many dependencies.
type Locked<'a> = Map<&'a str, Vec<&'a Table>>;

fn dependencies<'a>(package: &'a Table, extra: Option<&str>) -> impl Iterator<Item = &'a Table> {
    let list = match extra {
        None => package.get("dependencies"),
        Some(extra) => package
            .get("optional-dependencies")
            .and_then(|extras| extras.get(extra)),
    };
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

/// The packages of the lock that a dependency means for this interpreter: none, where its marker is false, and
/// several only where the lock itself does not tell them apart.
fn chosen<'a>(dependency: &Table, locked: &Locked<'a>, variables: &Variables) -> Vec<&'a Table> {
    let holds = |marker: &str| {
        // A marker of a later format says nothing that could be missed here.
        Marker::parse(marker).is_ok_and(|marker| marker.holds(variables, None))
    };
    if !text(dependency, "marker").is_none_or(holds) {
        return Vec::new();
    }
    let version = text(dependency, "version");
    let counts = |package: &&Table| {
        let forks = package.get("resolution-markers").and_then(Value::as_array);
        let mut forks = forks
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .peekable();
        forks.peek().is_none() || forks.any(holds)
    };
    let named = text(dependency, "name").and_then(|name| locked.get(name));
    named
        .into_iter()
        .flatten()
        .filter(|package| version.is_none() || text(package, "version") == version)
        .filter(|package| counts(package))
        .copied()
        .collect()
}

/// Whether one of the packages, which are versions of one distribution, is installed.
fn check(project: &Project, packages: &[&Table], installed: &Installed) -> Result<(), Diagnostic> {
    let Some(name) = packages.first().and_then(|package| text(package, "name")) else {
        return Ok(());
    };
    if packages
        .iter()
        .any(|package| source(package, "virtual").is_some())
    {
        return Ok(());
    }
    let versions: Vec<&str> = packages.iter().filter_map(|p| text(p, "version")).collect();
    let wanted = versions.join(" or ");
    let found = match installed.find(name) {
        None => format!("{name} {wanted} is not installed"),
        Some(found)
            if !versions.is_empty()
                && !versions
                    .iter()
                    .any(|version| same_version(version, &found.version)) =>
        {
            format!("{name} {} is installed, locked is {wanted}", found.version)
        }
        Some(_) => return Ok(()),
    };
    Err(project.not_synced(&found))
}
