//! Programs that are held to one processor while they are measured.
//!
//! A small call takes less time than to wake a processor that sleeps, which costs some 20 µs on a virtual machine whose
//! host does not wait a moment before it lets one sleep. The kernel keeps two processes that talk to each other on one
//! processor or on two, as it happened at their start, and settles a loop of blocking reads on one, but not a program
//! that waits with epoll. So a ratio of the two is one of placements, unless the placement is given.

use std::fs;
use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it is there, the threads of this program and of others run on one processor.
pub(crate) struct Pinned(Vec<(Pid, CpuSet)>);

impl Pinned {
    /// Holds all threads that there are now.
    ///
    /// # Errors
    /// The system does not let us.
    pub(crate) fn to_one_processor(others: &[u32]) -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut one = CpuSet::new();
        let first = (0..CpuSet::MAX_CPU).find(|processor| allowed.is_set(*processor));
        one.set(first.ok_or_else(|| io::Error::other("no processor is allowed"))?);
        let mut pinned = Self(Vec::new());
        for process in std::iter::once(std::process::id()).chain(others.iter().copied()) {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let name = thread?.file_name();
                let number = name.to_str().and_then(|name| name.parse().ok());
                let thread = number.and_then(Pid::from_raw);
                let thread = thread.ok_or_else(|| io::Error::other("a thread without a number"))?;
                pinned.0.push((thread, sched_getaffinity(Some(thread))?));
                sched_setaffinity(Some(thread), &one)?;
            }
        }
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        for (thread, before) in &self.0 {
            // It may have ended.
            let _ = sched_setaffinity(Some(*thread), before);
        }
    }
}
