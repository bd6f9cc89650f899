//! Distributions without modules, which need no index to be installed.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::path::{Path, PathBuf};

use snakepit_test_tools::succeeds;

use super::python;

/// Makes the wheel of a distribution in a folder; `headers` are further lines of its metadata.
pub(crate) fn wheel(folder: &Path, name: &str, version: &str, headers: &[&str]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join(format!("{name}-{version}-py3-none-any.whl"));
    let maker = r#"
import sys, zipfile
path, name, version, *headers = sys.argv[1:]
info = f"{name}-{version}.dist-info"
lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *headers]
with zipfile.ZipFile(path, "w") as archive:
    archive.writestr(f"{info}/METADATA", "".join(line + "\n" for line in lines))
    archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
"#;
    let mut args = vec!["-c", maker, file.to_str().unwrap(), name, version];
    args.extend(headers);
    succeeds(&python(), &args, folder);
    file
}
