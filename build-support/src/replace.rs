//! A file that others may read at any time, written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process;

/// Gives a file this content. Whether it had another one, or none: what compares times is not misled by the same.
///
/// # Errors
/// Those of the file system; then the file is what it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", process::id()));
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_beside_a_file_that_was_written_or_could_not_be() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            entries
                .map(|entry| entry.unwrap().file_name())
                .collect::<Vec<_>>()
        };
        let file = folder.path().join("a.lock");
        assert!(replace(&file, b"one").unwrap());
        assert!(!replace(&file, b"one").unwrap());
        assert!(replace(&file, b"two").unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(names(), ["a.lock"]);
        fs::remove_file(&file).unwrap();
        fs::create_dir_all(file.join("inside")).unwrap();
        assert!(replace(&file, b"three").is_err());
        assert_eq!(names(), ["a.lock"]);
    }
}
