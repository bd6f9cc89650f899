//! Arrays there and back: how many bytes a second, beside copies in memory and beside gRPC.

use std::time::Instant;

use bytes::Bytes;
use snakepit::{Buffer, Pool};
use tokio::runtime::Runtime;

use crate::measure::median;
use crate::pool::start;
use crate::rivals::Rival;
use crate::table::{Row, Target};
use crate::{Effort, Pools};

/// Bytes of an array.
const SIZES: [usize; 4] = [1 << 20, 4 << 20, 16 << 20, LARGE];

/// What the target is about.
const LARGE: usize = 64 << 20;

/// Rows for each size. An array's bytes count twice: there, and back.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let pool = start(&runtime, Pools::VENV, 1);
    for size in SIZES {
        of_size(effort, &runtime, &pool, size, rows);
    }
    runtime.block_on(pool.shutdown());
}

fn of_size(effort: Effort, runtime: &Runtime, pool: &Pool, size: usize, rows: &mut Vec<Row>) {
    let array = Buffer::from_vec(vec![0.5_f64; size / 8]);
    let server = Rival::grpc().map(|rival| (rival.name, rival.server()));
    let (mut ours, mut copies, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut target = vec![0_u8; size];
    // The first ones make what the later ones use again, on both sides.
    for round in 0..effort.of(30).max(5) + 2 {
        let begin = Instant::now();
        let back: Buffer = runtime
            .block_on(pool.execute("echo", &array))
            .expect("it answers");
        let time = begin.elapsed().as_secs_f64();
        assert_eq!(back.as_bytes().len(), size);
        if round == 0 {
            assert_eq!(back, array);
        }
        drop(back);
        let begin = Instant::now();
        target.copy_from_slice(std::hint::black_box(array.as_bytes()));
        let copy = begin.elapsed().as_secs_f64();
        std::hint::black_box(&target);
        let grpc = match &server {
            Ok((_, Some(server))) => Some(server.bytes(Bytes::copy_from_slice(array.as_bytes()))),
            _ => None,
        };
        if round >= 2 {
            ours.push(time);
            copies.push(copy);
            theirs.extend(grpc);
        }
    }
    let flow = |times, bytes: usize| bytes as f64 / median(times);
    let target = if size == LARGE {
        Target::Flow(3e9)
    } else {
        Target::None
    };
    let what = format!("an array of {} MiB there and back", size >> 20);
    let ours = flow(ours, 2 * size);
    let copies = flow(copies, size);
    rows.push(Row::flows(
        &what,
        ours,
        "one copy in memory",
        copies,
        target,
    ));
    rows.push(match server {
        Ok((name, _)) => Row::flows(&what, ours, name, flow(theirs, 2 * size), Target::None),
        Err(lacking) => Row::skipped(&what, &lacking),
    });
}
