//! What uv itself says of an environment, asked so that it changes nothing.

use std::path::Path;

use super::{ENVIRONMENT, Project};
use crate::host::{Host, Program};
use crate::manifest::EnvOp;
use crate::probe;
use crate::said::complained;

/// What uv says of the environment.
pub(super) enum Asked {
    InStep,
    NotInStep(String),
    /// This uv is too old for the question.
    CannotTell,
}

impl Project {
    /// Asks uv, without the network and without a change. What is installed beside the lock does no harm, and
    /// development's packages need not be there. `lock` says whether the lock itself is looked at, too.
    pub(super) fn ask(
        &self,
        uv: &Path,
        lock: &str,
        manager_launch: bool,
        host: &dyn Host,
    ) -> Asked {
        let mut env = unchanging();
        env.push(EnvOp::Set {
            name: ENVIRONMENT.to_owned(),
            value: self.environment().display().to_string(),
        });
        let mut question = vec!["sync", "--check", lock, "--inexact", "--no-default-groups"];
        if let Some(version) = self.python.as_ref().filter(|_| manager_launch) {
            question.extend(["--python", version]);
        }
        let answer = match host.run(&self.program(uv, &question, &env)) {
            Err(error) => {
                return Asked::NotInStep(format!("`{}` cannot be run: {error}", uv.display()));
            }
            Ok(answer) => answer,
        };
        let stderr = String::from_utf8_lossy(&answer.stderr);
        // It finds nothing wrong with an environment whose Python does not suit the project, and its next run makes another.
        let replaced = stderr.lines().find(|line| line.starts_with(REPLACED));
        let printed = match (replaced, answer.success) {
            (Some(line), true) if manager_launch => line,
            (_, true) => return Asked::InStep,
            (_, false) if stderr.contains("unexpected argument") => return Asked::CannotTell,
            (_, false) => &stderr,
        };
        Asked::NotInStep(format!(
            "`uv {}`: {}, {}",
            question.join(" "),
            answer.status,
            complained(printed)
        ))
    }

    /// uv in the project's folder.
    pub(super) fn program<'a>(
        &'a self,
        uv: &'a Path,
        args: &[&'a str],
        env: &'a [EnvOp],
    ) -> Program<'a> {
        Program {
            env,
            cwd: Some(&self.folder),
            ..Program::new(uv, args, probe::LIMIT)
        }
    }
}

/// How uv says that an environment's Python does not suit the project.
const REPLACED: &str = "Would replace";

/// What keeps uv from changing an environment, from taking a Python or a package from the network, and from being told
/// otherwise by the builder's own variables.
/// <https://docs.astral.sh/uv/reference/environment/>
pub(super) fn unchanging() -> Vec<EnvOp> {
    let set = [
        ("UV_NO_SYNC", "1"),
        ("UV_OFFLINE", "1"),
        ("UV_PYTHON_DOWNLOADS", "never"),
    ];
    let set = set.map(|(name, value)| EnvOp::Set {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    let unset = ["UV_FROZEN", "UV_LOCKED"].map(|name| EnvOp::Unset {
        name: name.to_owned(),
    });
    set.into_iter().chain(unset).collect()
}
