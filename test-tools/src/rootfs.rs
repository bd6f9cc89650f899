//! A root file system of Debian's own packages, as `debootstrap` makes it: with a Python, and with what Rust links with.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::{folder, is_root, skip};

/// Makes it in a folder.
const SCRIPT: &str = r#"
set -eu
. /etc/os-release
if ! command -v debootstrap >&2; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends debootstrap >&2
fi
rm -rf "$1"
debootstrap --variant=minbase --include=python3,gcc,libc6-dev "$VERSION_CODENAME" "$1" >&2
"#;

/// The folder of the root file system, which is of the release that this machine runs; `None`, said aloud, where there
/// can be none. Nobody writes to it: a test mounts something over it.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn rootfs() -> Option<&'static Path> {
    static ROOT: LazyLock<Result<PathBuf, String>> = LazyLock::new(make_rootfs);
    let root = ROOT.as_deref();
    root.map_err(|lacking| skip(lacking)).ok()
}

/// The same folder, made where it is not there yet.
///
/// # Errors
/// What it lacks.
///
/// # Panics
/// If the target folder cannot be written.
pub fn make_rootfs() -> Result<PathBuf, String> {
    // Mounts are this test's own, and gone with it.
    let mut mount = Command::new("unshare");
    mount.args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]);
    if !is_root() || !mount.status().is_ok_and(|status| status.success()) {
        return Err("root's rights to mount file systems and to use chroot".to_owned());
    }
    let folder = folder().join("rootfs");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // One makes it, the others wait for it.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock()
        .expect("a file of the target folder can be locked");
    let (root, ready) = (folder.join("root"), folder.join("ready"));
    if !ready.exists() {
        let log = folder.join("set-up.log");
        let said = File::create(&log).expect("the target folder can be written");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", SCRIPT, "sh"]).arg(&root);
        let status = shell
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!(
                "a root file system of Debian's packages: see `{}`",
                log.display()
            ));
        }
        File::create(ready).expect("the target folder can be written");
    }
    Ok(root)
}
