//! Files of conda's environments and settings.

use snakepit_build::host::Program;

use super::{ANSWER, machine, request};
use crate::tree::Tree;
use crate::verdict::resolved;

const PREFIX: &str = "/opt/conda/envs/ml";

fn with_environment(tree: Tree<'_>) -> Tree<'_> {
    tree.file("/opt/conda/conda-meta/history", "")
        .file("/opt/conda/envs/ml/conda-meta/history", "")
        .file("/opt/conda/envs/ml/bin/python", "")
        .file("/app/environment.yml", "name: ml\n")
        .variable("HOME", "/home")
}

/// `environment.yml`, and `.condarc`.
pub(crate) fn settings(data: &[u8]) {
    let described = with_environment(machine()).file("/app/environment.yml", data);
    resolved(&request("auto", &[]), &described);
    let set = with_environment(machine()).file("/home/.condarc", data);
    resolved(&request("auto", &[]), &set);
}

/// `conda-meta/state`, and a package's `env_vars.d/*.json`.
pub(crate) fn state(data: &[u8]) {
    for file in ["conda-meta/state", "etc/conda/env_vars.d/package.json"] {
        let tree = with_environment(machine()).file(&format!("{PREFIX}/{file}"), data);
        resolved(&request("conda", &[("environment_name", "ml")]), &tree);
    }
}

/// What the scripts of activation print.
pub(crate) fn activation(data: &[u8]) {
    let answer = |program: &Program<'_>| match program.path.ends_with("env") {
        true => data.to_vec(),
        false => ANSWER.into(),
    };
    let tree = with_environment(Tree::new(answer))
        .file(&format!("{PREFIX}/etc/conda/activate.d/package.sh"), "")
        .file("/usr/bin/env", "")
        .file("/usr/bin/sh", "")
        .programs_in("/usr/bin");
    resolved(&request("conda", &[("prefix", PREFIX)]), &tree);
}

/// Names in `conda-meta`, and lines of `environments.txt`.
pub(crate) fn names(data: &[u8]) {
    let mut tree = with_environment(machine()).file("/home/.conda/environments.txt", data);
    for name in String::from_utf8_lossy(data).lines() {
        tree = tree.file(&format!("{PREFIX}/conda-meta/{name}"), "{}");
    }
    let mut named = request("conda", &[("environment_name", "ml")]);
    named.requires = ["numpy>=1.26", "other"].map(str::to_owned).to_vec();
    resolved(&named, &tree);
    resolved(
        &request("conda", &[("environment_name", "elsewhere")]),
        &tree,
    );
}
