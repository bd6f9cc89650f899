//! A root file system for another processor, as far as its Python goes, of Debian's own packages. Nothing of it runs
//! here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::{folder, skip};

/// Takes the packages apart in a folder; the machine's own state of packages is not touched.
const SCRIPT: &str = r#"
set -eu
cd "$1"
rm -rf root state cache
mkdir -p state/lists/partial cache/archives/partial root
: > state/status
apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$PWD/state" \
        -o Dir::State::status="$PWD/state/status" -o Dir::Cache="$PWD/cache" -o APT::Sandbox::User= "$@"
}
apt update
apt install --download-only --yes --no-install-recommends python3-minimal
for package in cache/archives/*.deb; do dpkg-deb -x "$package" root; done
rm -rf state cache
"#;

/// The folder of Debian's `python3-minimal` for arm64 with all that it depends on; `None`, said aloud, where it cannot
/// be had.
///
/// # Panics
/// If it cannot be had and `SNAKEPIT_TESTS_REQUIRE=all` is set.
#[track_caller]
pub fn arm64_root() -> Option<&'static Path> {
    static ROOT: LazyLock<Result<PathBuf, String>> = LazyLock::new(make);
    let root = ROOT.as_deref();
    root.map_err(|lacking| skip(lacking)).ok()
}

fn make() -> Result<PathBuf, String> {
    let folder = folder().join("arm64");
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
        shell.args(["-c", SCRIPT, "sh"]).arg(&folder);
        let status = shell.stdin(Stdio::null()).stdout(Stdio::null());
        let status = status.stderr(said).status();
        if !status.is_ok_and(|status| status.success()) {
            let log = log.display();
            return Err(format!(
                "Debian's packages for arm64, by apt-get: see `{log}`"
            ));
        }
        File::create(ready).expect("the target folder can be written");
    }
    Ok(root)
}
