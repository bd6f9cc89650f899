//! What workers cost: until one is ready, for one request at a time, and for many.

use std::time::Instant;

use serde_json::{Value, json};
use snakepit::{Pool, PoolConfig, SpawnSpec, snakepit_pools};
use tokio::runtime::Runtime;

use crate::bare::Echo;
use crate::measure::{Pairs, each, median};
use crate::pinned::Pinned;
use crate::rivals::Rival;
use crate::table::{Row, Target};
use crate::{Effort, Pools, SMALL, frozen};

const IN_FLIGHT: usize = 64;

#[snakepit_pools]
struct Burning {
    #[pool(environment = venv(venv_path = "../target/bench-venv"), adapter = "burning", python_path = ["python"])]
    burning: PoolConfig,
}

/// How soon a pool is ready, and how fast its requests are.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let runtime = Runtime::new().expect("a runtime can be made");
    ready(effort, &runtime, Pools::VENV, rows);
    one_by_one(effort, &runtime, Pools::VENV, rows);
    in_flight(effort, &runtime, Pools::VENV, rows);
    two_workers(effort, &runtime, rows);
}

/// Until a worker is ready.
fn ready(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pairs = Pairs::take(
        effort.of(100),
        || {
            let begin = Instant::now();
            let pool = start(runtime, spec, 1);
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
    let pool = start(runtime, spec, 1);
    let what = "one request, one reply, small JSON";
    let count = 2000;
    let worker = pool.workers()[0].pid.expect("it is ready");
    for (mode, most) in [("bytes", 1.5), ("json", 1.3)] {
        let mut echo = Echo::start(spec.command, mode, SMALL);
        let what = format!("{what}, on one processor");
        let _pinned = match Pinned::to_one_processor(&[worker, echo.id()]) {
            Ok(pinned) => pinned,
            Err(why) => {
                rows.push(Row::skipped(&what, &format!("one processor: {why}")));
                continue;
            }
        };
        let pairs = Pairs::take(
            effort.of(30),
            || runtime.block_on(task(&pool, count)),
            || echo.one_by_one(count),
        );
        let other = format!("bare loop in Python, {mode}");
        rows.push(Row::pairs(&what, &pairs, &other, Target::Ratio(most)));
    }
    let mut echo = Echo::start(spec.command, "json", SMALL);
    let pairs = Pairs::take(
        effort.of(30),
        || runtime.block_on(task(&pool, count)),
        || echo.one_by_one_in(runtime, count),
    );
    rows.push(Row::pairs(
        what,
        &pairs,
        "bare loop in Python, json, called from Tokio",
        Target::Ratio(1.3),
    ));
    blocking(effort, spec, &mut echo, count, rows);
    for (rival, target) in rivals(
        spec,
        [
            Target::Ratio(1.0 / 4.0),
            Target::None,
            Target::Ratio(1.0 / 7.0),
        ],
    ) {
        rows.push(match rival {
            Ok(rival) => {
                let pairs = Pairs::take(
                    effort.of(10),
                    || runtime.block_on(task(&pool, count)),
                    || 1.0 / rival.run(count, 1, 0).rate,
                );
                Row::pairs(what, &pairs, rival.name, target)
            }
            Err(lacking) => Row::skipped(what, &lacking),
        });
    }
    runtime.block_on(pool.shutdown());
}

/// The same without an async runtime of the program's own.
fn blocking(
    effort: Effort,
    spec: &'static SpawnSpec,
    echo: &mut Echo,
    count: usize,
    rows: &mut Vec<Row>,
) {
    let pool = snakepit::blocking::Pool::start(spec, &PoolConfig::default());
    let pool = pool.expect("the worker becomes ready");
    let value = small();
    let calls = || {
        let begin = Instant::now();
        for _ in 0..count {
            let reply: Value = pool.execute("echo", &value).expect("it answers");
            assert_eq!(reply, value);
        }
        each(begin.elapsed(), count)
    };
    let pairs = Pairs::take(effort.of(30), calls, || echo.one_by_one(count));
    pool.shutdown();
    rows.push(Row::pairs(
        "one request, one reply, small JSON, `snakepit::blocking`",
        &pairs,
        "bare loop in Python, json",
        Target::None,
    ));
}

/// Many requests under way to one worker.
fn in_flight(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec, 1);
    let mut echo = Echo::start(spec.command, "json", SMALL);
    let what = format!("{IN_FLIGHT} requests under way to one worker");
    let count = 64_000;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..effort.of(12) {
        ours.push(1.0 / runtime.block_on(tasks(&pool, "echo", &small(), count, IN_FLIGHT)));
        bare.push(echo.in_flight(count, IN_FLIGHT));
    }
    rows.push(Row::rates(
        &what,
        median(ours),
        "bare loop in Python, json",
        median(bare),
        Target::Rate(100e3),
    ));
    for (rival, target) in rivals(
        spec,
        [Target::Times(10.0), Target::None, Target::Times(15.0)],
    ) {
        rows.push(match rival {
            Ok(rival) => {
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                for _ in 0..effort.of(8) {
                    ours.push(
                        1.0 / runtime.block_on(tasks(&pool, "echo", &small(), count, IN_FLIGHT)),
                    );
                    theirs.push(rival.run(count / 10, IN_FLIGHT, 0).rate);
                }
                let (ours, theirs) = (median(ours), median(theirs));
                Row::rates(&what, ours, rival.name, theirs, target)
            }
            Err(lacking) => Row::skipped(&what, &lacking),
        });
    }
    runtime.block_on(pool.shutdown());
}

/// Each with what is wanted.
fn rivals(spec: &SpawnSpec, wanted: [Target; 3]) -> [(Result<Rival, String>, Target); 3] {
    let [executor, multiprocessing, grpc] = wanted;
    [
        (Ok(Rival::executor(spec.command)), executor),
        (Ok(Rival::multiprocessing(spec.command)), multiprocessing),
        (Rival::grpc(), grpc),
    ]
}

/// Two workers beside one, where the tool itself needs the processor.
fn two_workers(effort: Effort, runtime: &Runtime, rows: &mut Vec<Row>) {
    const BURN: f64 = 50e-6;
    let [one, two] = [1, 2].map(|size| start(runtime, Burning::BURNING, size));
    let count = 8_000;
    let rate = |pool: &Pool| {
        let time = runtime.block_on(tasks(pool, "burn", &json!(BURN), count, IN_FLIGHT));
        1.0 / time
    };
    let pairs = Pairs::take(effort.of(20), || rate(&two), || rate(&one));
    for pool in [one, two] {
        runtime.block_on(pool.shutdown());
    }
    rows.push(Row::rates(
        "two workers, a tool that burns 50 µs",
        pairs.ours,
        "one worker",
        pairs.theirs,
        Target::Times(1.5),
    ));
}

/// Starts a pool of so many workers.
pub(crate) fn start(runtime: &Runtime, spec: &'static SpawnSpec, size: u32) -> Pool {
    let config = PoolConfig {
        size: Some(size),
        ..PoolConfig::default()
    };
    runtime
        .block_on(Pool::start(spec, &config))
        .expect("the worker becomes ready")
}

fn small() -> Value {
    serde_json::from_str(SMALL).expect("it is JSON")
}

/// Seconds of a request, of `count` that one task makes.
async fn task(pool: &Pool, count: usize) -> f64 {
    tasks(pool, "echo", &small(), count, 1).await
}

/// Seconds of a request, of `count` that so many tasks make as requests are to be under way.
pub(crate) async fn tasks(
    pool: &Pool,
    tool: &'static str,
    value: &Value,
    count: usize,
    in_flight: usize,
) -> f64 {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let (pool, value) = (pool.clone(), value.clone());
            tokio::spawn(async move {
                for _ in 0..count / in_flight {
                    let reply: Value = pool.execute(tool, &value).await.expect("it answers");
                    assert!(tool != "echo" || reply == value, "{reply}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    each(begin.elapsed(), count / in_flight * in_flight)
}
