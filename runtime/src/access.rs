//! What the user that the program runs as may not read: in words that tell where the way to it is closed.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Links that a path may lead through, as for the system.
const MOST_LINKS: usize = 40;

/// Some: why a path cannot be read, in words that follow "it", if it is a right that is missing.
pub(crate) fn refusal(path: &str, error: &io::Error) -> Option<String> {
    if error.kind() != ErrorKind::PermissionDenied {
        return None;
    }
    let closed = closed_folder(Path::new(path));
    let closed = closed.map_or_else(String::new, |folder| {
        format!(", who may not enter `{}`", folder.display())
    });
    Some(format!("cannot be read by this user{closed}: {error}"))
}

/// The first folder on the way to a file, links followed, that may not be entered. A file in an open folder may be the
/// link to one in a folder that somebody else closed, such as the Python of a virtual environment in their home.
fn closed_folder(path: &Path) -> Option<PathBuf> {
    let mut way = path.to_owned();
    for _ in 0..MOST_LINKS {
        let mut places: Vec<&Path> = way.ancestors().collect();
        places.reverse();
        let mut link = None;
        for place in places {
            match fs::read_link(place) {
                Ok(target) => {
                    link = Some((place, target));
                    break;
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    // Without what links led up and down.
                    let folder = place.parent()?;
                    return Some(fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()));
                }
                // What is no link is gone through.
                Err(_) => {}
            }
        }
        let (place, target) = link?;
        let rest = way.strip_prefix(place).ok()?;
        let target = place.parent()?.join(target);
        way = target.components().chain(rest.components()).collect();
    }
    None
}

/// Some: why a folder is of no use to an interpreter that looks for modules in it, in words that follow "it".
#[cfg(feature = "pool")]
pub(crate) fn refusal_of_folder(path: &str) -> Option<String> {
    // Its names are read, and its files are looked at.
    let looked = fs::read_dir(path).and_then(|_| fs::metadata(Path::new(path).join(".")));
    refusal(path, &looked.err()?)
}
