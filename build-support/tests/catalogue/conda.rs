//! Environments of conda, which py-rattler installs.

use std::fs;

use snakepit_build::Code;
use snakepit_test_tools::{conda_environment, conda_stand_in};

use crate::support::script;
use crate::{Proof, Site};

/// A machine whose conda is py-rattler, with an environment of the given packages at `env`.
fn machine(options: &[(&str, &str)], packages: &[&str]) -> Option<Site> {
    let site = Site::new("conda", options);
    if !packages.is_empty() {
        conda_environment(&site.beside("home"), &site.path("env"), packages)?;
    }
    provide_conda(&site)?;
    Some(site)
}

fn provide_conda(site: &Site) -> Option<()> {
    let text = conda_stand_in(&site.beside("home"))?;
    script(&site.beside("bin/conda"), &text);
    Some(())
}

const PREFIX: &[(&str, &str)] = &[("prefix", "env")];

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::CondaEnvironmentNotFound,
        place: "option:prefix",
        says: &["no conda environment at", "my app/env"],
        help: "run `conda create -p '",
        scene: || machine(PREFIX, &[]),
        mend: Site::follow,
    },
    Proof {
        code: Code::CondaEnvironmentNotFound,
        place: "option:environment_name",
        says: &["no conda environment `demo`"],
        help: "run `conda create -n demo python`",
        scene: || machine(&[("environment_name", "demo")], &[]),
        mend: |site, help| site.follow(help.split(", or").next().unwrap()),
    },
    Proof {
        code: Code::CondaPythonMissing,
        place: "option:prefix",
        says: &["no Python in the conda environment"],
        help: "run `conda install -p '",
        scene: || machine(PREFIX, &["settings"]),
        mend: Site::follow,
    },
    Proof {
        code: Code::CondaEnvironmentInvalid,
        place: "option:prefix",
        says: &["lost its interpreter, though the package `python` is installed"],
        help: "run `conda install --force-reinstall -p '",
        scene: || {
            let site = machine(PREFIX, &["python"])?;
            fs::remove_file(site.path("env/bin/python")).unwrap();
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::CondaActivationFailed,
        place: "option:prefix",
        says: &["did not come to their end", "`no license`"],
        help: "correct the script",
        scene: || {
            let site = machine(PREFIX, &["python", "settings"])?;
            let script = "env/etc/conda/activate.d/license.sh";
            site.write(script, "echo no license >&2\nexit 3\n");
            Some(site)
        },
        mend: |site, _| site.write("env/etc/conda/activate.d/license.sh", "export LICENSE=1\n"),
    },
    Proof {
        code: Code::CondaFileNotFound,
        place: "environment",
        says: &["no `environment.yml` in"],
        help: "or name the environment: `environment_name = \"...\"` or `prefix = \"...\"`",
        scene: || machine(&[], &["python"]),
        mend: |site, _| site.option("prefix", "env"),
    },
    Proof {
        code: Code::CondaFileInvalid,
        place: "environment",
        says: &["environment.yml` gives its environment no name"],
        help: "add the line `name: ...` to it",
        scene: || {
            let site = machine(&[], &[])?;
            let home = site.beside("home");
            conda_environment(&home, &home.join(".conda/envs/demo"), &["python"])?;
            site.write("environment.yml", "dependencies: [python]\n");
            Some(site)
        },
        mend: |site, _| site.write("environment.yml", "name: demo\ndependencies: [python]\n"),
    },
    Proof {
        code: Code::CondaOptionsConflict,
        place: "option:environment_name",
        says: &["both `prefix` and `environment_name` are given"],
        help: "remove one of them",
        scene: || {
            machine(
                &[("prefix", "env"), ("environment_name", "demo")],
                &["python"],
            )
        },
        mend: |site, _| drop(site.request.options.remove("environment_name")),
    },
    Proof {
        code: Code::CondaNotFound,
        place: "launch",
        says: &["`launch = manager` needs conda"],
        help: "install one, set `CONDA_EXE`, or remove `launch = manager`",
        scene: || {
            let mut site = machine(PREFIX, &["python"])?;
            site.remove_program("conda");
            site.request.manager_launch = true;
            Some(site)
        },
        mend: |site, _| site.request.manager_launch = false,
    },
];
