//! What is known of installed distributions: the headers of their metadata, and what conda wrote down.
//! <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::host::Host;
use crate::ordered::{Map, Ordered};
use crate::requirement::normalized;
use crate::version::Version;

/// One installed distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Distribution {
    pub(crate) version: String,
    /// What it depends on, each as its metadata writes it.
    pub(crate) requires: Vec<String>,
    /// The names of its extras, normalized; `None` where nobody wrote them down.
    pub(crate) extras: Option<Vec<String>>,
    /// Where it was installed from, if not from an index: the text of its `direct_url.json`.
    pub(crate) origin: Option<String>,
}

/// What an interpreter can import distributions from.
pub(crate) trait Distributions {
    /// The distribution of a name, which need not be normalized.
    fn find(&self, name: &str) -> Option<Distribution>;
}

/// The files of metadata in folders where distributions are installed.
pub(crate) fn metadata_files(site_packages: &[String], host: &dyn Host) -> Vec<PathBuf> {
    let entries = site_packages.iter().map(Path::new);
    let entries = entries.flat_map(|folder| host.list(folder));
    entries
        .filter_map(|path| Some(metadata_file(&path, host)?.1))
        .collect()
}

/// As much of a file of metadata as is read at first, and at most; beyond its headers there is only a description.
const READ: [u64; 2] = [16 << 10, 1 << 20];

/// The distributions in folders of this machine.
pub(crate) struct Installed<'a> {
    host: &'a dyn Host,
    /// Files of metadata by normalized name, in the order in which the interpreter finds them.
    metadata: Map<String, Vec<PathBuf>>,
    /// conda's records by normalized name, with their versions.
    records: Map<String, (String, PathBuf)>,
}

impl<'a> Installed<'a> {
    /// Those in the given folders.
    pub(crate) fn of(site_packages: &[String], host: &'a dyn Host) -> Self {
        let mut metadata: Map<String, Vec<PathBuf>> = Map::new();
        let entries = site_packages.iter().map(Path::new);
        for path in entries.flat_map(|folder| host.list(folder)) {
            if let Some((name, file)) = metadata_file(&path, host) {
                metadata
                    .or_insert_with(normalized(&name), Vec::new)
                    .push(file);
            }
        }
        Self {
            host,
            metadata,
            records: Map::new(),
        }
    }

    /// The same, with those packages of a conda environment that have no metadata of Python's own. A package counts
    /// as the distribution of the same name: conda has no other link between the two.
    #[must_use]
    pub(crate) fn with_conda(mut self, prefix: &Path) -> Self {
        for path in self.host.list(&prefix.join("conda-meta")) {
            // <https://docs.conda.io/projects/conda/en/stable/dev-guide/specs/solver-state.html>
            let Some(stem) = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".json"))
            else {
                continue;
            };
            let mut parts = stem.rsplitn(3, '-').skip(1);
            if let (Some(version), Some(name)) = (parts.next(), parts.next()) {
                let (name, version) = (normalized(name), version.to_owned());
                self.records.insert(name, (version, path));
            }
        }
        self
    }

    /// Every distribution with its version, by normalized name: what the interpreter finds first.
    pub(crate) fn versions(&self) -> BTreeMap<String, String> {
        let records = self.records.iter();
        let mut versions: BTreeMap<String, String> = records
            .map(|(name, (version, _))| (name.clone(), version.clone()))
            .ordered();
        for (name, files) in self.metadata.iter() {
            let version = files.iter().find_map(|file| self.version(file));
            versions.extend(version.map(|version| (name.clone(), version)));
        }
        versions
    }

    /// The version that a file of metadata stands for. Mostly the name of its folder tells; the file is left alone then:
    /// Cargo would watch it, which no pool demands.
    fn version(&self, file: &Path) -> Option<String> {
        let entry = match file.file_name()?.to_str()? {
            "METADATA" | "PKG-INFO" => file.parent()?,
            _ => file,
        };
        let name = entry.file_name()?.to_str()?;
        let version = match name.strip_suffix(".dist-info") {
            Some(stem) => stem.split_once('-')?.1,
            None => {
                let stem = name.strip_suffix(".egg-info")?;
                stem.split('-').nth(1).unwrap_or_default()
            }
        };
        match version {
            "" => Some(parsed(&headers(file, self.host).ok()?)?.version),
            version => Some(version.to_owned()),
        }
    }
}

