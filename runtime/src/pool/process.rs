//! One worker's process: started so that it cannot outlive the host, and ended with all that it started.
#![allow(
    unsafe_code,
    reason = "only code between fork and exec can ask for the death signal"
)]

use std::io;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};

/// A running process; dropping it kills it and its group.
#[derive(Debug)]
pub(crate) struct Process {
    kill: Arc<Notify>,
    status: watch::Receiver<Option<String>>,
}

impl Process {
    /// Starts it as the leader of its own process group. `living` is dropped when the process has been waited for,
    /// also if nobody waits for the start itself any more.
    pub(crate) async fn spawn(
        mut command: Command,
        living: watch::Receiver<()>,
    ) -> io::Result<(Self, Option<ChildStderr>)> {
        command.process_group(0);
        die_with_host(&mut command);
        spawn_from_lasting_thread(command, living).await
    }

    fn follow(mut child: Child, living: watch::Receiver<()>) -> (Self, Option<ChildStderr>) {
        let stderr = child.stderr.take();
        let (sender, status) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        let reap = reap(child, kill.clone(), sender);
        tokio::spawn(async move {
            reap.await;
            drop(living);
        });
        (Self { kill, status }, stderr)
    }

    /// Kills it and its group; [`Process::ended`] tells when it is gone.
    pub(crate) fn kill(&self) {
        self.kill.notify_one();
    }

    /// How it ended, in words. May be awaited by many, and dropped.
    pub(crate) async fn ended(&self) -> String {
        let mut status = self.status.clone();
        match status.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => "it was ended with the runtime".to_owned(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn reap(mut child: Child, kill: Arc<Notify>, status: watch::Sender<Option<String>>) {
    let group = Group::of(&child);
    let end = loop {
        tokio::select! {
            end = child.wait() => break end,
            () = kill.notified() => {
                // It is not waited for yet, so that its number cannot belong to anybody else. A worker may have left
                // its group.
                group.kill();
                let _ = child.start_kill();
            }
        }
    };
    drop(group);
    status.send_replace(Some(in_words(end)));
}

/// What a worker started ends with it, also when the runtime ends and drops the task that waits for it. The group's
/// number lives as long as one of its members.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn kill(&self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

fn in_words(end: io::Result<ExitStatus>) -> String {
    match end {
        Ok(status) => status.to_string(),
        Err(error) => format!("its end is not known: {error}"),
    }
}

/// A command, what is held while its process lives, the runtime it belongs to, and where the answer goes.
type Job = (
    Command,
    watch::Receiver<()>,
    Handle,
    oneshot::Sender<Started>,
);
type Started = io::Result<(Process, Option<ChildStderr>)>;

/// The death signal comes when the *thread* that forked ends, not the process: the threads of a runtime end with it,
/// and those of `spawn_blocking` after some idle seconds. This one never ends.
static SPAWNER: LazyLock<Option<Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        for (command, living, runtime, answer) in jobs {
            let _inside = runtime.enter();
            let spawn = || {
                let child = tokio::process::Command::from(command)
                    .kill_on_drop(true)
                    .spawn()?;
                Ok(Process::follow(child, living))
            };
            // Tokio panics in a runtime without an I/O driver; other runtimes of the program still need this thread.
            let started = catch_unwind(AssertUnwindSafe(spawn)).unwrap_or_else(|_| {
                let why = "the Tokio runtime has no I/O driver: build it with `enable_all`";
                Err(io::Error::other(why))
            });
            // Where nobody waits for it any more, dropping it ends it.
            let _ = answer.send(started);
        }
    };
    let thread = thread::Builder::new().name("snakepit-spawner".to_owned());
    thread.spawn(work).ok().map(|_| sender)
});

async fn spawn_from_lasting_thread(command: Command, living: watch::Receiver<()>) -> Started {
    let gone = || io::Error::other("the thread that starts workers is not there");
    let (sender, answer) = oneshot::channel();
    let spawner = SPAWNER.as_ref().ok_or_else(gone)?;
    spawner
        .send((command, living, Handle::current(), sender))
        .map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

/// Where the system has it, the kernel itself ends the worker with its host; the bridge watches its input as well.
#[cfg(target_os = "linux")]
fn die_with_host(command: &mut Command) {
    let host = rustix::process::getpid();
    let ask = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The host may have gone before the question was asked.
        if rustix::process::getppid() == Some(host) {
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
fn die_with_host(_command: &mut Command) {}
