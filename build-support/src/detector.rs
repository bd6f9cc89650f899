//! Directory to environment: which marker is there, in a fixed order.

use std::path::Path;

use crate::host::Host;

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The kind of environment.
    pub kind: &'static str,
    /// The marker that was found, or `fallback`.
    pub marker: &'static str,
    /// The options that go with it.
    pub options: Vec<(&'static str, String)>,
}

/// The environment of a directory: the first marker wins, `system` comes last and is always there.
pub fn detect(dir: &Path, host: &dyn Host) -> Detected {
    let is_file = |name: &str| host.info(&dir.join(name)).is_some_and(|info| !info.is_dir);
    let is_dir = |name: &str| host.info(&dir.join(name)).is_some_and(|info| info.is_dir);
    let project = || vec![("project_dir", dir.display().to_string())];
    let found = |kind, marker, options| Detected {
        kind,
        marker,
        options,
    };
    if is_file("uv.lock") {
        return found("uv", "uv.lock", project());
    }
    if is_file("poetry.lock") {
        return found("poetry", "poetry.lock", project());
    }
    for name in [".venv", "venv"] {
        if is_dir(name) {
            return found("venv", name, vec![("venv_path", name.to_owned())]);
        }
    }
    if is_file(".python-version") {
        let text = host.read(&dir.join(".python-version")).unwrap_or_default();
        let version = String::from_utf8_lossy(&text)
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'))
            .unwrap_or_default()
            .to_owned();
        return found(
            "pyenv",
            ".python-version",
            vec![("python_version", version)],
        );
    }
    for name in ["environment.yml", "environment.yaml"] {
        if is_file(name) {
            return found("conda", name, project());
        }
    }
    found("system", "fallback", Vec::new())
}
