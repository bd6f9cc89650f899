//! What a pool takes when it does little: the memory of a worker, the processor's time of an idle pool, and the host's
//! memory under a full queue.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use snakepit::SpawnSpec;
use snakepit_tests::process::resident;
use tokio::runtime::Runtime;

use crate::pool::start;
use crate::rivals::Rival;
use crate::table::{Row, Target};
use crate::{Effort, Pools, SMALL};

/// An interpreter that has started and does nothing.
const IDLE: &str = "import os; os.write(1, b'.'); os.read(0, 1)";

/// Memory and idleness.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let runtime = Runtime::new().expect("a runtime can be made");
    worker(&runtime, Pools::VENV, rows);
    idle(effort, &runtime, Pools::VENV, rows);
    queue(effort, &runtime, Pools::VENV, rows);
}

/// A worker that has answered, beside an interpreter that does nothing, at the same moment.
fn worker(runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec, 1);
    let stats: Value = runtime
        .block_on(pool.execute("get_stats", &()))
        .expect("it answers");
    let worker = stats["pid"].as_u64().expect("it has a number");
    let mut bare = Command::new(spec.command)
        .args(["-c", IDLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    let mut begun = [0];
    let mut stdout = bare.stdout.take().expect("it is a pipe");
    stdout.read_exact(&mut begun).expect("it begins");
    // The proportional memory depends on what else runs on the machine with the same libraries.
    for (field, name, target) in [
        ("Rss:", "resident", Target::Ratio(1.25)),
        ("Pss:", "proportional", Target::None),
    ] {
        let (ours, theirs) = (memory(worker, field), memory(bare.id().into(), field));
        rows.push(Row::memory(
            &format!("a worker that has answered, {name} memory"),
            ours,
            "an interpreter alone",
            theirs,
            target,
        ));
    }
    let ours = memory(worker, "Rss:");
    for rival in [Ok(Rival::executor(spec.command)), Rival::grpc()] {
        let what = "a worker that has answered, resident memory";
        rows.push(match rival {
            Ok(rival) => {
                let theirs = rival.run(100, 1, 0).resident;
                Row::memory(what, ours, rival.name, theirs, Target::None)
            }
            Err(lacking) => Row::skipped(what, &lacking),
        });
    }
    // It leaves at the end of its input.
    drop(bare.stdin.take());
    let _ = bare.wait();
    runtime.block_on(pool.shutdown());
}

/// Bytes of a process by a field of its `smaps_rollup`.
pub(crate) fn memory(process: u64, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("it lives");
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    number.expect("the kernel tells kilobytes") * 1024.0
}

/// The processor's time of a pool that nobody calls.
fn idle(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec, 2);
    let mut processes = snakepit_tests::process::children();
    processes.push(std::process::id());
    runtime
        .block_on(pool.execute::<_, Value>("ping", &()))
        .expect("it answers");
    // What the call left behind is done by then.
    thread::sleep(Duration::from_millis(500));
    let seconds = effort.of(10).max(2);
    let before: u64 = processes.iter().map(|process| ticks(*process)).sum();
    thread::sleep(Duration::from_secs(seconds as u64));
    let after: u64 = processes.iter().map(|process| ticks(*process)).sum();
    runtime.block_on(pool.shutdown());
    rows.push(Row::count(
        &format!("host and two idle workers for {seconds} s: processor ticks of 10 ms"),
        after - before,
        0,
    ));
}

/// User and system time, in ticks.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    // The fields behind the name, from the third on: these are the 14th and the 15th.
    let (_, fields) = stat
        .rsplit_once(") ")
        .expect("a name stands in parentheses");
    let times = fields.split(' ').skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// How the host's memory grows while 100 tasks keep 1,000 requests in the queue.
fn queue(effort: Effort, runtime: &Runtime, spec: &'static SpawnSpec, rows: &mut Vec<Row>) {
    let pool = start(runtime, spec, 1);
    let small: Value = serde_json::from_str(SMALL).expect("it is JSON");
    let round = || {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let (pool, small) = (pool.clone(), small.clone());
                    tokio::spawn(async move {
                        let call = || pool.execute::<_, Value>("echo", &small);
                        let (a, b, c, d, e, f, g, h, i, j) = tokio::join!(
                            call(),
                            call(),
                            call(),
                            call(),
                            call(),
                            call(),
                            call(),
                            call(),
                            call(),
                            call()
                        );
                        for reply in [a, b, c, d, e, f, g, h, i, j] {
                            assert_eq!(reply.expect("it answers"), small);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("the task ends");
            }
        });
        resident()
    };
    let rounds: Vec<u64> = (0..effort.of(300).max(60)).map(|_| round()).collect();
    let half = rounds.len() / 2;
    let most = |rounds: &[u64]| rounds.iter().copied().max().unwrap_or_default();
    let (early, late) = (most(&rounds[..half]), most(&rounds[half..]));
    runtime.block_on(pool.shutdown());
    rows.push(Row::count(
        "1,000 requests queued by 100 tasks, again and again: KiB that the host grew by in the second half",
        late.saturating_sub(early) >> 10,
        256,
    ));
}
