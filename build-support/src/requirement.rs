//! What a declaration demands of an interpreter and of its installed distributions: PEP 440 specifiers, and the
//! part of PEP 508 without markers and URLs.

use std::path::Path;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use crate::diagnostic::Diagnostic;
use crate::host::Host;

/// Whether a version meets `python = "..."`.
pub(crate) fn check_python(
    specifier: &str,
    version: &str,
    command: &str,
) -> Result<(), Diagnostic> {
    let wanted = VersionSpecifiers::from_str(specifier).map_err(|error| {
        let message = format!(
            "`{specifier}` is not a version specifier: {}",
            first_line(&error.to_string())
        );
        Diagnostic::new(
            "requirement_invalid",
            message,
            "write one like `>=3.11,<3.14`",
        )
        .at("python")
    })?;
    if Version::from_str(version).is_ok_and(|version| wanted.contains(&version)) {
        return Ok(());
    }
    let message = format!("wants Python `{specifier}`, but `{command}` is Python {version}");
    let help = format!("name an environment whose Python is `{specifier}`, or change `python`");
    Err(Diagnostic::new("python_version_mismatch", message, help).at("python"))
}

/// One string of `requires`, read.
pub(crate) struct Requirement<'a> {
    text: &'a str,
    /// The distribution's name, as it is written.
    pub(crate) name: &'a str,
    wanted: VersionSpecifiers,
}

/// Reads one string of `requires`.
pub(crate) fn parse(requirement: &str) -> Result<Requirement<'_>, Diagnostic> {
    let invalid = |why: String| {
        let message = format!("`{requirement}` is not a requirement: {why}");
        Diagnostic::new("requirement_invalid", message, "write one like `numpy>=2`")
    };
    if requirement.contains([';', '@']) {
        return Err(invalid("markers and URLs are not supported yet".to_owned()));
    }
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    if name.is_empty() {
        return Err(invalid("it does not begin with a name".to_owned()));
    }
    let mut rest = rest.trim();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras
            .split_once(']')
            .ok_or_else(|| invalid("`]` is missing".to_owned()))?
            .1
            .trim();
    }
    let wanted = VersionSpecifiers::from_str(rest.trim_start_matches('(').trim_end_matches(')'))
        .map_err(|error| invalid(first_line(&error.to_string()).to_owned()))?;
    Ok(Requirement {
        text: requirement,
        name,
        wanted,
    })
}

impl Requirement<'_> {
    /// Whether the version that is installed for `command`, if any, meets it.
    pub(crate) fn check(&self, installed: Option<&str>, command: &str) -> Result<(), Diagnostic> {
        let Self { text, name, wanted } = self;
        let message = match installed {
            None => format!("wants `{text}`, which is not installed for `{command}`"),
            Some(version)
                if Version::from_str(version).is_ok_and(|version| wanted.contains(&version)) =>
            {
                return Ok(());
            }
            Some(version) => {
                format!("wants `{text}`, but {name} {version} is installed for `{command}`")
            }
        };
        let help = format!("run `{command} -m pip install '{text}'`");
        Err(Diagnostic::new("requirement_not_met", message, help))
    }
}

/// Whether a distribution of `site_packages` meets one string of `requires`.
pub(crate) fn check_distribution(
    requirement: &str,
    site_packages: &[String],
    command: &str,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let requirement = parse(requirement)?;
    let version = installed(requirement.name, site_packages, host);
    requirement.check(version.as_deref(), command)
}

/// The version of an installed distribution, from the name of its `*.dist-info` folder.
/// <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>
pub(crate) fn installed(name: &str, site_packages: &[String], host: &dyn Host) -> Option<String> {
    let wanted = normalized(name);
    site_packages
        .iter()
        .flat_map(|folder| host.list(Path::new(folder)))
        .find_map(|path| {
            let stem = path.file_name()?.to_str()?.strip_suffix(".dist-info")?;
            let (found, version) = stem.split_once('-')?;
            // Read through the host, so that an upgrade, which removes this file, runs the build script again.
            (normalized(found) == wanted && host.consult(&path.join("METADATA")).is_ok())
                .then(|| version.to_owned())
        })
}

/// A distribution's name as PEP 503 compares it.
pub(crate) fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name
        .split(['-', '_', '.'])
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-").to_ascii_lowercase()
}

fn first_line(text: &str) -> &str {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Machine;

    #[test]
    fn a_python_outside_the_specifier_is_refused_and_a_broken_specifier_is_named() {
        assert!(check_python(">=3.11,<3.14", "3.12.1", "python3").is_ok());
        let older = check_python(">=3.11", "3.9.1", "python3").unwrap_err();
        assert_eq!(older.code, "python_version_mismatch");
        assert_eq!(
            check_python("three", "3.9.1", "python3").unwrap_err().code,
            "requirement_invalid"
        );
    }

    #[test]
    fn distributions_are_compared_by_normalized_name_and_version() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("Foo_Bar-1.2.0.dist-info");
        std::fs::create_dir(&info).unwrap();
        std::fs::write(info.join("METADATA"), "Name: Foo.Bar\nVersion: 1.2.0\n").unwrap();
        let site = [folder.path().to_str().unwrap().to_owned()];
        let check = |text: &str| check_distribution(text, &site, "python3", &Machine);
        assert!(check("foo-bar[extra]>=1.2").is_ok());
        assert!(check("foo.bar").is_ok());
        assert_eq!(check("foo-bar>=2").unwrap_err().code, "requirement_not_met");
        assert_eq!(check("absent").unwrap_err().code, "requirement_not_met");
        assert_eq!(
            check("foo; python_version > '3'").unwrap_err().code,
            "requirement_invalid"
        );
    }
}
