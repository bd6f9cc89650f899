//! Versions of pyenv. The real pyenv installs them, from a definition of the tests' own that builds nothing.

use std::fs;

use snakepit_build::Code;
use snakepit_test_tools::{pyenv_root, python, skip};

use crate::{Proof, Site};

/// What `pyenv install 3.99.0` does here: <https://github.com/pyenv/pyenv/tree/master/plugins/python-build#custom-definitions>.
const DEFINITION: &str = r#"mkdir -p "$PREFIX_PATH/bin"
ln -s 'PYTHON' "$PREFIX_PATH/bin/python3"
ln -s 'PYTHON' "$PREFIX_PATH/bin/python"
"#;

/// A machine with pyenv, which keeps its versions beside the package.
fn machine(options: &[(&str, &str)]) -> Option<Site> {
    let pyenv = pyenv_root().map(|root| root.join("bin/pyenv"));
    let Some(pyenv) = pyenv.filter(|pyenv| pyenv.exists()) else {
        skip("pyenv");
        return None;
    };
    let mut site = Site::new("pyenv", options);
    site.provide("pyenv", pyenv);
    let text = DEFINITION.replace("PYTHON", python().path.to_str()?);
    site.write("definitions/3.99.0", &text);
    site.set("PYTHON_BUILD_DEFINITIONS", site.path("definitions"));
    site.set("PYENV_ROOT", site.beside("pyenv"));
    fs::create_dir_all(site.beside("pyenv/versions")).unwrap();
    Some(site)
}

const VERSION: &[(&str, &str)] = &[("python_version", "3.99.0")];

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::PyenvNotInstalled,
        place: "option:python_version",
        says: &["`python_version` wants Python 3.99.0, but pyenv is not there: no `"],
        help: "install pyenv, or set `PYENV_ROOT`",
        scene: || {
            let mut site = machine(VERSION)?;
            site.world.variables.remove("PYENV_ROOT");
            Some(site)
        },
        mend: |site, _| site.set("PYENV_ROOT", site.beside("pyenv")),
    },
    Proof {
        code: Code::PyenvVersionNotFound,
        place: "option:python_version",
        says: &[
            "wants Python 3.99.0, which is not installed in",
            "(installed: none)",
        ],
        help: "run `pyenv install 3.99.0`",
        scene: || machine(VERSION),
        mend: Site::follow,
    },
    Proof {
        code: Code::PyenvVersionInvalid,
        place: "option:python_version",
        says: &["pyenv/versions/3.99.0` has no interpreter"],
        help: "`pyenv install --force 3.99.0`",
        scene: || {
            let site = machine(VERSION)?;
            fs::create_dir_all(site.beside("pyenv/versions/3.99.0/lib")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::PythonVersionInvalid,
        place: "option:python_version",
        says: &["`python_version` is `>=3.10`, which is a range"],
        help: "for a range there is `python = \">=3.10\"`",
        scene: || {
            let site = machine(&[("python_version", ">=3.10")])?;
            let bin = site.beside("pyenv/versions/3.13/bin");
            fs::create_dir_all(&bin).unwrap();
            std::os::unix::fs::symlink(&python().path, bin.join("python3")).unwrap();
            Some(site)
        },
        mend: |site, _| site.option("python_version", "3.13"),
    },
    Proof {
        code: Code::PythonVersionRequired,
        place: "option:python_version",
        says: &["no Python version is named"],
        help: "or run `pyenv local 3.13`",
        scene: || {
            let site = machine(&[])?;
            let bin = site.beside("pyenv/versions/3.13/bin");
            fs::create_dir_all(&bin).unwrap();
            std::os::unix::fs::symlink(&python().path, bin.join("python3")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
];
