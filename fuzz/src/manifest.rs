//! The file that the macro reads.

use std::process;
use std::{env, fs, thread};

use snakepit_build::manifest::Manifest;

/// A manifest, from a file.
///
/// # Panics
/// The folder of temporary files cannot be written.
pub(crate) fn manifest(data: &[u8]) {
    let name = format!(
        "snakepit-fuzz-{}-{:?}",
        process::id(),
        thread::current().id()
    );
    let path = env::temp_dir().join(name);
    fs::write(&path, data).expect("the folder of temporary files can be written");
    let read = Manifest::read(&path);
    let _ = fs::remove_file(&path);
    match read {
        Ok(manifest) => {
            let again = Manifest::parse(&manifest.text()).expect("it can be read again");
            assert_eq!(again, manifest);
        }
        Err(why) => assert!(why.contains("snakepit-fuzz-"), "{why}"),
    }
}
