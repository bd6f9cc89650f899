//! Where conda, mamba and micromamba keep their environments.
//! <https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/settings.html>

use std::env;
use std::path::{Path, PathBuf};

use super::is_environment;
use super::yaml::Value;
use crate::diagnostic::Diagnostic;
use crate::host::Host;

/// Folders under the home folder, and elsewhere, that the installers propose.
const USUAL: [&str; 9] = [
    "~/miniforge3",
    "~/miniconda3",
    "~/anaconda3",
    "~/mambaforge",
    "~/micromamba",
    "~/.local/share/mamba",
    "/opt/conda",
    "/opt/miniforge3",
    "/opt/miniconda3",
];

/// Folders with settings. <https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html>
const SETTINGS: [&str; 6] = [
    "~",
    "~/.conda",
    "$XDG_CONFIG_HOME/conda",
    "~/.config/conda",
    "/var/lib/conda",
    "/etc/conda",
];

/// The places of one machine, in the order in which they are looked at.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Installations: each is the environment `base`.
    roots: Vec<PathBuf>,
    /// Folders of environments that are there.
    pub(super) folders: Vec<PathBuf>,
    /// Environments that a manager wrote down, wherever they are.
    known: Vec<PathBuf>,
}

impl Places {
    /// # Errors
    /// A file of settings that cannot be read.
    pub(crate) fn of(host: &dyn Host) -> Result<Self, Diagnostic> {
        let mut places = Self::default();
        for root in roots(host) {
            if is_environment(&root, host) || host.info(&root.join("envs")).is_some() {
                add(&mut places.roots, root);
            }
        }
        let lists = ["CONDA_ENVS_DIRS", "CONDA_ENVS_PATH"].map(|name| host.variable(name));
        let mut folders: Vec<PathBuf> = lists.iter().flatten().flat_map(env::split_paths).collect();
        for file in files(&places.roots, host) {
            for value in super::settings(&file, &["envs_dirs", "envs_path"], host)?.values() {
                if let Value::List(texts) = value {
                    folders.extend(texts.iter().filter_map(|text| expanded(text, host)));
                }
            }
        }
        folders.extend(places.roots.iter().map(|root| root.join("envs")));
        folders.extend(expanded("~/.conda/envs", host));
        for folder in folders {
            if host.info(&folder).is_some_and(|info| info.is_dir) {
                add(&mut places.folders, folder);
            }
        }
        if let Some(file) = expanded("~/.conda/environments.txt", host)
            && let Ok(bytes) = host.consult(&file)
        {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::trim);
            places.known = lines
                .filter(|line| !line.is_empty())
                .map(PathBuf::from)
                .collect();
        }
        Ok(places)
    }

    /// Every environment that is there.
    pub(crate) fn all(&self, host: &dyn Host) -> Vec<PathBuf> {
        let children = self.folders.iter().flat_map(|folder| host.list(folder));
        let mut all = Vec::new();
        for prefix in self
            .roots
            .iter()
            .chain(&self.known)
            .cloned()
            .chain(children)
        {
            if is_environment(&prefix, host) {
                add(&mut all, prefix);
            }
        }
        all
    }

    /// The first environment of a name.
    pub(super) fn environment(&self, name: &str, host: &dyn Host) -> Option<PathBuf> {
        let base = self.roots.iter().filter(|_| name == "base").cloned();
        let children = self.folders.iter().map(|folder| folder.join(name));
        let known = self.known.iter().filter(|path| path.ends_with(name));
        base.chain(children)
            .chain(known.cloned())
            .find(|prefix| is_environment(prefix, host))
    }
}

/// The installation that comes first, where there is one.
pub(crate) fn installation(host: &dyn Host) -> Option<PathBuf> {
    let mut roots = roots(host).into_iter();
    roots.find(|root| is_environment(root, host))
}

/// Every folder that may be an installation.
fn roots(host: &dyn Host) -> Vec<PathBuf> {
    let variable = |name| host.variable(name).map(PathBuf::from);
    // `R/bin/conda`, `R/condabin/conda`, `R/Scripts/conda.exe`
    let above = |program: PathBuf| program.parent()?.parent().map(Path::to_owned);
    let mut roots = Vec::new();
    roots.extend(variable("CONDA_EXE").and_then(above));
    roots.extend(variable("MAMBA_ROOT_PREFIX"));
    for name in ["conda", "mamba"] {
        let program = host.which(name).and_then(|path| host.canonical(&path).ok());
        roots.extend(program.and_then(above));
    }
    roots.extend(USUAL.iter().filter_map(|text| expanded(text, host)));
    roots
}

/// The files of settings that are there.
fn files(roots: &[PathBuf], host: &dyn Host) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    files.extend(host.variable("CONDARC").map(PathBuf::from));
    let folders = SETTINGS.iter().filter_map(|text| expanded(text, host));
    for folder in folders.chain(roots.iter().cloned()) {
        files.push(folder.join(".condarc"));
        if folder.file_name().is_some_and(|name| name == "conda") {
            files.push(folder.join("condarc"));
            let more = host.list(&folder.join("condarc.d"));
            files.extend(more.into_iter().filter(|path| {
                let extension = path.extension().and_then(|text| text.to_str());
                matches!(extension, Some("yml" | "yaml"))
            }));
        }
    }
    files.extend(expanded("~/.mambarc", host));
    let mut there = Vec::new();
    for file in files {
        if host.info(&file).is_some_and(|info| !info.is_dir) {
            add(&mut there, file);
        }
    }
    there
}

/// A path with `~` or a variable at its start; `None` where that is unknown.
fn expanded(text: &str, host: &dyn Host) -> Option<PathBuf> {
    let (start, rest) = text.split_once('/').unwrap_or((text, ""));
    let start = match start.strip_prefix('$') {
        None if start == "~" => host.variable("HOME")?,
        None => return Some(PathBuf::from(text)),
        Some(name) => host.variable(name.trim_matches(['{', '}']))?,
    };
    Some(match rest {
        "" => PathBuf::from(start),
        rest => Path::new(&start).join(rest),
    })
}

fn add(paths: &mut Vec<PathBuf>, path: PathBuf) {
    if !paths.contains(&path) {
        paths.push(path);
    }
}
