//! Links of a file system whose root is a folder here.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// The path that a path of the target leads to, its links followed: absolute ones from the root on, and `..` no
/// further up than it. `is_whole` is false where the last part is not to be followed. What is not there ends it.
pub(super) fn followed(root: &Path, path: &Path, is_whole: bool) -> io::Result<PathBuf> {
    let mut todo: Vec<OsString> = Vec::new();
    let mut at = PathBuf::from("/");
    push(path, &mut todo);
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(&part);
        let here = root.join(at.strip_prefix("/").unwrap_or(&at));
        if todo.is_empty() && !is_whole {
            break;
        }
        let is_link = match fs::symlink_metadata(&here) {
            Ok(metadata) => metadata.is_symlink(),
            // Nothing below it has links.
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_link {
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            let why = format!("`{}` goes round in links", path.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let target = fs::read_link(&here)?;
        at.pop();
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        push(&target, &mut todo);
    }
    Ok(at)
}

/// The parts of a path, the first on top.
fn push(path: &Path, todo: &mut Vec<OsString>) {
    for part in path.components().rev() {
        match part {
            Component::Normal(name) => todo.push(name.to_owned()),
            Component::ParentDir => todo.push("..".into()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_nowhere_outside_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/python3.11"), "").unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("/bin/python3.11", root.join("usr/bin/python3")).unwrap();
        symlink("../../../../bin/python3", root.join("usr/bin/python")).unwrap();
        symlink("/etc/passwd", root.join("usr/bin/outside")).unwrap();
        symlink("round", root.join("round")).unwrap();
        for (path, wanted) in [
            ("/bin/python3", "/usr/bin/python3.11"),
            ("/usr/bin/python", "/usr/bin/python3.11"),
            ("/usr/bin/../../../usr/./bin/python", "/usr/bin/python3.11"),
            // Not the builder's: it is not there.
            ("/usr/bin/outside", "/etc/passwd"),
            ("/opt/../missing/x", "/missing/x"),
            ("/", "/"),
        ] {
            assert_eq!(
                followed(root, Path::new(path), true).unwrap(),
                Path::new(wanted)
            );
        }
        let link = followed(root, Path::new("/bin/python3"), false).unwrap();
        assert_eq!(link, Path::new("/usr/bin/python3"));
        let error = followed(root, Path::new("/round/x"), true).unwrap_err();
        assert!(error.to_string().contains("goes round in links"), "{error}");
    }
}
