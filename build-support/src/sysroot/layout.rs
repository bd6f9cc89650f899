//! Where an interpreter has its files, as CPython itself finds them: its prefix is the first folder above the program
//! that has the standard library. <https://docs.python.org/3/library/sys_path_init.html>

use std::path::{Path, PathBuf};

use crate::host::Host;

/// Folders of libraries in a prefix; some systems have the second one.
const LIBRARIES: [&str; 2] = ["lib", "lib64"];

/// An installation, and the virtual environment that stands before it.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) prefix: PathBuf,
    pub(super) base_prefix: PathBuf,
    pub(super) standard_library: PathBuf,
    /// `python3.13`, `python3.13t`.
    pub(super) name: String,
    /// Whether a virtual environment sees what its base has.
    sees_base: bool,
}

impl Layout {
    /// The one of an interpreter, or what is missing.
    pub(super) fn of(executable: &Path, host: &dyn Host) -> Result<Self, String> {
        let real = host.canonical(executable);
        let real = real.map_err(|error| error.to_string())?;
        let environment = environment(executable, host);
        let home = environment
            .as_ref()
            .and_then(|(_, settings)| setting(settings, "home"));
        // What a virtual environment links to, else what it was made of.
        let is_linked = environment
            .as_ref()
            .is_none_or(|(prefix, _)| !real.starts_with(prefix));
        let begin = match home {
            Some(home) if !is_linked => {
                let home = PathBuf::from(home);
                host.canonical(&home).unwrap_or(home)
            }
            _ => real.parent().unwrap_or(&real).to_owned(),
        };
        let named = real.file_name().and_then(|name| name.to_str());
        let named = named.filter(|name| name.starts_with("python3."));
        let found = begin
            .ancestors()
            .find_map(|prefix| library(prefix, named, host));
        let (base_prefix, standard_library, name) = found.ok_or_else(|| {
            format!(
                "no folder above `{}` has a `lib/{}` with Python's own modules",
                begin.display(),
                named.unwrap_or("python3.*")
            )
        })?;
        let sees_base = environment.as_ref().is_none_or(|(_, settings)| {
            setting(settings, "include-system-site-packages")
                .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        });
        let prefix = environment.map_or_else(|| base_prefix.clone(), |(prefix, _)| prefix);
        Ok(Self {
            prefix,
            base_prefix,
            standard_library,
            name,
            sees_base,
        })
    }

    /// Where it looks for distributions, in its own order.
    pub(super) fn site_packages(&self, host: &dyn Host) -> Vec<String> {
        let mut folders = Vec::new();
        if self.prefix != self.base_prefix {
            folders.extend(self.usual(&self.prefix, host));
        }
        if self.sees_base {
            let debian = self.debian();
            // Debian's own interpreter; others keep to the usual folders.
            if self.base_prefix == Path::new("/usr") && host.info(&debian[1]).is_some() {
                folders.extend(debian);
            } else {
                folders.extend(self.usual(&self.base_prefix, host));
            }
        }
        let is_there = |folder: &PathBuf| host.info(folder).is_some_and(|info| info.is_dir);
        let mut paths: Vec<PathBuf> = Vec::new();
        for folder in folders.iter().filter(|folder| is_there(folder)) {
            let linked = linked(folder, host);
            for path in std::iter::once(folder.clone()).chain(linked.into_iter().filter(is_there)) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        // Those that are not there yet, too: something may be installed into them.
        for folder in folders {
            if !paths.contains(&folder) {
                paths.push(folder);
            }
        }
        let texts = paths
            .into_iter()
            .filter_map(|path| path.into_os_string().into_string().ok());
        texts.collect()
    }

    fn usual(&self, prefix: &Path, host: &dyn Host) -> Vec<PathBuf> {
        let folders =
            LIBRARIES.map(|library| prefix.join(library).join(&self.name).join("site-packages"));
        let [first, second] = folders;
        match host.info(&second) {
            // One folder by two names is one folder.
            Some(_) if host.canonical(&first).ok() != host.canonical(&second).ok() => {
                vec![second, first]
            }
            _ => vec![first],
        }
    }

    /// <https://www.debian.org/doc/packaging-manuals/python-policy/#module-path>
    fn debian(&self) -> [PathBuf; 3] {
        let usr = &self.base_prefix;
        [
            usr.join("local/lib").join(&self.name).join("dist-packages"),
            usr.join("lib/python3/dist-packages"),
            usr.join("lib").join(&self.name).join("dist-packages"),
        ]
    }
}

/// The virtual environment that an interpreter belongs to, and its settings.
fn environment(executable: &Path, host: &dyn Host) -> Option<(PathBuf, String)> {
    let folder = executable.parent()?;
    for prefix in [folder.parent(), Some(folder)].into_iter().flatten() {
        if let Ok(bytes) = host.consult(&prefix.join("pyvenv.cfg")) {
            let settings = String::from_utf8_lossy(&bytes).into_owned();
            // Without `home` it is none. <https://peps.python.org/pep-0405/>
            setting(&settings, "home")?;
            return Some((prefix.to_owned(), settings));
        }
    }
    None
}

/// What a `pyvenv.cfg` says. <https://docs.python.org/3/library/site.html>
pub fn setting<'a>(settings: &'a str, wanted: &str) -> Option<&'a str> {
    let mut pairs = settings.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(wanted))?;
    Some(value.trim())
}

/// A prefix that has a standard library, which that is, and its name.
fn library(
    prefix: &Path,
    named: Option<&str>,
    host: &dyn Host,
) -> Option<(PathBuf, PathBuf, String)> {
    let is_library = |folder: &PathBuf| host.info(&folder.join("os.py")).is_some();
    for library in LIBRARIES.map(|name| prefix.join(name)) {
        let found = match named {
            Some(name) => Some(library.join(name)).filter(is_library),
            None => {
                let entries = host.list(&library);
                let mut folders = entries.into_iter().filter(|entry| {
                    let name = entry.file_name().and_then(|name| name.to_str());
                    name.is_some_and(|name| name.starts_with("python3.")) && is_library(entry)
                });
                // Of several nobody says which one is meant.
                let first = folders.next();
                first.filter(|_| folders.next().is_none())
            }
        };
        if let Some(folder) = found {
            let name = folder.file_name()?.to_str()?.to_owned();
            return Some((prefix.to_owned(), folder, name));
        }
    }
    None
}

/// The folders that the `.pth` files of a folder add. <https://docs.python.org/3/library/site.html>
fn linked(folder: &Path, host: &dyn Host) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for file in host.list(folder) {
        if file.extension().is_none_or(|extension| extension != "pth") {
            continue;
        }
        let text = host.consult_start(&file, 64 << 10).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let line = line.trim_end();
            let is_code = line.starts_with("import ") || line.starts_with("import\t");
            if !line.is_empty() && !line.starts_with('#') && !is_code {
                paths.push(crate::environment::absolute(folder, line));
            }
        }
    }
    paths
}
