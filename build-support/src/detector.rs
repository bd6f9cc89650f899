//! Directory to environment: which marker is there, in a fixed order.

use std::path::Path;

use crate::environment::python_versions;
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

/// What tells a kind of environment.
pub(crate) struct Marker {
    pub(crate) name: &'static str,
    kind: &'static str,
    is_dir: bool,
}

/// All markers: the first that is there wins.
pub(crate) const MARKERS: [Marker; 7] = [
    Marker::file("uv.lock", "uv"),
    Marker::file("poetry.lock", "poetry"),
    Marker::folder(".venv", "venv"),
    Marker::folder("venv", "venv"),
    Marker::file(".python-version", "pyenv"),
    Marker::file("environment.yml", "conda"),
    Marker::file("environment.yaml", "conda"),
];

/// What stands for a marker where none is there.
pub(crate) const FALLBACK: &str = "fallback";

impl Marker {
    const fn file(name: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            kind,
            is_dir: false,
        }
    }

    const fn folder(name: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            kind,
            is_dir: true,
        }
    }
}

/// The environment of a directory: the first marker wins, `system` comes last and is always there.
pub fn detect(dir: &Path, host: &dyn Host) -> Detected {
    all(dir, host).next().unwrap_or(Detected {
        kind: "system",
        marker: FALLBACK,
        options: Vec::new(),
    })
}

/// What each marker of a directory says that is there.
pub fn all(dir: &Path, host: &dyn Host) -> impl Iterator<Item = Detected> {
    let is_there = move |marker: &&Marker| {
        let info = host.info(&dir.join(marker.name));
        info.is_some_and(|info| info.is_dir == marker.is_dir)
    };
    let found = move |marker: &Marker| {
        let option = match marker.kind {
            "venv" => ("venv_path", marker.name.to_owned()),
            "pyenv" => {
                let text = host.read(&dir.join(marker.name)).unwrap_or_default();
                let versions = python_versions(&String::from_utf8_lossy(&text)).into_iter();
                ("python_version", versions.take(1).collect())
            }
            _ => ("project_dir", dir.display().to_string()),
        };
        Detected {
            kind: marker.kind,
            marker: marker.name,
            options: vec![option],
        }
    };
    MARKERS.iter().filter(is_there).map(found)
}
