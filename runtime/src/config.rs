//! What the operator may change at run time: sizes and time limits, never the environment.

use std::fmt;
use std::time::Duration;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::units::{bytes, milliseconds};

/// The operator's values of one pool. What is not given keeps the attribute's value; what that does not give either has
/// the default that is named here. In a file a time is `"500ms"`, `"30s"`, `"2m"` or `"1h"`.
///
/// ```
/// # use snakepit::PoolConfig;
/// # use std::time::Duration;
/// let config: PoolConfig = toml::from_str("size = 4\nexecute_timeout = \"90s\"").unwrap();
/// assert_eq!(config.size, Some(4));
/// assert_eq!(config.execute_timeout, Some(Duration::from_secs(90)));
/// assert_eq!(config.queue_limit, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolConfig {
    /// Workers: 1 by default.
    pub size: Option<u32>,
    /// Longest wait for a worker's ready message: 30 s by default.
    pub startup_timeout: Option<Duration>,
    /// Longest time from a call to its reply, waiting included; of a stream, to each item: 30 s by default.
    pub execute_timeout: Option<Duration>,
    /// Longest time that a cancelled tool may take to stop before its worker is replaced: 1 s by default.
    pub cancel_timeout: Option<Duration>,
    /// Time without a call after which a session ends: 1 h by default.
    pub session_timeout: Option<Duration>,
    /// Longest wait for the workers to finish and leave: 5 s by default.
    pub shutdown_timeout: Option<Duration>,
    /// Requests that may wait in the pool before a call fails at once: 1024 by default.
    pub queue_limit: Option<u32>,
    /// Pause before a failed start of a worker is tried again; each further one is twice as long. 100 ms by default.
    pub restart_delay: Option<Duration>,
    /// The longest of these pauses, and the pause between the tries of a worker that failed too often: 10 s by default.
    pub max_restart_delay: Option<Duration>,
    /// How often one worker may fail, at its start or later, within `restart_window`. One that fails more often is tried
    /// only now and then; the pool is `Degraded` then. 5 by default.
    pub max_restarts: Option<u32>,
    /// How far back failures count: 60 s by default.
    pub restart_window: Option<Duration>,
    /// Requests after which a worker is replaced; 0 is never, which is the default.
    pub max_requests: Option<u32>,
    /// Age at which a worker is replaced; `"off"`, or zero, is never, which is the default.
    pub max_age: Option<Duration>,
    /// Resident memory in bytes, in a file `"512MiB"` or `"2GB"`, above which a worker is replaced; `"off"`, or zero, is
    /// never, which is the default.
    pub max_memory: Option<u64>,
    /// How long an interpreter may give no sign of life before its worker is replaced; `"off"`, or zero, is for ever, the
    /// default. It has to be longer than any of your code in C holds the GIL.
    pub heartbeat_timeout: Option<Duration>,
    /// Time between `SIGTERM` and `SIGKILL` for a worker that is ended, and for what it started: 1 s by default.
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

/// What stands in the operator's file for each field. Not by `derive`: with it, a program without the pool would wait
/// for serde's macros to be compiled.
macro_rules! fields {
    ($($field:ident: $written:ty),* $(,)?) => {
        const FIELDS: &[&str] = &[$(stringify!($field)),*];

        impl<'de> Visitor<'de> for Fields {
            type Value = PoolConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the settings of a pool")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PoolConfig, A::Error> {
                $(let mut $field: Option<Option<$written>> = None;)*
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        $(stringify!($field) if $field.is_some() => {
                            return Err(de::Error::duplicate_field(stringify!($field)));
                        }
                        stringify!($field) => $field = Some(map.next_value()?),)*
                        other => return Err(de::Error::unknown_field(other, FIELDS)),
                    }
                }
                Ok(PoolConfig { $($field: $field.flatten().map(Into::into)),* })
            }
        }
    };
}

struct Fields;

fields! {
    size: u32,
    startup_timeout: Limit,
    execute_timeout: Limit,
    cancel_timeout: Limit,
    session_timeout: Limit,
    shutdown_timeout: Limit,
    queue_limit: u32,
    restart_delay: Limit,
    max_restart_delay: Limit,
    max_restarts: u32,
    restart_window: Limit,
    max_requests: u32,
    max_age: LimitOrOff,
    max_memory: SizeOrOff,
    heartbeat_timeout: LimitOrOff,
    kill_timeout: Limit,
}

impl<'de> Deserialize<'de> for PoolConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("PoolConfig", FIELDS, Fields)
    }
}

/// A type of a field in the file: a text, how it is read and what is said of one that cannot be.
macro_rules! text {
    ($name:ident, $value:ty, $read:expr, $help:literal) => {
        struct $name($value);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let value = $read(&text);
                value
                    .map(Self)
                    .ok_or_else(|| de::Error::custom(format!("`{text}` {}", $help)))
            }
        }

        impl From<$name> for $value {
            fn from(written: $name) -> Self {
                written.0
            }
        }
    };
}

text!(
    Limit,
    Duration,
    duration,
    "is no duration: write one like `500ms`, `30s`, `2m` or `1h`"
);
text!(
    LimitOrOff,
    Duration,
    or_off(duration),
    "is no duration: write one like `500ms`, `30s`, `2m` or `1h`, or `off`"
);
text!(
    SizeOrOff,
    u64,
    or_off(bytes),
    "is no size: write one like `512MiB` or `2GB`, or `off`"
);

fn duration(text: &str) -> Option<Duration> {
    milliseconds(text).map(Duration::from_millis)
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
        // The line of the value, not that of the table.
        assert!(error("size = 1\nmax_age = \"old\"").contains("2 | max_age = \"old\""));
        let twice = serde_json::from_str::<PoolConfig>(r#"{"size": 1, "size": 2}"#);
        assert!(
            twice
                .unwrap_err()
                .to_string()
                .contains("duplicate field `size`")
        );
    }

    #[test]
    fn what_is_not_given_or_null_is_not_set() {
        let config: PoolConfig =
            serde_json::from_str(r#"{"size": null, "max_memory": "1KiB"}"#).unwrap();
        let wanted = PoolConfig {
            max_memory: Some(1024),
            ..PoolConfig::default()
        };
        assert_eq!(config, wanted);
    }
}
