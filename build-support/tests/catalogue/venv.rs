//! Virtual environments and the machine's own Python.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use snakepit_build::Code;
use snakepit_test_tools::{pyenv_root, python};

use crate::support::{answering, script};
use crate::{Proof, Site};

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::VenvNotFound,
        place: "option:venv_path",
        says: &["no virtual environment at", "my app/.venv"],
        help: "python3 -m venv '",
        scene: || Some(Site::with_python("venv", &[])),
        mend: Site::follow,
    },
    Proof {
        code: Code::VenvInvalid,
        place: "option:venv_path",
        says: &["my app/.venv", "has an interpreter that was removed"],
        help: "python3 -m venv --clear '",
        scene: || {
            let site = Site::with_venv();
            for name in ["python3", "python"] {
                fs::remove_file(site.path(".venv/bin").join(name)).unwrap();
                std::os::unix::fs::symlink("/gone/python3", site.path(".venv/bin").join(name))
                    .unwrap();
            }
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::VenvInvalid,
        place: "option:venv_path",
        says: &["my app/.venv/bin/python3` is a file, not a virtual environment"],
        help: "write `venv_path = \".venv\"`",
        scene: || {
            let mut site = Site::with_venv();
            site.option("venv_path", ".venv/bin/python3");
            Some(site)
        },
        mend: |site, _| site.option("venv_path", ".venv"),
    },
    Proof {
        code: Code::VenvInvalid,
        place: "option:venv_path",
        says: &["pyvenv.cfg", "cannot be read as UTF-8"],
        help: "python3 -m venv --clear '",
        scene: || {
            let site = Site::with_venv();
            fs::write(site.path(".venv/pyvenv.cfg"), b"home = /caf\xe9\n").unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::VenvInvalid,
        place: "option:venv_path",
        says: &["my app/.venv` has lost its `pyvenv.cfg`"],
        help: "python3 -m venv --clear '",
        scene: || {
            let site = Site::with_venv();
            fs::remove_file(site.path(".venv/pyvenv.cfg")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PathNotUtf8,
        place: "environment",
        says: &["/.venv/bin/python3` is not UTF-8"],
        help: "give it a name that is UTF-8",
        scene: || {
            let mut site = Site::with_venv();
            let renamed = site.root.with_file_name(OsStr::from_bytes(b"caf\xe9"));
            fs::rename(&site.root, &renamed).unwrap();
            site.root = renamed;
            Some(site)
        },
        mend: |site, _| {
            let renamed = site.beside("cafe");
            fs::rename(&site.root, &renamed).unwrap();
            site.root = renamed;
        },
    },
    Proof {
        code: Code::PythonNotFound,
        place: "environment",
        says: &["no `python3` or `python` on the search path"],
        help: "install Python 3",
        scene: || Some(Site::new("system", &[])),
        mend: |site, _| site.provide("python3", &python().path),
    },
    Proof {
        code: Code::PythonNotFound,
        place: "option:python_executable",
        says: &["`python_executable` names `/gone/python3`, which does not exist"],
        help: "`command -v python3`",
        scene: || {
            let options = [("python_executable", "/gone/python3")];
            Some(Site::with_python("system", &options))
        },
        mend: |site, _| site.option("python_executable", "python3"),
    },
    Proof {
        code: Code::PythonTooOld,
        place: "option:python_executable",
        says: &["is Python ", "workers need Python 3.8 or later"],
        help: "name an environment with Python 3.8 or later",
        scene: || {
            let site = Site::with_python("system", &[("python_executable", "old")]);
            let real = ["3.7.16", "3.6.15", "2.7.18"].iter().find_map(|version| {
                let python = pyenv_root()?
                    .join("versions")
                    .join(version)
                    .join("bin/python");
                python.exists().then_some(python)
            });
            match real {
                Some(python) => site.provide("old", python),
                // What such a Python answers: Debian has none any more.
                None => {
                    let said = "#!/bin/sh\necho 'snakepit-probe:{\"too_old\": \"3.7.16\"}'\n";
                    script(&site.beside("bin/old"), said);
                }
            }
            Some(site)
        },
        mend: |site, _| site.option("python_executable", "python3"),
    },
    Proof {
        code: Code::ProbeFailed,
        place: "option:venv_path",
        says: &["did not answer as a Python interpreter"],
        help: "-c \"import sys; print(sys.version)\"` to see what is wrong with it",
        scene: || {
            // The disk was full when it was written.
            let site = Site::with_venv();
            let python = fs::read(&python().path).unwrap();
            let half = site.path(".venv/bin/python3");
            fs::remove_file(&half).unwrap();
            script(&half, "");
            fs::write(&half, &python[..python.len() / 2]).unwrap();
            Some(site)
        },
        mend: |site, _| {
            fs::remove_dir_all(site.path(".venv")).unwrap();
            python().make_venv(&site.path(".venv"));
        },
    },
    Proof {
        code: Code::ProjectDirNotFound,
        place: "option:project_dir",
        says: &["`project_dir` names", "my app/ml`, which is no folder"],
        help: "make it, or correct the path",
        scene: || Some(Site::with_python("auto", &[("project_dir", "ml")])),
        mend: |site, _| fs::create_dir(site.path("ml")).unwrap(),
    },
    Proof {
        code: Code::LaunchNotSupported,
        place: "launch",
        says: &["`launch = manager` makes no sense for `venv`"],
        help: "remove it",
        scene: || {
            let mut site = Site::with_venv();
            site.request.manager_launch = true;
            Some(site)
        },
        mend: |site, _| site.request.manager_launch = false,
    },
    Proof {
        code: Code::CustomEnvironmentNotRegistered,
        place: "environment",
        says: &["no environment `wrapped` is registered"],
        help: "`snakepit_build::Builder::new().environment(\"wrapped\", ...).emit()`",
        scene: || {
            let mut site = Site::with_python("custom", &[]);
            site.request.custom = Some("wrapped".to_owned());
            Some(site)
        },
        mend: |site, _| register(site, true),
    },
    Proof {
        code: Code::ExecutableNotAbsolute,
        place: "environment",
        says: &["`wrapped` gave `bin/python3`, which is no absolute path"],
        help: "make its `resolve_executable` give the interpreter's whole path",
        scene: || {
            let mut site = Site::with_python("custom", &[]);
            site.request.custom = Some("wrapped".to_owned());
            register(&mut site, false);
            Some(site)
        },
        mend: |site, _| register(site, true),
    },
];

/// An environment of the program's own: a wrapper script that answers like a Python.
fn register(site: &mut Site, is_absolute: bool) {
    use snakepit_build::{Config, Diagnostic, Host, Launch, PythonEnvironment};
    use std::path::PathBuf;

    struct Wrapped(PathBuf);

    impl PythonEnvironment for Wrapped {
        fn resolve_executable(&self, _: &Config, _: &dyn Host) -> Result<PathBuf, Diagnostic> {
            Ok(self.0.clone())
        }

        fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
            Ok(Launch::default())
        }

        fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
            Ok(())
        }
    }

    let script_path = site.path("bin/python3");
    script(&script_path, &answering("3.12.1", ""));
    let path = match is_absolute {
        true => script_path,
        false => Path::new("bin/python3").to_owned(),
    };
    site.custom
        .insert("wrapped".to_owned(), Box::new(Wrapped(path)));
}
