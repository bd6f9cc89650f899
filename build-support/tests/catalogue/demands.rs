//! What a declaration demands of its environment.

use std::fs;

use snakepit_build::Code;
use snakepit_test_tools::{python, succeeds};

use crate::support::wheels::wheel;
use crate::{Proof, Site};

fn requiring(requirement: &str) -> Site {
    let mut site = Site::with_venv();
    site.request.requires = vec![requirement.to_owned()];
    site
}

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::PythonVersionMismatch,
        place: "python",
        says: &[
            "wants Python `>=99`, but",
            ".venv/bin/python3'` is Python 3.",
        ],
        help: "or change `python`",
        scene: || {
            let mut site = Site::with_venv();
            site.request.python = Some(">=99".to_owned());
            Some(site)
        },
        mend: |site, _| site.request.python = Some(">=3.8".to_owned()),
    },
    Proof {
        code: Code::RequirementNotMet,
        place: "requires:0",
        says: &["wants `demo-one>=1`, which is not installed for"],
        help: "-m pip install 'demo-one>=1'",
        scene: || {
            let mut site = requiring("demo-one>=1");
            let venv = site.path(".venv").display().to_string();
            succeeds(&python().path, &["-m", "venv", &venv], &site.root);
            wheel(&site.root, "demo_one", "1.0", &[]);
            // pip takes it from the folder, and asks no index.
            site.set(
                "PIP_FIND_LINKS",
                format!(
                    "file://{}",
                    site.root.display().to_string().replace(' ', "%20")
                ),
            );
            site.set("PIP_NO_INDEX", "1");
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::RequirementInvalid,
        place: "requires:0",
        says: &["`>=2` is not a requirement"],
        help: "write one like `numpy>=2`",
        scene: || Some(requiring(">=2")),
        mend: |site, _| site.request.requires.clear(),
    },
    Proof {
        code: Code::PythonPathNotFound,
        place: "python_path",
        says: &["`python_path` names", "my app/code`, which is no folder"],
        help: "make it, or correct the path",
        scene: || {
            let mut site = Site::with_venv();
            site.request.python_path = vec!["code".to_owned()];
            Some(site)
        },
        mend: |site, _| fs::create_dir(site.path("code")).unwrap(),
    },
    Proof {
        code: Code::AdapterNotFound,
        place: "adapter",
        says: &["finds no module `service.tools`"],
        help: "name its folder in `python_path = [\"...\"]`",
        scene: || {
            let mut site = Site::with_venv();
            site.write("code/service/tools.py", "");
            site.request.adapter = Some("service.tools".to_owned());
            Some(site)
        },
        mend: |site, _| site.request.python_path = vec!["code".to_owned()],
    },
];
