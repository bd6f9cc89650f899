//! The signal that the kernel sends a worker when its host has gone. The bridge watches its input as well.
#![allow(
    unsafe_code,
    reason = "only code between fork and exec can ask for the death signal"
)]

use std::process::Command;

/// Where the system has it, the kernel itself ends the worker with its host.
#[cfg(target_os = "linux")]
pub(super) fn die_with_host(command: &mut Command) {
    use std::io;
    use std::os::unix::process::CommandExt;

    use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

    let host = getpid();
    let ask = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The host may have gone before the question was asked.
        if getppid() == Some(host) {
            Ok(())
        } else {
            Err(io::Error::other("the host has gone"))
        }
    };
    // SAFETY: between fork and exec it makes two system calls and allocates only on the way to an error, in a child
    // whose host is gone; it takes no lock.
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_host(_command: &mut Command) {}
