//! What workers cost: until one is ready, for one request at a time, and for many.

use std::time::Instant;

use serde_json::Value;
use snakepit::{Pool, PoolConfig, SpawnSpec};
use tokio::runtime::Runtime;

use crate::bare::{self, Echo};
use crate::measure::{Pairs, each, median};
use crate::table::{Row, Target};
use crate::{Effort, Pools, SMALL, frozen};

const IN_FLIGHT: usize = 64;

/// How soon a pool is ready, and how fast its requests are.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let runtime = Runtime::new().expect("a runtime can be made");
    ready(effort, &runtime, Pools::VENV, rows);
    one_by_one(effort, &runtime, Pools::VENV, rows);
    in_flight(effort, &runtime, Pools::VENV, rows);
}

/// Until a worker is ready.
fn ready(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pairs = Pairs::take(
        effort.of(100),
        || {
            let begin = Instant::now();
            let pool = start(runtime, spec);
            let time = begin.elapsed().as_secs_f64();
            runtime.block_on(pool.shutdown());
            time
        },
        || frozen::python_pass(spec),
    );
    rows.push(Row::pairs(
        "`Pool::start` of one worker, until it is ready",
        &pairs,
        "`python -c pass`",
        Target::Ratio(1.5),
    ));
}

/// One request, one reply, one after the other.
fn one_by_one(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec);
    let count = 2000;
    for mode in ["bytes", "json"] {
        let mut echo = Echo::start(spec.command, mode);
        let pairs = Pairs::take(
            effort.of(30),
            || runtime.block_on(task(&pool, count)),
            || echo.one_by_one(count),
        );
        rows.push(Row::pairs(
            "one request, one reply, small JSON",
            &pairs,
            &format!("bare loop in Python, {mode}"),
            Target::Ratio(1.5),
        ));
    }
    runtime.block_on(pool.shutdown());
}

/// Many requests under way to one worker.
fn in_flight(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec);
    let mut echo = Echo::start(spec.command, "json");
    let count = 64_000;
    let (mut ours, mut bare, mut executor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.of(12) {
        ours.push(1.0 / runtime.block_on(tasks(&pool, count)));
        bare.push(echo.in_flight(count, IN_FLIGHT));
        executor.push(bare::executor(spec.command, count / 10, IN_FLIGHT));
    }
    runtime.block_on(pool.shutdown());
    let what = format!("{IN_FLIGHT} requests under way to one worker");
    let (ours, bare, executor) = (median(ours), median(bare), median(executor));
    rows.push(Row::rates(
        &what,
        ours,
        "bare loop in Python, json",
        bare,
        Target::Rate(60e3),
    ));
    rows.push(Row::rates(
        &what,
        ours,
        "`ProcessPoolExecutor`",
        executor,
        Target::None,
    ));
}

fn start(runtime: &Runtime, spec: &'static SpawnSpec) -> Pool {
    let config = PoolConfig {
        size: Some(1),
        ..PoolConfig::default()
    };
    runtime
        .block_on(Pool::start(spec, &config))
        .expect("the worker becomes ready")
}

/// Seconds of a request, of `count` that one task makes.
async fn task(pool: &Pool, count: usize) -> f64 {
    let pool = pool.clone();
    let calls = tokio::spawn(async move {
        let begin = Instant::now();
        calls(&pool, count).await;
        each(begin.elapsed(), count)
    });
    calls.await.expect("the task ends")
}

/// Seconds of a request, of `count` that so many tasks make as requests are to be under way.
async fn tasks(pool: &Pool, count: usize) -> f64 {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { calls(&pool, count / IN_FLIGHT).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    each(begin.elapsed(), count)
}

async fn calls(pool: &Pool, count: usize) {
    let small: Value = serde_json::from_str(SMALL).expect("it is JSON");
    for _ in 0..count {
        let reply: Value = pool.execute("echo", &small).await.expect("it answers");
        assert_eq!(reply, small);
    }
}
