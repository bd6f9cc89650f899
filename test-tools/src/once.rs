//! What is made once and then lies in the target folder, whichever of several test programs comes first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::folder;

/// The folder of this name, with what `make` puts into it: once, unless something of it `is_gone`.
///
/// # Errors
/// Those of `make`, which is tried again by the next one.
///
/// # Panics
/// If the target folder cannot be written.
pub(crate) fn made_once(
    name: &str,
    is_gone: impl FnOnce(&Path) -> bool,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let folder = folder().join(name);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // One makes it, the others wait for it.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock()
        .expect("a file of the target folder can be locked");
    let ready = folder.join("ready");
    if !ready.exists() || is_gone(&folder) {
        let _ = fs::remove_file(&ready);
        make(&folder)?;
        File::create(ready).expect("the target folder can be written");
    }
    Ok(folder)
}

/// Runs a script of the shell with one argument.
///
/// # Errors
/// It failed: `what` it was to make, and where it tells why, which is in `folder`.
pub(crate) fn by_script(
    script: &str,
    argument: &Path,
    folder: &Path,
    what: &str,
) -> Result<(), String> {
    let log = folder.join("set-up.log");
    let said = File::create(&log).expect("the target folder can be written");
    let status = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .status();
    match status.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(format!("{what}: see `{}`", log.display())),
    }
}
