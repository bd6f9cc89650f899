//! Ctrl-C while programs are asked: none of them, nor what they started, is left behind.
//!
//! On a terminal all of the group get the signal, but a program may ignore it, and `kill` reaches this one alone.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::TERM_SIGNALS;
use signal_hook::iterator::Signals;
use snakepit_build::host::{Answer, FileInfo, Program};
use snakepit_build::{Host, Machine};

use crate::failure::Failure;

/// Whether this process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Threads that are running a program, or are about to.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How long the end may wait for what was killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// From now on a signal that ends this process ends everything that it started first.
///
/// # Errors
/// The system does not let it.
pub(crate) fn guard() -> Result<(), Failure> {
    let failed = || Failure::of("signals that end this program cannot be watched for");
    // What a killed program leaves behind becomes a child of this process, where it is found.
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(io::Error::from)
        .map_err(failed())?;
    let mut signals = Signals::new(TERM_SIGNALS).map_err(failed())?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end_all();
            // As the shell tells of a program that a signal ended.
            process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Ends every program that runs, until no thread can start another.
fn end_all() {
    ENDING.store(true, Ordering::SeqCst);
    let end = Instant::now() + PATIENCE;
    loop {
        let found = descendants(process::id());
        for pid in &found {
            let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
        let is_quiet = found.is_empty() && RUNNING.load(Ordering::SeqCst) == 0;
        if is_quiet || Instant::now() > end {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The processes below one that still run.
fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let children = children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok());
            open.extend(children.clone());
            found.extend(children.filter(|pid| !is_zombie(*pid)));
        }
    }
    found
}

fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which ends with the last parenthesis.
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// The machine, on which nothing is started any more once this process is about to end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Interruptible;

/// Counts a thread as running a program.
struct Counted;

impl Counted {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Host for Interruptible {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        Machine.info(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.read(path)
    }

    fn consult(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.consult(path)
    }

    fn consult_start(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        Machine.consult_start(path, most)
    }

    fn is_script(&self, path: &Path) -> bool {
        Machine.is_script(path)
    }

    fn is_link(&self, path: &Path) -> bool {
        Machine.is_link(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Machine.canonical(path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        Machine.list(path)
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        Machine.variable(name)
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        Machine.which(name)
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        // Counted before it looks: whoever ends waits for those that have not seen it yet.
        let counted = Counted::new();
        let answer = (!ENDING.load(Ordering::SeqCst)).then(|| Machine.run(program));
        drop(counted);
        match answer {
            Some(answer) if !ENDING.load(Ordering::SeqCst) => answer,
            // That the program was killed is no answer, and nobody is to read that it was one.
            _ => loop {
                thread::park();
            },
        }
    }
}
