//! How long calls took: counts in steps that grow with the value, so that a quantile is exact to one percent whatever
//! it is. The scheme is that of HdrHistogram (<https://hdrhistogram.github.io/HdrHistogram/>), whose crate brings three
//! others that nothing else of a program's first build needs.

use std::time::Duration;

use super::stats::Latency;

/// Values below it have a step each; above, each doubling has half as many steps.
const STEPS: u64 = 256;

/// The longest time that is told apart, in microseconds: a day.
const LONGEST: u64 = 24 * 3600 * 1_000_000;

/// From a microsecond to a day.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// How many calls fell into each step.
    counts: Box<[u64]>,
    count: u64,
    /// All times together, in microseconds.
    sum: u128,
    max: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; step(LONGEST) + 1].into(),
            count: 0,
            sum: 0,
            max: 0,
        }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).map_or(LONGEST, |took| took.min(LONGEST));
        self.counts[step(micros)] += 1;
        self.count += 1;
        self.sum += u128::from(micros);
        self.max = self.max.max(micros);
    }

    pub(crate) fn read(&self) -> Latency {
        let mean = self.sum.checked_div(self.count.into()).unwrap_or_default();
        Latency {
            count: self.count,
            mean: Duration::from_micros(mean as u64),
            p50: self.at(500),
            p90: self.at(900),
            p99: self.at(990),
            p999: self.at(999),
            max: Duration::from_micros(self.max),
        }
    }

    /// The time within which so many of a thousand calls ended.
    fn at(&self, thousandths: u64) -> Duration {
        let wanted = (u128::from(self.count) * u128::from(thousandths)).div_ceil(1000);
        let mut seen = 0;
        let step = self.counts.iter().position(|count| {
            seen += u128::from(*count);
            seen >= wanted.max(1)
        });
        // What fell into one step is not told apart, but none of it took longer than the longest.
        Duration::from_micros(step.map_or(0, |step| last(step).min(self.max)))
    }
}

/// The step of a value.
fn step(micros: u64) -> usize {
    let halvings = (micros / STEPS)
        .checked_ilog2()
        .map_or(0, |doublings| doublings + 1);
    (u64::from(halvings) * (STEPS / 2) + (micros >> halvings)) as usize
}

/// The longest time that falls into a step.
fn last(step: usize) -> u64 {
    let step = step as u64;
    let halvings = (step / (STEPS / 2)).saturating_sub(1);
    ((step - halvings * (STEPS / 2) + 1) << halvings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.read(), Latency::default());
        for milliseconds in 1..=1000 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        let read = latencies.read();
        assert_eq!(read.count, 1000);
        for (found, wanted) in [
            (read.p50, 0.5),
            (read.mean, 0.5),
            (read.p90, 0.9),
            (read.p99, 0.99),
            (read.p999, 0.999),
            (read.max, 1.0),
        ] {
            let ratio = found.as_secs_f64() / wanted;
            assert!((0.99..1.01).contains(&ratio), "{found:?} {wanted}");
        }
    }

    #[test]
    fn every_value_falls_into_one_step_and_steps_follow_one_another() {
        let mut first = 0;
        for at in 0..=step(LONGEST) {
            assert_eq!((step(first), step(last(at))), (at, at));
            assert!((last(at) - first) * 100 <= first, "{first}");
            first = last(at) + 1;
        }
        assert!(first > LONGEST);
    }

    #[test]
    fn one_slow_call_in_a_thousand_is_the_longest_and_no_quantile() {
        let mut latencies = Latencies::new();
        for _ in 0..999 {
            latencies.record(Duration::from_micros(90));
        }
        latencies.record(Duration::from_secs(7));
        let read = latencies.read();
        assert_eq!(read.p999, Duration::from_micros(90));
        assert_eq!(read.max, Duration::from_secs(7));
    }

    #[test]
    fn what_takes_longer_than_a_day_and_what_takes_no_time_is_counted() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::MAX);
        latencies.record(Duration::ZERO);
        let read = latencies.read();
        assert_eq!(read.count, 2);
        assert_eq!(read.max, Duration::from_secs(24 * 3600));
    }
}
