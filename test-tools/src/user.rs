//! A user without rights over the files of others: permissions mean nothing to root, as whom tests in containers run.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Whether this process has root's rights.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// Whether packages of Debian can be installed without asking for a password.
pub(crate) fn is_debian_root() -> bool {
    is_root() && Path::new("/etc/debian_version").exists()
}

/// A program as a user for whom file permissions count: `nobody` where this is root.
/// <https://man7.org/linux/man-pages/man1/setpriv.1.html>
///
/// # Errors
/// What is missing for that.
pub fn unprivileged(program: impl AsRef<OsStr>) -> Result<Command, String> {
    if !is_root() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let works = Command::new("setpriv")
        .args(command.get_args())
        .arg("true")
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        return Err("`setpriv` of util-linux, to start a program as another user".to_owned());
    }
    command.arg(program);
    Ok(command)
}
