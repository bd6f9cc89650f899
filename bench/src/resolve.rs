//! What resolving costs: ten pools over all kinds but docker, in a build script of its own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use snakepit_build::{Host, Machine};

use crate::Effort;
use crate::kinds::kinds;
use crate::measure::{median, seconds, time};
use crate::table::{Row, Target};

/// With a warm probe cache, and without one beside the slowest interpreter's own answer.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let what = "ten pools over six kinds, in a build script of their own";
    let kinds = match kinds() {
        Ok(kinds) => kinds,
        Err(lacking) => return rows.push(Row::skipped(what, lacking)),
    };
    kinds.resolve();
    let warm = (0..effort.of(50)).map(|_| kinds.resolve()).collect();
    let text = format!("{what}, probe cache warm");
    rows.push(Row::time(&text, median(warm), Target::Time(30e-3)));

    let resolutions = kinds.resolutions();
    let interpreters: BTreeSet<PathBuf> = resolutions
        .iter()
        .map(|(_, resolution)| resolution.command.clone().into())
        .collect();
    let (mut cold, mut slowest) = (Vec::new(), Vec::new());
    for _ in 0..effort.of(20) {
        kinds.forget();
        cold.push(kinds.resolve());
        let probes = interpreters.iter().map(|path| {
            seconds(|| {
                let answer = Machine.interpreter(path);
                answer.expect("it has answered before");
            })
        });
        slowest.push(probes.fold(0.0, f64::max));
    }
    let (cold, slowest) = (median(cold), median(slowest));
    let text = format!(
        "{what}, no probe cache; the slowest probe alone: {}",
        time(slowest)
    );
    rows.push(Row::time(&text, cold, Target::Time(1.3 * slowest + 50e-3)));
}
