//! What the constants cost: their re-check, and a process started from one.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use snakepit::{Memo, Recheck, SpawnSpec};

use crate::measure::{Pairs, each, median, seconds};
use crate::table::{Row, Target};
use crate::{Effort, Pools};

/// The re-check and the command.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    recheck(effort, Pools::POOLS, rows);
    thorough(effort, Pools::VENV, rows);
    command(effort, Pools::VENV, rows);
}

/// The re-check, the first time and later.
fn recheck(effort: Effort, specs: &[&'static SpawnSpec], rows: &mut Vec<Row>) {
    for spec in specs {
        let fresh: Vec<SpawnSpec> = (0..effort.of(5000)).map(|_| forgetful(spec)).collect();
        let times = fresh.iter().map(|spec| {
            seconds(|| {
                black_box(spec)
                    .recheck()
                    .expect("the environment is as the build saw it")
            })
        });
        let first = median(times.collect());
        rows.push(Row::time(
            &format!(
                "re-check of a `{}` pool, first time",
                spec.metadata.environment
            ),
            first,
            Target::Time(10e-6),
        ));
    }
    let spec = specs[0];
    let count = 1_000_000;
    let rounds = (0..effort.of(30)).map(|_| {
        let begin = Instant::now();
        for _ in 0..count {
            black_box(black_box(spec).recheck().is_ok());
        }
        each(begin.elapsed(), count)
    });
    let again = median(rounds.collect());
    rows.push(Row::time("re-check, again", again, Target::Time(5e-9)));
}

/// The re-check that asks the interpreter, beside a start of it.
fn thorough(effort: Effort, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pairs = Pairs::take(
        effort.of(50),
        || {
            seconds(|| {
                spec.recheck_with(Recheck::Thorough)
                    .expect("the environment is as the build saw it");
            })
        },
        || python_pass(spec),
    );
    rows.push(Row::pairs(
        "thorough re-check of a `venv` pool",
        &pairs,
        "`python -c pass`",
        Target::None,
    ));
}

/// A process from its spec, beside one that is started by hand.
fn command(effort: Effort, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pairs = Pairs::take(
        effort.of(200),
        || {
            seconds(|| {
                let command = spec
                    .command()
                    .expect("the environment is as the build saw it");
                finish(command);
            })
        },
        || python_pass(spec),
    );
    rows.push(Row::pairs(
        "`SpawnSpec::command()`, spawn to exit of `python -c pass`",
        &pairs,
        "hand-written `Command`",
        Target::Ratio(1.02),
    ));
}

/// Seconds of `python -c pass` of the spec's interpreter, started by hand.
pub(crate) fn python_pass(spec: &SpawnSpec) -> f64 {
    seconds(|| finish(Command::new(spec.command)))
}

fn finish(mut command: Command) {
    let mut child = command
        .args(["-c", "pass"])
        .spawn()
        .expect("the interpreter starts");
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status}");
}

/// The same spec, never re-checked.
pub(crate) fn forgetful(spec: &SpawnSpec) -> SpawnSpec {
    SpawnSpec {
        pool: spec.pool,
        command: spec.command,
        args: spec.args,
        env: spec.env,
        cwd: spec.cwd,
        metadata: spec.metadata,
        checks: spec.checks,
        anchor: spec.anchor,
        fingerprint: spec.fingerprint,
        adapter: spec.adapter,
        embedded: spec.embedded,
        tools: spec.tools,
        python_path: spec.python_path,
        transport: spec.transport,
        defaults: spec.defaults,
        memo: Memo::new(),
    }
}
