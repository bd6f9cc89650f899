//! What tells an environment from another one that would serve as well: what a lock holds it to.

use std::collections::BTreeMap;
use std::path::Path;

use crate::adapter::Source;
use crate::cache::Cache;
use crate::digest::digest;
use crate::distribution::Installed;
use crate::environment::ExtraMetadata;
use crate::host::Host;
use crate::manifest::Fingerprint;
use crate::ordered::Ordered;
use crate::probe::Interpreter;
use crate::recorder::Facts;

/// The fingerprint of an environment that was found; `facts` are its own. Nothing is looked at here that would make
/// Cargo build again.
pub(crate) fn fingerprint(
    interpreter: &Interpreter,
    extra: &ExtraMetadata,
    is_elsewhere: bool,
    facts: &Facts,
    source: Option<&Source>,
    probes: &Cache,
    host: &dyn Host,
) -> Fingerprint {
    let mut site_packages = Vec::new();
    let mut distributions = BTreeMap::new();
    // Of a container the digest of its image is among the metadata.
    if !is_elsewhere {
        site_packages.clone_from(&interpreter.site_packages);
        let mut installed = Installed::of(&site_packages, host);
        if let Some(prefix) = extra.get("conda_prefix") {
            installed = installed.with_conda(Path::new(prefix));
        }
        distributions = installed.versions();
    }
    let lock_files = facts.consulted.keys().filter(|path| is_lock_file(path));
    let lock_files = lock_files.filter_map(|path| {
        let digest = probes.digest(path, host)?;
        Some((path.to_str()?.to_owned(), digest))
    });
    Fingerprint {
        abi: abi(interpreter),
        platform: interpreter.platform.clone(),
        lock_files: lock_files.ordered(),
        adapter: source.map(|source| digest(source.text.as_bytes())),
        site_packages,
        distributions,
    }
}

/// The tag of the binary interface; an interpreter without one has its cache's and its flags.
fn abi(interpreter: &Interpreter) -> String {
    match interpreter.soabi.as_str() {
        "" => format!("{}{}", interpreter.cache_tag, interpreter.abi_flags),
        soabi => soabi.to_owned(),
    }
}

/// Whether a file that an environment consulted says what shall be installed: `uv.lock`, `poetry.lock`, that of a
/// program's own kind, and conda's `environment.yml`.
fn is_lock_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        name.ends_with(".lock") || matches!(name, "environment.yml" | "environment.yaml")
    })
}
