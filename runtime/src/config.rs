//! What the operator may change at run time: sizes and time limits, never the environment.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::units::{bytes, milliseconds};

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
    /// Pause before a failed start of a worker is tried again; each further one is twice as long.
    #[serde(deserialize_with = "duration")]
    pub restart_delay: Option<Duration>,
    /// The longest of these pauses, and the pause between the tries of a worker that failed too often.
    #[serde(deserialize_with = "duration")]
    pub max_restart_delay: Option<Duration>,
    /// How often one worker may fail, at its start or later, within `restart_window`. One that fails more often is tried
    /// only now and then; the pool is `Degraded` then.
    pub max_restarts: Option<u32>,
    /// How far back failures count.
    #[serde(deserialize_with = "duration")]
    pub restart_window: Option<Duration>,
    /// Requests after which a worker is replaced; 0 is never.
    pub max_requests: Option<u32>,
    /// Age at which a worker is replaced; `"off"`, or zero, is never.
    #[serde(deserialize_with = "duration_or_off")]
    pub max_age: Option<Duration>,
    /// Resident memory in bytes, in a file `"512MiB"` or `"2GB"`, above which a worker is replaced; `"off"`, or zero, is
    /// never.
    #[serde(deserialize_with = "size_or_off")]
    pub max_memory: Option<u64>,
    /// How long an interpreter may give no sign of life before its worker is replaced; `"off"`, or zero, is for ever. It
    /// has to be longer than any of your code in C holds the GIL.
    #[serde(deserialize_with = "duration_or_off")]
    pub heartbeat_timeout: Option<Duration>,
    /// Time between `SIGTERM` and `SIGKILL` for a worker that is ended, and for what it started.
    #[serde(deserialize_with = "duration")]
    pub kill_timeout: Option<Duration>,
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
    let read = |text: &str| milliseconds(text).map(Duration::from_millis);
    let help = "is no duration: write one like `500ms`, `30s`, `2m` or `1h`";
    text(deserializer, read, help)
}

fn duration_or_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let read = |text: &str| milliseconds(text).map(Duration::from_millis);
    let help = "is no duration: write one like `500ms`, `30s`, `2m` or `1h`, or `off`";
    text(deserializer, or_off(read), help)
}

fn size_or_off<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let help = "is no size: write one like `512MiB` or `2GB`, or `off`";
    text(deserializer, or_off(bytes), help)
}

/// `off` is zero.
fn or_off<T: Default>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<T> {
    move |text| {
        if text == "off" {
            Some(T::default())
        } else {
            read(text)
        }
    }
}

fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(&str) -> Option<T>,
    help: &str,
) -> Result<Option<T>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let value = read(&text).ok_or_else(|| de::Error::custom(format!("`{text}` {help}")))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_operator_are_named() {
        let error = |text: &str| toml::from_str::<PoolConfig>(text).unwrap_err().to_string();
        assert!(error("execute_timeout = \"soon\"").contains("`soon` is no duration"));
        assert!(error("execute_timeout = \"0s\"").contains("is no duration"));
        assert!(error("kill_timeout = \"off\"").contains("is no duration"));
        assert!(error("max_age = \"old\"").contains("or `off`"));
        assert!(
            error("max_memory = \"512\"").contains("`512` is no size: write one like `512MiB`")
        );
        assert!(error("sise = 3").contains("unknown field `sise`"));
    }
}
