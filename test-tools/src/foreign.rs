//! A root file system for another processor, as far as its Python goes, of Debian's own packages. Nothing of it runs
//! here.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::once::{by_script, made_once};
use crate::skip;

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
    let what = "Debian's packages for arm64, by apt-get";
    let make = |folder: &Path| by_script(SCRIPT, folder, folder, what);
    Ok(made_once("arm64", |_| false, make)?.join("root"))
}
