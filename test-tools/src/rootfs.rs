//! A root file system of Debian's own packages, as `debootstrap` makes it: with a Python, and with what Rust links with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::once::{by_script, made_once};
use crate::{is_root, skip};

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
    let what = "a root file system of Debian's packages";
    let make = |folder: &Path| by_script(SCRIPT, &folder.join("root"), folder, what);
    Ok(made_once("rootfs", |_| false, make)?.join("root"))
}
