//! What files tell of an interpreter that is not run.

use snakepit_build::sysroot::Target;

use super::request;
use crate::tree::Tree;
use crate::verdict::resolved;

const DETAILS: &str = "/usr/lib/python3.14/build-details.json";
const DATA: &str = "/usr/lib/python3.14/_sysconfigdata__linux_x86_64-linux-gnu.py";

/// A target's root file system with an interpreter, and nobody to run.
pub(super) fn machine<'a>(program: impl Into<Vec<u8>>) -> Tree<'a> {
    let target = Target {
        arch: "x86_64".to_owned(),
        pointer_width: 64,
        is_little_endian: true,
    };
    Tree::new(|program| panic!("{program:?} is run"))
        .of_target(target)
        .programs_in("/usr/bin")
        .file("/usr/bin/python3", program)
        .file("/usr/lib/python3.14/os.py", "")
}

/// The start of a program for that target, and its version.
pub(super) const PROGRAM: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x003.14.1\0";

/// `build-details.json`.
pub(crate) fn build_details(data: &[u8]) {
    resolved(
        &request("system", &[]),
        &machine(PROGRAM).file(DETAILS, data),
    );
}

/// `_sysconfigdata*.py`.
pub(crate) fn sysconfigdata(data: &[u8]) {
    resolved(&request("system", &[]), &machine(PROGRAM).file(DATA, data));
}

/// The interpreter's own file, and the header that has its version.
pub(crate) fn interpreter(data: &[u8]) {
    let header = "/usr/include/python3.14/patchlevel.h";
    resolved(&request("system", &[]), &machine(data));
    resolved(
        &request("system", &[]),
        &machine(PROGRAM).file(header, data),
    );
}
