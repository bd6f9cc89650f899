//! Machines of a test's own: a root file system with a layer above it, in which commands run by `chroot`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snakepit_test_tools::rootfs;
use tempfile::TempDir;

use crate::Outcome;

/// Mounts in a namespace that goes with the command; nothing is to be unmounted. Behind the folders and the command
/// come pairs: what is there of the outside, and where it is inside.
const SCRIPT: &str = r#"
set -eu
lower=$1 layer=$2 command=$3
shift 3
root=$layer/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
while [ $# -gt 0 ]; do
    if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root${2%/*}"; touch "$root$2"; fi
    mount --bind "$1" "$root$2"
    shift 2
done
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root sh -euc "$command"
"#;

/// A machine.
#[derive(Debug)]
pub struct Root {
    lower: &'static Path,
    layer: TempDir,
    shared: Vec<(PathBuf, PathBuf)>,
}

impl Root {
    /// A machine with Debian's packages, a Python and a linker among them; what is written to it goes to a layer of its
    /// own. `None`, said aloud, where there can be none.
    ///
    /// # Panics
    /// If the folder of temporary files cannot be written.
    #[track_caller]
    pub fn new() -> Option<Self> {
        let lower = rootfs()?;
        // The folder of the system's temporary files may be a layer itself, which cannot carry another one.
        let layer = TempDir::new_in(lower.with_file_name("")).expect("the folder can be written");
        for name in ["upper", "work", "root"] {
            fs::create_dir(layer.path().join(name)).expect("the folder can be written");
        }
        Some(Self {
            lower,
            layer,
            shared: Vec::new(),
        })
    }

    /// Shows a file or a folder of the outside at a path of this machine.
    pub fn share(&mut self, outside: impl Into<PathBuf>, inside: impl Into<PathBuf>) {
        self.shared.push((outside.into(), inside.into()));
    }

    /// Runs a shell's command on it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn shell(&self, command: &str) -> Outcome {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", SCRIPT, "sh"]);
        unshare.arg(self.lower).arg(self.layer.path()).arg(command);
        for (outside, inside) in &self.shared {
            unshare.arg(outside).arg(inside);
        }
        Outcome::of(&mut unshare)
    }
}
