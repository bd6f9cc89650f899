//! How the pool's figures change with the size of a value, the number of workers and the requests under way: one row for
//! each point, and a plot of each sweep.

use serde_json::{Value, json};
use snakepit::SpawnSpec;
use tokio::runtime::Runtime;

use crate::bare::Echo;
use crate::measure::{median, rate, time};
use crate::plot::{Axes, Line, draw};
use crate::pool::{start, tasks};
use crate::rivals::Rival;
use crate::table::{Row, Target};
use crate::{Effort, Pools, report};

/// Bytes of a text: from 64 B to 16 MiB.
const SIZES: [usize; 10] = [
    64,
    256,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
    16 << 20,
];
const WORKERS: [u32; 3] = [1, 2, 4];
const DEPTHS: [usize; 5] = [1, 4, 16, 64, 256];

/// Latency by size, and throughput by workers and depth.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let drawn = latency(effort, &runtime, Pools::VENV, rows)
        .and_then(|()| throughput(effort, &runtime, Pools::VENV, rows));
    if let Err(why) = drawn {
        rows.push(Row::skipped("plots", &why));
    }
}

fn latency(
    effort: Effort,
    runtime: &Runtime,
    spec: &'static SpawnSpec,
    rows: &mut Vec<Row>,
) -> Result<(), String> {
    let pool = start(runtime, spec, 1);
    let rivals: Vec<Rival> = [Some(Rival::executor(spec.command)), Rival::grpc().ok()]
        .into_iter()
        .flatten()
        .collect();
    let names = ["Snakepit", "bare loop in Python, json"].into_iter();
    let names = names.chain(rivals.iter().map(|rival| rival.name.trim_matches('`')));
    let mut lines: Vec<Line> = names.map(|name| (name.to_owned(), Vec::new())).collect();
    for size in SIZES {
        // What goes through in a second or less, whoever carries it.
        let count = effort.of((64 << 20) / size).clamp(4, 1000);
        let text = Value::String("x".repeat(size));
        let mut bare = Echo::start(spec.command, "json", &text.to_string());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..effort.of(5).max(3) {
            ours.push(runtime.block_on(tasks(&pool, "echo", &text, count, 1)));
            theirs.push(bare.one_by_one(count));
        }
        let mut times = vec![median(ours), median(theirs)];
        times.extend(
            rivals
                .iter()
                .map(|rival| 1.0 / rival.run(count, 1, size).rate),
        );
        for ((name, points), seconds) in lines.iter_mut().zip(times) {
            let what = format!("one text of {} there and back, {name}", bytes(size as f64));
            rows.push(Row::time(&what, seconds, Target::None));
            points.push((size as f64, seconds));
        }
    }
    runtime.block_on(pool.shutdown());
    let axes = Axes {
        title: "One request after the other: latency by size",
        x: "length of the text",
        y: "time from call to value",
        x_label: bytes,
        // The axis has whole numbers only.
        y_label: |seconds| time(seconds).replace(".0 ", " "),
    };
    draw(&report::folder()?.join("latency.svg"), &axes, &lines)
}

fn throughput(
    effort: Effort,
    runtime: &Runtime,
    spec: &'static SpawnSpec,
    rows: &mut Vec<Row>,
) -> Result<(), String> {
    let mut lines = Vec::new();
    for workers in WORKERS {
        let pool = start(runtime, spec, workers);
        let plural = if workers == 1 { "" } else { "s" };
        let name = format!("{workers} worker{plural}");
        let mut points = Vec::new();
        for depth in DEPTHS {
            let value = json!({"text": "hello", "number": 1});
            let runs = (0..effort.of(5).max(3)).map(|_| {
                let count = effort.of(20_000);
                1.0 / runtime.block_on(tasks(&pool, "echo", &value, count, depth))
            });
            let per_second = median(runs.collect());
            let what = format!("{name}, {depth} under way");
            rows.push(Row::rate(&what, per_second));
            points.push((depth as f64, per_second));
        }
        runtime.block_on(pool.shutdown());
        lines.push((name, points));
    }
    let axes = Axes {
        title: "Small requests: throughput by workers and requests under way",
        x: "requests under way",
        y: "requests a second",
        x_label: |depth| format!("{depth:.0}"),
        y_label: rate,
    };
    draw(&report::folder()?.join("throughput.svg"), &axes, &lines)
}

fn bytes(count: f64) -> String {
    match count {
        count if count >= 1048576.0 => format!("{:.0} MiB", count / 1048576.0),
        count if count >= 1024.0 => format!("{:.0} KiB", count / 1024.0),
        _ => format!("{count:.0} B"),
    }
}
