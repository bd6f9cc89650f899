//! What a declaration demands of its environment.

use std::fs;

use snakepit_build::Code;
use snakepit_build::declaration::Adapter;
use snakepit_test_tools::{python, succeeds, tool};

use crate::support::wheels::wheel;
use crate::{Proof, Site};

fn requiring(requirement: &str) -> Site {
    let mut site = Site::with_venv();
    site.request.requires = vec![requirement.to_owned()];
    site
}

/// The same, where pip takes distributions from the folder `wheels`, and asks no index.
fn with_pip(requirement: &str) -> Site {
    let mut site = requiring(requirement);
    let venv = site.path(".venv").display().to_string();
    succeeds(&python().path, &["-m", "venv", &venv], &site.root);
    let wheels = site.path("wheels").display().to_string();
    site.set(
        "PIP_FIND_LINKS",
        format!("file://{}", wheels.replace(' ', "%20")),
    );
    site.set("PIP_NO_INDEX", "1");
    site
}

/// A declaration whose adapter is compiled into the program.
fn embedding(file: &str) -> Site {
    let mut site = Site::with_venv();
    site.request.adapter = Some(Adapter::Embed(file.to_owned()));
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
        code: Code::RequirementNotInstalled,
        place: "requires:0",
        says: &["wants `demo-one>=1`, which is not installed for"],
        help: "-m pip install 'demo-one>=1'",
        scene: || {
            let site = with_pip("demo-one>=1");
            wheel(&site.path("wheels"), "demo_one", "1.0", &[]);
            Some(site)
        },
        mend: Site::follow,
    },
    // What `uv venv` makes has no pip.
    Proof {
        code: Code::RequirementNotInstalled,
        place: "requires:0",
        says: &["wants `demo-one`, which is not installed for"],
        help: "run `uv pip install --python '",
        scene: || {
            let uv = tool("uv")?;
            let mut site = requiring("demo-one");
            site.provide("uv", &uv);
            wheel(&site.path("wheels"), "demo_one", "1.0", &[]);
            site.set("UV_FIND_LINKS", site.path("wheels"));
            site.set("UV_NO_INDEX", "1");
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::RequirementNotInstalled,
        place: "requires:0",
        says: &["wants `demo-one`, which is not installed for"],
        help: "-m ensurepip`, then `",
        scene: || {
            let mut site = requiring("demo-one");
            wheel(&site.path("wheels"), "demo_one", "1.0", &[]);
            let wheels = site.path("wheels").display().to_string();
            let address = format!("file://{}", wheels.replace(' ', "%20"));
            site.set("PIP_FIND_LINKS", address);
            site.set("PIP_NO_INDEX", "1");
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::RequirementNotMet,
        place: "requires:0",
        says: &["wants `demo-one>=2`, but demo-one 1.0 is installed for"],
        help: "-m pip install 'demo-one>=2'",
        scene: || {
            let site = with_pip("demo-one>=2");
            wheel(&site.path("wheels"), "demo_one", "1.0", &[]);
            site.shell(".venv/bin/python3 -m pip install demo-one", &site.root);
            wheel(&site.path("wheels"), "demo_one", "2.0", &[]);
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::RequirementExtraUnknown,
        place: "requires:0",
        says: &["wants `demo-one[slow]`, but demo-one 1.0 has no extra `slow`"],
        help: "it has fast",
        scene: || {
            let site = with_pip("demo-one[slow]");
            let extra = ["Provides-Extra: fast"];
            wheel(&site.path("wheels"), "demo_one", "1.0", &extra);
            site.shell(".venv/bin/python3 -m pip install demo-one", &site.root);
            Some(site)
        },
        mend: |site, _| site.request.requires = vec!["demo-one[fast]".to_owned()],
    },
    Proof {
        code: Code::RequirementMarkerUnknown,
        place: "requires:0",
        says: &["names `system`, which no interpreter has"],
        help: "platform_system",
        scene: || Some(requiring("demo-one; system == 'BeOS'")),
        mend: |site, _| {
            let requirement = "demo-one; platform_system == 'BeOS'";
            site.request.requires = vec![requirement.to_owned()];
        },
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
        place: "python_path:0",
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
            site.request.adapter = Some(Adapter::Module("service.tools".to_owned()));
            Some(site)
        },
        mend: |site, _| site.request.python_path = vec!["code".to_owned()],
    },
    Proof {
        code: Code::AdapterFileNotFound,
        place: "adapter",
        says: &["no file `", "my app/tools.py` to embed"],
        help: "make it, or correct the path",
        scene: || Some(embedding("tools.py")),
        mend: |site, _| site.write("tools.py", ""),
    },
    Proof {
        code: Code::ServerNotFound,
        place: "server",
        says: &["`server` names `", "my app/server.py`, which is no file"],
        help: "make it, or correct the path",
        scene: || {
            let mut site = Site::with_venv();
            site.request.server = Some("server.py".to_owned());
            Some(site)
        },
        mend: |site, _| site.write("server.py", ""),
    },
    Proof {
        code: Code::AdapterFileInvalid,
        place: "adapter",
        says: &["tools.py` to embed is not UTF-8", "line 2 is not"],
        help: "save it as UTF-8",
        scene: || {
            let site = embedding("tools.py");
            fs::write(site.path("tools.py"), b"name = 'cafe'\nplace = 'caf\xe9'\n").unwrap();
            Some(site)
        },
        mend: |site, _| site.write("tools.py", "name = 'caf\u{e9}'\n"),
    },
    Proof {
        code: Code::AdapterTooLarge,
        place: "adapter",
        says: &["the adapter's source `", "tools.py` has "],
        help: "move its data to a file of its own",
        scene: || {
            let site = embedding("tools.py");
            let data = format!("data = '{}'\n", "x".repeat(20 << 20));
            site.write("tools.py", &data);
            Some(site)
        },
        mend: |site, _| site.write("tools.py", "data = open('data.txt').read()\n"),
    },
];
