//! Ctrl-C, and a signal to this program alone, while interpreters are asked.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use snakepit_tests::process;
use support::{Package, script};

/// Waits until a file has a number of lines.
fn lines(file: &Path, count: usize) -> Vec<u32> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        let pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if pids.len() >= count {
            return pids;
        }
        assert!(Instant::now() < end, "{text:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_during_a_probe_leaves_nothing_behind() {
    let package = Package::with_pools(
        "    #[pool(environment = system(python_executable = \"hang/python\"))]\n    a: PoolConfig,",
    );
    let log = package.path("pids");
    // It and what it started ignore what a terminal would send.
    let text = format!(
        "#!/bin/sh\ntrap '' INT TERM HUP\necho $$ >> '{log}'\nsh -c 'echo $$ >> \"{log}\"; sleep 100; true' &\nwait\n",
        log = log.display()
    );
    script(&package.path("hang/python"), &text);
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let _ = fs::remove_file(&log);
        let mut child = package.snakepit(&["check"]).spawn().unwrap();
        let pids = lines(&log, 2);
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(status));
        let left: Vec<&u32> = pids.iter().filter(|pid| process::exists(**pid)).collect();
        assert!(left.is_empty(), "{left:?} of {pids:?}");
    }
}
