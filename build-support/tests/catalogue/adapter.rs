//! What an interpreter says of the adapter that it finds.

use std::fs;
use std::path::PathBuf;

use snakepit_build::Code;
use snakepit_build::declaration::Adapter;

use crate::{Proof, Site};

/// A declaration whose adapter is looked for in the folder `code`, where this file is.
fn with_adapter(module: &str, file: &str, text: &str) -> Option<Site> {
    let mut site = Site::with_venv();
    site.write(&format!("code/{file}"), text);
    site.request.python_path = vec!["code".to_owned()];
    site.request.adapter = Some(Adapter::Module(module.to_owned()));
    Some(site)
}

/// Where the distributions of the virtual environment are.
fn site_packages(site: &Site) -> PathBuf {
    let mut versions = fs::read_dir(site.path(".venv/lib")).unwrap();
    let version = versions.next().unwrap().unwrap();
    version.path().join("site-packages")
}

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::AdapterClassNotFound,
        place: "adapter",
        says: &["the adapter `tools` has no class `Tolls`"],
        help: "did you mean `Tools`?",
        scene: || with_adapter("tools:Tolls", "tools.py", "class Tools:\n    pass\n"),
        mend: |site, _| {
            site.request.adapter = Some(Adapter::Module("tools:Tools".to_owned()));
        },
    },
    Proof {
        code: Code::AdapterSyntaxError,
        place: "adapter",
        says: &[
            "finds a syntax error in the adapter `tools`: line 2, column 12\n  File \"",
            "my app/code/tools.py\", line 2\n    return )\n           ^\nSyntaxError: ",
        ],
        help: "my app/code/tools.py`",
        scene: || with_adapter("tools", "tools.py", "def f():\n    return )\n"),
        mend: |site, _| site.write("code/tools.py", "def f():\n    return ()\n"),
    },
    Proof {
        code: Code::AdapterNotReadable,
        place: "adapter",
        says: &["cannot read the adapter `tools`: unknown encoding: klingon"],
        help: "my app/code/tools.py`",
        scene: || with_adapter("tools", "tools.py", "# -*- coding: klingon -*-\n"),
        mend: |site, _| site.write("code/tools.py", "# -*- coding: utf-8 -*-\n"),
    },
    Proof {
        code: Code::AdapterWithoutInit,
        place: "adapter",
        says: &["the adapter `service` is a folder without `__init__.py`"],
        help: "write an `__init__.py` in it",
        scene: || with_adapter("service", "service/tools.py", ""),
        mend: |site, _| site.write("code/service/__init__.py", ""),
    },
    Proof {
        code: Code::AdapterNameTaken,
        place: "adapter",
        says: &["the adapter's name `codecs` is that of another module"],
        help: "give its file another name",
        scene: || with_adapter("codecs", "codecs.py", ""),
        mend: |site, _| {
            fs::rename(site.path("code/codecs.py"), site.path("code/tools.py")).unwrap();
            site.request.adapter = Some(Adapter::Module("tools".to_owned()));
        },
    },
    Proof {
        code: Code::AdapterCheckFailed,
        place: "adapter",
        says: &[
            "did not say what is in the adapter `tools`: RuntimeError: the index of the finder is broken",
        ],
        help: "find_spec('tools')",
        // As of an editable installation that is half removed.
        scene: || {
            let site = with_adapter("tools", "tools.py", "")?;
            let folder = site_packages(&site);
            let finder = "import sys\n\n\nclass Finder:\n    def find_spec(name, path=None, target=None):\n        \
                          if name == 'tools':\n            \
                          raise RuntimeError('the index of the finder is broken')\n\n\n\
                          sys.meta_path.insert(0, Finder)\n";
            fs::write(folder.join("_finder.py"), finder).unwrap();
            fs::write(folder.join("_finder.pth"), "import _finder\n").unwrap();
            Some(site)
        },
        mend: |site, _| fs::remove_file(site_packages(site).join("_finder.pth")).unwrap(),
    },
];
