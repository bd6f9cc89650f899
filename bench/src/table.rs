//! The table that is printed: one line for each thing measured, in Markdown.

use std::fmt;

/// What a measurement should come to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Seconds, at most.
    Time(f64),
    /// Times what it is compared with, at most.
    Ratio(f64),
    /// A second, at least.
    Rate(f64),
    /// Bytes a second, at least.
    Flow(f64),
    /// Times what it is compared with, at least.
    Times(f64),
    /// At most so many.
    Most(u64),
    /// Only for comparison.
    None,
}

/// `1/7` is no decimal number of a few places.
fn short(ratio: f64) -> String {
    if ratio < 0.5 {
        format!("1/{:.0}", 1.0 / ratio)
    } else {
        ratio.to_string()
    }
}

/// One line.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Row {
    what: String,
    measured: String,
    beside: String,
    ratio: String,
    target: String,
    verdict: &'static str,
}

impl Row {
    /// Seconds, beside nothing.
    pub(crate) fn time(what: &str, seconds: f64, target: Target) -> Self {
        Self::new(
            what,
            crate::measure::time(seconds),
            "",
            None,
            target,
            seconds,
        )
    }

    /// What could not be measured, and why.
    pub(crate) fn skipped(what: &str, lacking: &str) -> Self {
        let measured = format!("skipped: needs {lacking}");
        Self::new(what, measured, "", None, Target::None, 0.0)
    }

    /// Seconds beside the seconds of something else.
    pub(crate) fn pairs(
        what: &str,
        pairs: &crate::measure::Pairs,
        other: &str,
        target: Target,
    ) -> Self {
        let beside = format!("{other}: {}", crate::measure::time(pairs.theirs));
        let measured = crate::measure::time(pairs.ours);
        Self::new(
            what,
            measured,
            &beside,
            Some(pairs.ratio),
            target,
            pairs.ours,
        )
    }

    /// A rate beside the rate of something else.
    pub(crate) fn rates(what: &str, ours: f64, other: &str, theirs: f64, target: Target) -> Self {
        let beside = format!("{other}: {}", crate::measure::rate(theirs));
        let measured = crate::measure::rate(ours);
        Self::new(what, measured, &beside, Some(ours / theirs), target, ours)
    }

    /// A rate, beside nothing.
    pub(crate) fn rate(what: &str, per_second: f64) -> Self {
        let measured = crate::measure::rate(per_second);
        Self::new(what, measured, "", None, Target::None, per_second)
    }

    /// Bytes a second beside those of something else.
    pub(crate) fn flows(what: &str, ours: f64, other: &str, theirs: f64, target: Target) -> Self {
        let beside = format!("{other}: {}", crate::measure::flow(theirs));
        let measured = crate::measure::flow(ours);
        Self::new(what, measured, &beside, Some(ours / theirs), target, ours)
    }

    /// A number, beside nothing.
    pub(crate) fn count(what: &str, number: u64, most: u64) -> Self {
        let value = number as f64;
        Self::new(
            what,
            number.to_string(),
            "",
            None,
            Target::Most(most),
            value,
        )
    }

    /// Bytes beside the bytes of something else.
    pub(crate) fn memory(what: &str, ours: f64, other: &str, theirs: f64, target: Target) -> Self {
        let beside = format!("{other}: {}", crate::measure::memory(theirs));
        let measured = crate::measure::memory(ours);
        Self::new(what, measured, &beside, Some(ours / theirs), target, ours)
    }

    fn new(
        what: &str,
        measured: String,
        beside: &str,
        ratio: Option<f64>,
        target: Target,
        value: f64,
    ) -> Self {
        let (text, met) = match target {
            Target::Time(most) => (format!("≤ {}", crate::measure::time(most)), value <= most),
            Target::Ratio(most) => (
                format!("≤ {}×", short(most)),
                ratio.is_some_and(|ratio| ratio <= most),
            ),
            Target::Times(least) => (
                format!("≥ {least}×"),
                ratio.is_some_and(|ratio| ratio >= least),
            ),
            Target::Most(most) => (format!("≤ {most}"), value <= most as f64),
            Target::Flow(least) => (format!("≥ {}", crate::measure::flow(least)), value >= least),
            Target::Rate(least) => (format!("≥ {}", crate::measure::rate(least)), value >= least),
            Target::None => (String::new(), true),
        };
        Self {
            what: what.to_owned(),
            measured,
            beside: beside.to_owned(),
            ratio: ratio
                .map(|ratio| format!("{ratio:.3}×"))
                .unwrap_or_default(),
            verdict: match (text.is_empty(), met) {
                (true, _) => "",
                (false, true) => "met",
                (false, false) => "MISSED",
            },
            target: text,
        }
    }

    /// The lines above the first one.
    pub(crate) const HEAD: &str =
        "| what | measured | beside | ratio | target | |\n|---|---|---|---|---|---|";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            measured,
            beside,
            ratio,
            target,
            verdict,
        } = self;
        write!(
            f,
            "| {what} | {measured} | {beside} | {ratio} | {target} | {verdict} |"
        )
    }
}
