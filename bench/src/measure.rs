//! Samples and their medians. Things that are compared are measured in turns, so that both meet the same machine.

use std::time::{Duration, Instant};

/// The median.
///
/// # Panics
/// Without samples.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Seconds that `work` takes.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64()
}

/// What two things cost that were measured in turns.
#[derive(Debug)]
pub(crate) struct Pairs {
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    /// The median of the ratios of the pairs: a slow minute of the machine is in both halves of a pair.
    pub(crate) ratio: f64,
}

impl Pairs {
    /// Takes `count` pairs; who begins alternates. The first pair only warms the caches.
    pub(crate) fn take(
        count: usize,
        mut ours: impl FnMut() -> f64,
        mut theirs: impl FnMut() -> f64,
    ) -> Self {
        let pairs: Vec<(f64, f64)> = (0..=count)
            .map(|turn| {
                if turn % 2 == 0 {
                    let ours = ours();
                    (ours, theirs())
                } else {
                    let theirs = theirs();
                    (ours(), theirs)
                }
            })
            .skip(1)
            .collect();
        Self {
            ours: median(pairs.iter().map(|pair| pair.0).collect()),
            theirs: median(pairs.iter().map(|pair| pair.1).collect()),
            ratio: median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
        }
    }
}

/// `12.3 ms`, with a unit that suits it.
pub(crate) fn time(seconds: f64) -> String {
    let (scale, unit) = match seconds.abs() {
        s if s >= 1.0 => (1.0, "s"),
        s if s >= 1e-3 => (1e3, "ms"),
        s if s >= 1e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    let value = seconds * scale;
    format!("{value:.1} {unit}")
}

/// `1.2 MiB`.
pub(crate) fn memory(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / 1024.0 / 1024.0)
}

/// `1.2 GB/s`.
pub(crate) fn flow(bytes_per_second: f64) -> String {
    format!("{:.1} GB/s", bytes_per_second / 1e9)
}

/// `123456/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{per_second:.0}/s")
}

/// The seconds of one of `count` equal steps.
pub(crate) fn each(all: Duration, count: usize) -> f64 {
    all.as_secs_f64() / count as f64
}
