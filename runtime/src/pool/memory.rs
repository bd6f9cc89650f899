//! How much memory a worker takes, as the system counts it.

use std::fs;

/// A worker's interpreter, which a manager such as `uv run` may have started in its turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interpreter {
    /// What it calls itself.
    pub(crate) pid: u32,
    /// The process that was started: the leader of the group.
    pub(crate) group: u32,
}

impl Interpreter {
    /// Its resident memory in bytes. None if the system does not tell, as for one in a container, whose number means
    /// another process here or none.
    pub(crate) fn resident(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        // The name may hold anything but ends with the last parenthesis; state, parent and group follow.
        let (_, rest) = stat.rsplit_once(')')?;
        let group: u32 = rest.split_ascii_whitespace().nth(2)?.parse().ok()?;
        if group != self.group {
            return None;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_its_group_is_measured_and_one_that_only_has_its_number_is_not() {
        let pid = std::process::id();
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        let group = u32::try_from(group).unwrap();
        let own = Interpreter { pid, group };
        assert!(own.resident().unwrap() > 1 << 20);
        let foreign = Interpreter {
            pid,
            group: group + 1,
        };
        assert_eq!(foreign.resident(), None);
    }
}
