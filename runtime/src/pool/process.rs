//! One worker's process: started so that it cannot outlive the host, and ended with all that it started.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use tokio::process::{Child, ChildStderr};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::death_signal::die_with_host;
#[cfg(target_os = "linux")]
use super::lifeline::Lifeline;
use super::request::after;

/// Ends a process, wherever that process is held, when it is dropped: also where whoever serves it has panicked.
#[cfg(feature = "grpc")]
#[derive(Debug)]
pub(crate) struct Ender(Arc<Orders>);

#[cfg(feature = "grpc")]
impl Drop for Ender {
    fn drop(&mut self) {
        self.0.end.notify_one();
    }
}

/// A running process; dropping it kills it and its group.
#[derive(Debug)]
pub(crate) struct Process {
    /// The leader of its group.
    pub(crate) id: u32,
    orders: Arc<Orders>,
    status: watch::Receiver<Option<String>>,
}

#[derive(Debug, Default)]
struct Orders {
    end: Notify,
    kill: Notify,
}

impl Process {
    /// Starts it as the leader of its own process group. Between `SIGTERM` and `SIGKILL` it has so much time. `living`
    /// is dropped when the process has been waited for and all that it started has gone, also if nobody waits for the
    /// start itself any more.
    pub(crate) async fn spawn(
        mut command: Command,
        grace: Duration,
        living: watch::Receiver<()>,
    ) -> io::Result<(Self, Option<ChildStderr>)> {
        command.process_group(0);
        die_with_host(&mut command);
        spawn_from_lasting_thread(command, grace, living).await
    }

    fn follow(
        mut child: Child,
        grace: Duration,
        living: watch::Receiver<()>,
    ) -> (Self, Option<ChildStderr>) {
        let stderr = child.stderr.take();
        let (sender, status) = watch::channel(None);
        let orders = Arc::<Orders>::default();
        let id = child.id().unwrap_or_default();
        let reap = reap(child, orders.clone(), grace, sender);
        tokio::spawn(async move {
            reap.await;
            drop(living);
        });
        (Self { id, orders, status }, stderr)
    }

    /// Ends it and its group: `SIGTERM`, and after the grace `SIGKILL`. [`Process::ended`] tells when it is gone.
    pub(crate) fn end(&self) {
        self.orders.end.notify_one();
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn ender(&self) -> Ender {
        Ender(self.orders.clone())
    }

    /// Kills it and its group.
    pub(crate) fn kill(&self) {
        self.orders.kill.notify_one();
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

async fn reap(
    mut child: Child,
    orders: Arc<Orders>,
    grace: Duration,
    status: watch::Sender<Option<String>>,
) {
    let mut group = Group::of(&child);
    let mut limit = None;
    let end = loop {
        tokio::select! {
            end = child.wait() => break end,
            () = orders.end.notified() => {
                // It is not waited for yet, so that its number cannot belong to anybody else. A worker may have left
                // its group.
                group.signal(Signal::TERM);
                let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
                let _ = id.map(|id| kill_process(id, Signal::TERM));
                limit.get_or_insert_with(|| after(grace));
            }
            () = orders.kill.notified() => {
                group.signal(Signal::KILL);
                let _ = child.start_kill();
            }
            () = passed(limit) => {
                limit = None;
                orders.kill.notify_one();
            }
        }
    };
    status.send_replace(Some(in_words(end)));
    group.leave(limit, grace).await;
}

async fn passed(limit: Option<Instant>) {
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => std::future::pending().await,
    }
}

/// What a worker started ends with it; when the runtime ends and drops the task that waits for it, at once, and so when
/// the host ends. The group's number lives as long as one of its members.
struct Group {
    id: Option<Pid>,
    /// Not where the system has no such thing: there the bridge alone sees that the host has gone.
    #[cfg(target_os = "linux")]
    _lifeline: Option<Lifeline>,
}

/// How often a group is looked at whose leader has gone.
const LOOK: Duration = Duration::from_millis(10);

/// How long one whose members were killed is waited for. It does not get empty where nobody takes note of their end, as
/// in a container without an `init`.
const LAST: Duration = Duration::from_millis(500);

impl Group {
    fn of(leader: &Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw);
        Self {
            id,
            #[cfg(target_os = "linux")]
            _lifeline: id.and_then(|group| Lifeline::of(group).ok()),
        }
    }

    /// Whether anybody was there to get it.
    fn signal(&self, signal: Signal) -> bool {
        self.id
            .is_some_and(|group| kill_process_group(group, signal).is_ok())
    }

    /// Its leader has gone: the others are told to go as well, and have until `limit`, if they were told before.
    async fn leave(&mut self, limit: Option<Instant>, grace: Duration) {
        if !self.signal(Signal::TERM)
            || self
                .is_empty_by(limit.unwrap_or_else(|| after(grace)))
                .await
        {
            self.id = None;
        } else {
            self.signal(Signal::KILL);
            self.is_empty_by(after(LAST)).await;
        }
    }

    async fn is_empty_by(&self, limit: Instant) -> bool {
        let is_there = || {
            self.id
                .is_some_and(|group| test_kill_process_group(group).is_ok())
        };
        while is_there() {
            if Instant::now() >= limit {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn in_words(end: io::Result<ExitStatus>) -> String {
    match end {
        Ok(status) => status.to_string(),
        Err(error) => format!("its end is not known: {error}"),
    }
}

/// A command, the time between its signals, what is held while its process lives, the runtime it belongs to, and where
/// the answer goes.
type Job = (
    Command,
    Duration,
    watch::Receiver<()>,
    Handle,
    oneshot::Sender<Started>,
);
type Started = io::Result<(Process, Option<ChildStderr>)>;

/// The death signal comes when the *thread* that forked ends, not the process: the threads of a runtime end with it,
/// and those of `spawn_blocking` after some idle seconds. This one never ends.
static SPAWNER: LazyLock<Result<Sender<Job>, String>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        for (command, grace, living, runtime, answer) in jobs {
            let _inside = runtime.enter();
            let child = tokio::process::Command::from(command)
                .kill_on_drop(true)
                .spawn();
            let started = child.map(|child| Process::follow(child, grace, living));
            // Where nobody waits for it any more, dropping it ends it.
            let _ = answer.send(started);
        }
    };
    let thread = thread::Builder::new().name("snakepit-spawner".to_owned());
    thread
        .spawn(work)
        .map(|_| sender)
        .map_err(|error| format!("no thread can be started to start workers from: {error}"))
});

async fn spawn_from_lasting_thread(
    command: Command,
    grace: Duration,
    living: watch::Receiver<()>,
) -> Started {
    let gone = || io::Error::other("the thread that starts workers has ended");
    let (sender, answer) = oneshot::channel();
    let spawner = SPAWNER
        .as_ref()
        .map_err(|why| io::Error::other(why.as_str()))?;
    spawner
        .send((command, grace, living, Handle::current(), sender))
        .map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}
