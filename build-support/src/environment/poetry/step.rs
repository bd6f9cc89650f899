//! Whether what is installed is what `poetry.lock` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use pep440_rs::Version;
use toml::{Table, Value};

use super::Project;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::requirement::normalized;

/// The lock file.
pub(super) fn read_lock(project: &Project, host: &dyn Host) -> Result<Table, Diagnostic> {
    let file = project.folder.join("poetry.lock");
    project.table(&file, host).map_err(|why| {
        project.fault(
            Code::PoetryLockInvalid,
            format!("`{}` cannot be read as TOML: {why}", file.display()),
            format!("run `poetry lock` in `{}`", project.folder.display()),
        )
    })
}

/// Whether no package is locked.
pub(super) fn asks_for_nothing(lock: &Table) -> bool {
    let packages = lock.get("package").and_then(Value::as_array);
    packages.is_none_or(Vec::is_empty)
}

/// Compares the lock file with the distributions of the environment.
///
/// A version that the lock does not have is always a fault. A package that is absent is one where the lock says that
/// it belongs to the main group and needs no marker and no extra: what else is installed is the user's choice.
pub(super) fn check(
    project: &Project,
    lock: &Table,
    environment: &Path,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let mut wanted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut demanded = BTreeSet::new();
    let packages = lock.get("package").and_then(Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let (Some(name), Some(version)) = (text("name"), text("version")) else {
            continue;
        };
        let name = normalized(name);
        if is_demanded(package) {
            demanded.insert(name.clone());
        }
        wanted.entry(name).or_default().insert(version);
    }
    let installed = installed(environment, host);
    // What the base interpreter has counts too, and is not looked through.
    let shared = shares_packages(environment, host);
    let mut faults = Vec::new();
    for (name, versions) in &wanted {
        let listed = || versions.iter().copied().collect::<Vec<_>>().join(" or ");
        match installed.get(name) {
            None if demanded.contains(name) && !shared => {
                faults.push(format!("{name} {} is not installed", listed()));
            }
            Some(found) if !versions.iter().any(|version| same(version, found)) => {
                faults.push(format!("{name} is {found}, not {}", listed()));
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

fn is_demanded(package: &Value) -> bool {
    let groups = package.get("groups").and_then(Value::as_array);
    let in_main =
        groups.is_some_and(|groups| groups.iter().any(|group| group.as_str() == Some("main")));
    let optional = package.get("optional").and_then(Value::as_bool) == Some(true);
    in_main && !optional && package.get("markers").is_none()
}

/// Whether the environment was made with `virtualenvs.options.system-site-packages`.
fn shares_packages(environment: &Path, host: &dyn Host) -> bool {
    let settings = host.consult(&environment.join("pyvenv.cfg"));
    let settings = settings.unwrap_or_default();
    String::from_utf8_lossy(&settings).lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| {
            key.trim() == "include-system-site-packages" && value.trim() == "true"
        })
    })
}

fn same(one: &str, other: &str) -> bool {
    match (Version::from_str(one), Version::from_str(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Name and version of each distribution.
/// <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>
fn installed(environment: &Path, host: &dyn Host) -> BTreeMap<String, String> {
    let mut folders = vec![environment.join("Lib")];
    folders.extend(host.list(&environment.join("lib")));
    let files = folders
        .iter()
        .flat_map(|folder| host.list(&folder.join("site-packages")));
    files
        .filter_map(|path| {
            let stem = path.file_name()?.to_str()?.strip_suffix(".dist-info")?;
            let (name, version) = stem.split_once('-')?;
            // An upgrade removes this file: looked at, it runs the build script again.
            host.info(&path.join("METADATA"))?;
            Some((normalized(name), version.to_owned()))
        })
        .collect()
}
