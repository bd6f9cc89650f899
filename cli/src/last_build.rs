//! What a package's own build script found when it last ran: the one thing that knows the package's custom
//! environments is that script.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use snakepit_build::manifest::{Check, FILE_NAME, Manifest, Resolution};

use crate::package::Package;

/// The manifest of the last build.
#[derive(Debug)]
pub(crate) struct LastBuild {
    pub(crate) manifest: Manifest,
    pub(crate) path: PathBuf,
}

impl LastBuild {
    /// The newest manifest that a build script of the package wrote, in whatever profile and for whatever target.
    pub(crate) fn of(package: &Package) -> Option<Self> {
        let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
        // `PROFILE/build` for the machine itself, `TARGET/PROFILE/build` for others.
        for above in folders(&package.build_folder) {
            for folder in folders(&above) {
                found.extend(written(&folder, &package.name));
            }
            found.extend(written(&above, &package.name));
        }
        found.sort();
        while let Some((_, path)) = found.pop() {
            // One of another version of the build helper may say something else.
            if let Ok(manifest) = Manifest::read(&path) {
                return Some(Self { manifest, path });
            }
        }
        None
    }
}

/// The manifests below a folder `build`, in `PACKAGE-DIGEST/out` or `PACKAGE/DIGEST/out`, with the time of each. A
/// manifest that would be the same is not written again: the file beside it tells when the script ran.
fn written(profile: &Path, package: &str) -> Vec<(SystemTime, PathBuf)> {
    let build = profile.join("build");
    let prefix = format!("{package}-");
    let own = folders(&build).into_iter().filter(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str());
        let digest = name.and_then(|name| name.strip_prefix(&prefix));
        digest.is_some_and(|digest| {
            !digest.is_empty() && digest.chars().all(|c| c.is_ascii_hexdigit())
        })
    });
    let all = own.chain(folders(&build.join(package)));
    all.filter_map(|folder| {
        let path = folder.join("out").join(FILE_NAME);
        let written = fs::metadata(&path).ok()?.modified().ok()?;
        let ran = fs::metadata(folder.join("invoked.timestamp"));
        let ran = ran.and_then(|metadata| metadata.modified()).ok();
        Some((ran.map_or(written, |ran| ran.max(written)), path))
    })
    .collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

/// What a program would find changed since it was built; `None`: nothing.
pub(crate) fn drift(resolution: &Resolution) -> Option<String> {
    if !Path::new(&resolution.command).is_file() {
        return Some(format!("`{}` is not there any more", resolution.command));
    }
    resolution.checks.iter().find_map(|check| match check {
        Check::Size { path, bytes } => {
            let holds = fs::metadata(path).is_ok_and(|metadata| metadata.len() == *bytes);
            (!holds).then(|| format!("`{path}` was replaced"))
        }
        Check::Content { path, text } => {
            let holds = fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes());
            (!holds).then(|| format!("`{path}` was changed"))
        }
        // The macro makes it of the one above, for a program that is moved.
        Check::Settings { .. } => None,
    })
}