impl Distributions for Installed<'_> {
    fn find(&self, name: &str) -> Option<Distribution> {
        let name = normalized(name);
        let files = self.metadata.get(&name).into_iter().flatten();
        // A folder without metadata is what a broken removal left behind.
        let mut found = files.filter_map(|file| {
            let mut found = parsed(&headers(file, self.host).ok()?)?;
            let origin = self.host.consult(&file.with_file_name("direct_url.json"));
            found.origin = origin.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(found)
        });
        found.next().or_else(|| {
            let (version, record) = self.records.get(&name)?;
            // Looked at, it runs the build script again when conda replaces it.
            self.host.info(record)?;
            Some(Distribution {
                version: version.clone(),
                ..Distribution::default()
            })
        })
    }
}

/// The name that a folder entry stands for, and its file of metadata.
fn metadata_file(path: &Path, host: &dyn Host) -> Option<(String, PathBuf)> {
    // pip gives such a name to what it is about to remove.
    let name = path.file_name()?.to_str()?;
    let name = Some(name).filter(|name| !name.starts_with('~'))?;
    if let Some(stem) = name.strip_suffix(".dist-info") {
        return Some((stem.split_once('-')?.0.to_owned(), path.join("METADATA")));
    }
    // What setuptools left before wheels, and what Debian's packages have: a folder or a file.
    let stem = name.strip_suffix(".egg-info")?;
    let name = stem.split('-').next().unwrap_or(stem).to_owned();
    let is_dir = !host.list(path).is_empty();
    Some((
        name,
        if is_dir {
            path.join("PKG-INFO")
        } else {
            path.to_owned()
        },
    ))
}

/// The headers of a file of metadata, and nothing of a description of any length.
fn headers(file: &Path, host: &dyn Host) -> io::Result<String> {
    let mut text = String::new();
    for most in READ {
        let bytes = host.consult_start(file, most)?;
        let is_whole = (bytes.len() as u64) < most;
        text = String::from_utf8_lossy(&bytes).into_owned();
        if is_whole || text.contains("\n\n") || text.contains("\n\r\n") {
            return Ok(text);
        }
    }
    // The last line may be cut in the middle.
    text.truncate(text.rfind('\n').unwrap_or_default());
    Ok(text)
}

/// A distribution from the headers of its metadata; what follows the first empty line is no header.
/// <https://packaging.python.org/en/latest/specifications/core-metadata/>
pub(crate) fn parsed(headers: &str) -> Option<Distribution> {
    let mut found = Distribution {
        extras: Some(Vec::new()),
        ..Distribution::default()
    };
    for line in headers.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key.to_ascii_lowercase().as_str() {
            "version" => found.version = value.to_owned(),
            "requires-dist" => found.requires.push(value.to_owned()),
            "provides-extra" => found.extras.get_or_insert_default().push(normalized(value)),
            _ => {}
        }
    }
    (!found.version.is_empty()).then_some(found)
}

/// Whether two texts are one version: `1.0` is `1.0.0`.
pub(crate) fn same_version(one: &str, other: &str) -> bool {
    match (Version::from_str(one), Version::from_str(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::machine::Machine;

    #[test]
    fn a_description_of_any_length_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("Foo_Bar-1.2.0.dist-info");
        fs::create_dir(&info).unwrap();
        let long = "Requires-Dist: other; extra == 'x'\n".repeat(600);
        let headers = format!("Name: Foo.Bar\nVersion: 1.2.0\n{long}Provides-Extra: X\n\n");
        fs::write(info.join("METADATA"), &headers).unwrap();
        // A hundred megabytes that take no room on the disk.
        let file = fs::OpenOptions::new()
            .write(true)
            .open(info.join("METADATA"));
        file.unwrap().set_len(100 << 20).unwrap();
        let read = super::headers(&info.join("METADATA"), &Machine).unwrap();
        assert_eq!(read.len(), 1 << 20);
        let site = [folder.path().to_str().unwrap().to_owned()];
        let found = Installed::of(&site, &Machine).find("foo-bar").unwrap();
        assert_eq!(found.version, "1.2.0");
        assert_eq!(found.requires.len(), 600);
        assert_eq!(found.extras.unwrap(), ["x"]);
    }
}
