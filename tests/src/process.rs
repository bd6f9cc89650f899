//! What the system knows of processes.

use std::fs;
use std::str::Split;

use rustix::process::{Pid, Signal, kill_process};

/// Whether a process is there and is no zombie.
pub fn exists(pid: u32) -> bool {
    stat(pid).is_some_and(|fields| !fields.starts_with('Z'))
}

/// The processes that this one has started and not waited for yet, zombies included.
pub fn children() -> Vec<u32> {
    let own = std::process::id().to_string();
    those(|fields| fields.nth(1) == Some(&own))
}

/// The processes that are in the groups of these, without zombies.
pub fn members(leaders: &[u32]) -> Vec<u32> {
    let groups: Vec<String> = leaders.iter().map(u32::to_string).collect();
    those(|fields| {
        fields.next() != Some("Z")
            && fields
                .nth(1)
                .is_some_and(|group| groups.iter().any(|leader| leader == group))
    })
}

/// Processes by the fields of their state.
fn those(are: impl Fn(&mut Split<'_, char>) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_one = |pid: &u32| stat(*pid).is_some_and(|fields| are(&mut fields.split(' ')));
    processes.filter(is_one).collect()
}

/// Ends a process with SIGKILL, if it is there.
pub fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
}

/// Bytes of memory that this process holds, without what it only maps.
///
/// # Panics
/// Where the system does not tell.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system tells");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.expect("it is a number of KiB") << 10
}

/// The fields of a process's state, from the state itself on.
fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Before them stands the name, which may hold anything but ends with the last parenthesis.
    Some(stat.rsplit_once(") ")?.1.to_owned())
}
