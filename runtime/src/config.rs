//! What the operator may change at run time: sizes and time limits, never the environment.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// The operator's values of one pool. What is not given keeps the attribute's value.
///
/// ```
/// # use snakepit::PoolConfig;
/// # use std::time::Duration;
/// let config: PoolConfig = toml::from_str("size = 4\nexecute_timeout = \"90s\"").unwrap();
/// assert_eq!(config.size, Some(4));
/// assert_eq!(config.execute_timeout, Some(Duration::from_secs(90)));
/// assert_eq!(config.queue_limit, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// Workers.
    pub size: Option<u32>,
    /// Longest wait for a worker's ready message: `"500ms"`, `"30s"`, `"2m"` or `"1h"`.
    #[serde(deserialize_with = "duration")]
    pub startup_timeout: Option<Duration>,
    /// Longest time from a call to its reply, waiting included.
    #[serde(deserialize_with = "duration")]
    pub execute_timeout: Option<Duration>,
    /// Longest time that a cancelled tool may take to stop before its worker is replaced.
    #[serde(deserialize_with = "duration")]
    pub cancel_timeout: Option<Duration>,
    /// Time without a call after which a session ends.
    #[serde(deserialize_with = "duration")]
    pub session_timeout: Option<Duration>,
    /// Longest wait for the workers to finish and leave.
    #[serde(deserialize_with = "duration")]
    pub shutdown_timeout: Option<Duration>,
    /// Requests that may wait in the pool before a call fails at once.
    pub queue_limit: Option<u32>,
}

/// What a `#[pool]` field can be. A trait only for its message, which names the field's mistake.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `#[pool]` field is a `snakepit::PoolConfig`, not `{Self}` [snakepit::pool_type_invalid]",
    label = "a pool's field of type `{Self}`",
    note = "write `PoolConfig` as the type of the field"
)]
pub trait PoolField {
    /// The operator's values.
    fn config(&self) -> &PoolConfig;
}

impl PoolField for PoolConfig {
    fn config(&self) -> &PoolConfig {
        self
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let milliseconds = match unit.trim() {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let count = count.parse::<u64>().ok().filter(|count| *count > 0);
    count
        .zip(milliseconds)
        .and_then(|(count, milliseconds)| count.checked_mul(milliseconds))
        .map(|milliseconds| Some(Duration::from_millis(milliseconds)))
        .ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is no duration: write one like `500ms`, `30s`, `2m` or `1h`"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_operator_are_named() {
        let error = |text: &str| toml::from_str::<PoolConfig>(text).unwrap_err().to_string();
        assert!(error("execute_timeout = \"soon\"").contains("`soon` is no duration"));
        assert!(error("execute_timeout = \"0s\"").contains("is no duration"));
        assert!(error("sise = 3").contains("unknown field `sise`"));
    }
}
