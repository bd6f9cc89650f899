//! Start to end of `python -c pass`: the bare interpreter of an environment, the direct launch that the build froze, and
//! the manager's own launch.

use std::process::{Command, Stdio};

use snakepit::{Check, EnvOp, Metadata, SpawnSpec};
use snakepit_build::manifest::{self, Resolution};
use snakepit_build::{Host, Machine};

use crate::Effort;
use crate::frozen;
use crate::kinds::{Kinds, kinds};
use crate::measure::{Pairs, seconds};
use crate::table::{Row, Target};

/// A row for each kind's direct launch, and one for its manager's.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let kinds = match kinds() {
        Ok(kinds) => kinds,
        Err(lacking) => return rows.push(Row::skipped("launches of all kinds", lacking)),
    };
    kinds.resolve();
    for (pool, resolution) in kinds.resolutions() {
        if !["conda", "poetry", "pyenv", "uv"].contains(&pool.as_str()) {
            continue;
        }
        let spec = spec(&pool, resolution);
        let bare = || pass(Command::new(spec.command));
        let direct = || {
            seconds(|| {
                let command = spec.command();
                finish(command.expect("the environment is as the build saw it"));
            })
        };
        let pairs = Pairs::take(effort.of(200), direct, bare);
        let what = format!("`python -c pass`, {pool}: direct launch");
        rows.push(Row::pairs(
            &what,
            &pairs,
            "bare interpreter",
            Target::Ratio(1.02),
        ));
        match manager(kinds, &pool, spec) {
            Ok((shown, start)) => {
                let pairs = Pairs::take(effort.of(20), || pass(start()), bare);
                let what = format!("`python -c pass`, {pool}: {shown}");
                rows.push(Row::pairs(&what, &pairs, "bare interpreter", Target::None));
            }
            Err(lacking) => {
                let what = format!("`python -c pass`, {pool}: the manager's launch");
                rows.push(Row::skipped(&what, lacking));
            }
        }
    }
}

/// What starts an environment's Python.
type Start<'a> = Box<dyn Fn() -> Command + 'a>;

/// The manager's own way to start the environment's Python.
fn manager<'a>(
    kinds: &'a Kinds,
    pool: &str,
    spec: &'a SpawnSpec,
) -> Result<(&'static str, Start<'a>), &'static str> {
    Ok(match pool {
        "uv" => (
            "`uv run python`",
            Box::new(|| kinds.manager(&kinds.uv, &["run", "python"], "uv")),
        ),
        "poetry" => (
            "`poetry run python`",
            Box::new(|| kinds.manager(&kinds.poetry, &["run", "python"], "poetry")),
        ),
        "pyenv" => (
            "pyenv's shim",
            Box::new(move || {
                let mut shim = kinds.manager(&kinds.pyenv.join("shims/python3"), &[], "");
                shim.env("PYENV_VERSION", spec.metadata.python_version);
                shim
            }),
        ),
        _ => {
            let conda = Machine
                .which("conda")
                .ok_or("conda, which the package index does not have")?;
            let args = [
                "run",
                "--no-capture-output",
                "-p",
                spec.metadata.prefix,
                "python",
            ];
            let start = move || kinds.manager(&conda, &args, "");
            ("`conda run python`", Box::new(start))
        }
    })
}

fn pass(command: Command) -> f64 {
    seconds(|| finish(command))
}

fn finish(mut command: Command) {
    let status = command
        .args(["-c", "pass"])
        .stdin(Stdio::null())
        .status()
        .expect("it starts");
    assert!(status.success(), "{command:?}: {status}");
}

/// What the macro writes into a program; it lives as long as this one.
fn spec(pool: &str, resolution: Resolution) -> &'static SpawnSpec {
    let text = |text: String| -> &'static str { text.leak() };
    let env = resolution.env.into_iter().map(|op| match op {
        manifest::EnvOp::Set { name, value } => EnvOp::Set(text(name), text(value)),
        manifest::EnvOp::Prepend { name, value } => EnvOp::Prepend(text(name), text(value)),
        manifest::EnvOp::Unset { name } => EnvOp::Unset(text(name)),
    });
    let checks = resolution.checks.into_iter().map(|check| match check {
        manifest::Check::Size { path, bytes } => Check::Size {
            path: text(path),
            bytes,
        },
        manifest::Check::Content {
            path,
            text: content,
        } => Check::Content {
            path: text(path),
            text: text(content),
        },
        manifest::Check::Settings {
            path,
            text: content,
        } => Check::Settings {
            path: text(path),
            text: text(content),
        },
    });
    let metadata = resolution.metadata;
    Box::leak(Box::new(SpawnSpec {
        pool: text(pool.to_owned()),
        command: text(resolution.command),
        args: resolution
            .args
            .into_iter()
            .map(text)
            .collect::<Vec<_>>()
            .leak(),
        env: env.collect::<Vec<_>>().leak(),
        cwd: resolution.cwd.map(text),
        metadata: Metadata {
            environment: text(metadata.environment),
            detected_by: text(metadata.detected_by),
            python_version: text(metadata.python_version),
            implementation: text(metadata.implementation),
            prefix: text(metadata.prefix),
            base_prefix: text(metadata.base_prefix),
            free_threading: metadata.free_threading,
            extra: &[],
        },
        checks: checks.collect::<Vec<_>>().leak(),
        // Neither a check nor a start asks for the rest.
        ..frozen::forgetful(crate::Pools::VENV)
    }))
}
