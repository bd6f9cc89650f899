//! When workers are replaced, and how they are ended: the attribute's values, and what the operator makes of them.

use std::time::Duration;

#[cfg(feature = "pool")]
use crate::PoolConfig;

/// When workers are replaced, and how they are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// Pause before a failed start is tried again; each further one is twice as long.
    pub restart_delay: Duration,
    /// The longest of these pauses, and the pause between the tries of a worker that failed too often.
    pub max_restart_delay: Duration,
    /// How often one worker may fail within the window.
    pub max_restarts: u32,
    /// How far back failures count.
    pub restart_window: Duration,
    /// Requests after which a worker is replaced.
    pub max_requests: Option<u32>,
    /// Age at which a worker is replaced.
    pub max_age: Option<Duration>,
    /// Resident memory, in bytes, above which a worker is replaced.
    pub max_memory: Option<u64>,
    /// How long a worker may give no sign of life.
    pub heartbeat_timeout: Option<Duration>,
    /// Time between `SIGTERM` and `SIGKILL`.
    pub kill_timeout: Duration,
}

impl Supervision {
    /// What the operator says goes before what the attribute says; zero is "never".
    #[cfg(feature = "pool")]
    pub(crate) fn with(&self, config: &PoolConfig) -> Self {
        fn unless_off<T: Default + PartialEq>(said: Option<T>, default: Option<T>) -> Option<T> {
            said.map_or(default, |value| (value != T::default()).then_some(value))
        }
        Self {
            restart_delay: config.restart_delay.unwrap_or(self.restart_delay),
            max_restart_delay: config.max_restart_delay.unwrap_or(self.max_restart_delay),
            max_restarts: config.max_restarts.unwrap_or(self.max_restarts),
            restart_window: config.restart_window.unwrap_or(self.restart_window),
            max_requests: unless_off(config.max_requests, self.max_requests),
            max_age: unless_off(config.max_age, self.max_age),
            max_memory: unless_off(config.max_memory, self.max_memory),
            heartbeat_timeout: unless_off(config.heartbeat_timeout, self.heartbeat_timeout),
            kill_timeout: config.kill_timeout.unwrap_or(self.kill_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTRIBUTE: Supervision = Supervision {
        restart_delay: Duration::from_millis(1),
        max_restart_delay: Duration::from_millis(2),
        max_restarts: 3,
        restart_window: Duration::from_millis(4),
        max_requests: Some(5),
        max_age: Some(Duration::from_millis(6)),
        max_memory: Some(7),
        heartbeat_timeout: None,
        kill_timeout: Duration::from_millis(9),
    };

    #[test]
    fn the_operator_changes_what_he_names_and_switches_off_what_he_calls_off() {
        assert_eq!(ATTRIBUTE.with(&PoolConfig::default()), ATTRIBUTE);
        let config = toml::from_str(
            "max_requests = 0\nmax_age = \"off\"\nmax_memory = \"off\"\nheartbeat_timeout = \"10s\"\nmax_restarts = 0",
        );
        let wanted = Supervision {
            max_restarts: 0,
            max_requests: None,
            max_age: None,
            max_memory: None,
            heartbeat_timeout: Some(Duration::from_secs(10)),
            ..ATTRIBUTE
        };
        assert_eq!(ATTRIBUTE.with(&config.unwrap()), wanted);
    }
}
