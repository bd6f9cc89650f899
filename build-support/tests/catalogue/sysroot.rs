//! What is wrong with a target's root file system. Its interpreter is the start of a program: nothing of it is run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use snakepit_build::Code;
use snakepit_build::sysroot::{Target, shape};

use crate::Proof;
use crate::site::Site;

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::SysrootInvalid,
        place: "struct",
        says: &["`SNAKEPIT_SYSROOT` is `rootfs`, which is no absolute path"],
        help: "by its absolute path",
        scene: || {
            let mut site = with_root();
            site.set("SNAKEPIT_SYSROOT", "rootfs");
            Some(site)
        },
        mend: told,
    },
    Proof {
        code: Code::SysrootInvalid,
        place: "struct",
        says: &["/nowhere`, which is not there"],
        help: "name the folder",
        scene: || {
            let mut site = with_root();
            site.set("SNAKEPIT_SYSROOT", site.beside("nowhere"));
            Some(site)
        },
        mend: told,
    },
    Proof {
        code: Code::SysrootInvalid,
        place: "struct",
        says: &["/usr/bin/python3`, which is no folder"],
        help: "name the folder",
        scene: || {
            let mut site = with_root();
            site.set("SNAKEPIT_SYSROOT", site.beside("rootfs/usr/bin/python3"));
            Some(site)
        },
        mend: told,
    },
    Proof {
        code: Code::SysrootInterpreterForeign,
        place: "environment",
        says: &[
            "`/usr/bin/python3` is a program for ",
            " bits, ",
            "but what is built is for ",
        ],
        help: "`cargo build --target ...`",
        scene: || {
            let site = with_root();
            install(&site, if own() == 183 { 62 } else { 183 });
            Some(site)
        },
        mend: |site, _| install(site, own()),
    },
    Proof {
        code: Code::SysrootInterpreterUnknown,
        place: "environment",
        says: &["which Python `/usr/bin/python3` is", "it is no ELF program"],
        help: "name another interpreter",
        scene: || {
            let site = with_root();
            executable(
                &site.beside("rootfs/usr/bin/python3.11"),
                b"#!/bin/sh\nexit 1\n",
            );
            Some(site)
        },
        mend: |site, _| install(site, own()),
    },
    Proof {
        code: Code::SysrootInterpreterUnknown,
        place: "environment",
        says: &["no folder above `/usr/bin` has a `lib/python3.11` with Python's own modules"],
        help: "install Python there",
        scene: || {
            let site = with_root();
            fs::remove_dir_all(site.beside("rootfs/usr/lib")).unwrap();
            Some(site)
        },
        mend: |site, _| install(site, own()),
    },
    Proof {
        code: Code::PythonNotFound,
        place: "environment",
        says: &["no `python3` or `python` on the search path"],
        help: "install Python 3",
        // A link that leads out of the root leads nowhere, also where the build machine has what it names.
        scene: || {
            let site = with_root();
            let link = site.beside("rootfs/usr/bin/python3");
            fs::remove_file(&link).unwrap();
            symlink("../../../../../../../../../../bin/sh", &link).unwrap();
            Some(site)
        },
        mend: |site, _| install(site, own()),
    },
    Proof {
        code: Code::SysrootNotSupported,
        place: "environment",
        says: &["a container is not to be found in the root file system"],
        help: "made of files",
        scene: || {
            let mut site = with_root();
            site.request.kind = "docker".to_owned();
            site.option("image", "python:3.12");
            Some(site)
        },
        mend: |site, _| {
            site.request.kind = "system".to_owned();
            site.request.options.clear();
        },
    },
    Proof {
        code: Code::SysrootNotSupported,
        place: "launch",
        says: &["a manager that starts the workers is not to be found"],
        help: "remove `launch = manager`",
        scene: || {
            let mut site = with_root();
            site.request.kind = "uv".to_owned();
            site.request.manager_launch = true;
            Some(site)
        },
        mend: |site, _| {
            site.request.kind = "system".to_owned();
            site.request.manager_launch = false;
        },
    },
];

/// A package that is built for a target with a whole Python.
fn with_root() -> Site {
    let mut site = Site::new("system", &[]);
    install(&site, own());
    told(&mut site, "");
    site
}

fn told(site: &mut Site, _: &str) {
    site.set("SNAKEPIT_SYSROOT", site.beside("rootfs"));
}

/// The ELF machine of what this test is built for.
fn own() -> u16 {
    match Target::of(&|_| None).arch.as_str() {
        "aarch64" => 183,
        _ => 62,
    }
}

/// A Python of Debian's, as far as files tell.
fn install(site: &Site, machine: u16) {
    let root = site.beside("rootfs");
    let library = root.join("usr/lib/python3.11");
    fs::create_dir_all(&library).unwrap();
    fs::create_dir_all(root.join("usr/bin")).unwrap();
    fs::write(library.join("os.py"), "").unwrap();
    let mut program = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0".to_vec();
    program.extend(machine.to_le_bytes());
    assert!(shape(&program).is_some());
    program.extend(b"\x003.11.2\x00");
    executable(&root.join("usr/bin/python3.11"), &program);
    let link = root.join("usr/bin/python3");
    let _ = fs::remove_file(&link);
    symlink("/usr/bin/python3.11", link).unwrap();
}

fn executable(file: &Path, bytes: &[u8]) {
    fs::write(file, bytes).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}
