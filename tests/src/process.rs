//! What the system knows of a process.

/// Whether a process is there and is no zombie.
pub fn exists(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    // The state stands behind the name, which may hold anything but ends with the last parenthesis.
    stat.is_ok_and(|stat| {
        let rest = stat.rsplit(')').next().unwrap_or_default();
        !rest.starts_with(" Z")
    })
}
