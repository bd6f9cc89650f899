//! One worker: starts it, and serves it until it has gone.

use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::{Arrival, Connection, Wire};
use super::dispatch::{Dispatch, Unasked};
use super::error::{Error, FailedStart, PythonException};
use super::frame::{Frame, Kind, encode};
use super::heartbeat::{Beat, Heart};
use super::host_calls::HostCalls;
use super::memory::Interpreter;
use super::process::Process;
use super::recycle::{Berth, Wear, Worn};
use super::request::{Outcome, after, far};
use super::restart::{SETTLED, Trouble};
use super::sockets::Sockets;
use super::stderr::LastLines;
use super::told::Told;
use super::{Phase, Shared, bridge, session};
use crate::access::refusal_of_folder;
use crate::spec::{SpawnSpec, Transport};

/// How long a worker that closed its end may take to be gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// Reads of one worker before others have their turn. All that a socket holds is fewer.
const TURNS: usize = 32;

/// What a ready worker says of itself.
struct Ready {
    tools: Vec<String>,
    /// Whether it listens to that socket.
    control: bool,
    /// Whether buffers may come to it and from it in shared memory.
    shares: bool,
    pid: u32,
}

impl Ready {
    fn read(json: &[u8]) -> serde_json::Result<Self> {
        let mut told = Told::read(json)?;
        Ok(Self {
            tools: told.take("tools")?,
            control: told.take("control")?,
            shares: told.take("shares")?,
            pid: told.take("pid")?,
        })
    }
}

/// A worker that is not ready yet.
struct Line {
    connection: Arc<Connection>,
    process: Process,
    tail: LastLines,
}

/// A worker that said that it is ready.
pub(crate) struct Worker {
    pub(crate) connection: Arc<Connection>,
    pub(crate) berth: Berth,
    pub(crate) interpreter: Interpreter,
    process: Process,
    tail: LastLines,
    host_calls: HostCalls,
    ready: Instant,
    heart: Heart,
    wear: Wear,
    /// Whether it has shown that it can work.
    settled: bool,
    /// Whether that ended a trouble, and nobody was told yet.
    has_recovered: bool,
    /// Whether it is ended for no fault of its own.
    is_blameless: bool,
    /// When it has to have left, if it drains and has nothing left to do.
    leave_by: Option<Instant>,
}

/// How a worker ended.
pub(crate) struct End {
    /// Whether it had shown that it can work.
    pub(crate) settled: bool,
    /// What was wrong with it, if anything.
    pub(crate) trouble: Option<Trouble>,
}

/// Starts a worker, and waits until it is ready. The receiver is told when it has served enough.
pub(crate) async fn start(
    shared: &Shared,
    seat: usize,
) -> Result<(Worker, oneshot::Receiver<Worn>), Error> {
    let spec = shared.spec;
    let number = u32::try_from(seat).unwrap_or(u32::MAX);
    let failed = |source| Error::spawn(spec, source);
    let (process, stderr, wire) = match &spec.transport {
        Transport::Sockets => {
            let (requests, stdin) = UnixStream::pair().map_err(failed)?;
            let (replies, stdout) = UnixStream::pair().map_err(failed)?;
            let control = rustix::fs::fstat(&stdout)
                .map_err(|error| failed(error.into()))?
                .st_ino;
            let introduction = bridge::introduction(shared, number, control, None)?;
            let command = bridge::command(spec.command()?, spec.env, stdin.into(), stdout.into());
            let grace = shared.supervision.kill_timeout;
            let (process, stderr) = Process::spawn(command, grace, shared.living.subscribe())
                .await
                .map_err(failed)?;
            let sockets = Sockets::new(requests, replies).map_err(failed)?;
            sockets.send(introduction);
            (process, stderr, Wire::Sockets(Box::new(sockets)))
        }
        #[cfg(feature = "grpc")]
        Transport::Grpc(server) => {
            let (pool, task) = super::passage::passage();
            let (process, stderr) = super::grpc::start(shared, number, server, task).await?;
            (process, stderr, Wire::Passage(pool))
        }
    };
    tracing::debug!(
        pool = spec.pool,
        worker = seat,
        pid = process.id,
        environment = spec.metadata.environment,
        "worker is started"
    );
    let mut line = Line {
        connection: Arc::new(Connection::new(wire, shared.segments.clone())),
        process,
        tail: LastLines::follow(stderr, spec.pool, number),
    };
    let first = timeout(shared.startup_timeout, line.first_frame()).await;
    let (reason, exception) = match first {
        Ok(Ok(frame)) if frame.kind == Kind::Ready => match Ready::read(&frame.body.json) {
            Ok(ready) => return welcome(shared, seat, line, ready),
            Err(error) => (format!("its ready message cannot be read: {error}"), None),
        },
        Ok(Ok(frame)) => why_not_ready(spec, &frame),
        Ok(Err(reason)) => (reason, None),
        Err(_) => (
            format!(
                "it was not ready within {:?} (`startup_timeout`)",
                shared.startup_timeout
            ),
            None,
        ),
    };
    line.process.end();
    line.process.ended().await;
    Err(Error::Startup {
        pool: spec.pool,
        reason,
        exception,
        stderr: line.tail.last_words().await,
    })
}

/// What a first frame says that is not `Ready`.
fn why_not_ready(spec: &SpawnSpec, frame: &Frame) -> (String, Option<Box<PythonException>>) {
    let told = || Told::read(&frame.body.json);
    // What is no bridge of ours has no exception to tell of, but a reason.
    if let Ok(reason) = told().and_then(|mut told| told.take("reason")) {
        return (reason, None);
    }
    match told().and_then(FailedStart::read) {
        Ok(failed) => {
            let reason = match spec.adapter {
                Some(adapter) => failed.of(adapter, &closed_folders(spec)),
                None => failed.exception.to_string(),
            };
            (reason, Some(Box::new(failed.exception)))
        }
        Err(_) => (
            "its first frame is neither ready nor an error".to_owned(),
            None,
        ),
    }
}

/// The folders of `python_path` that are of no use to this user, and why: Python passes over them without a word.
fn closed_folders(spec: &SpawnSpec) -> Vec<String> {
    let folders = spec.placed_python_path().unwrap_or_default();
    let folders = folders.iter();
    folders
        .filter_map(|folder| {
            let found = refusal_of_folder(folder)?;
            Some(format!("`{folder}` of `python_path` {found}"))
        })
        .collect()
}

/// Takes in a worker that is ready.
fn welcome(
    shared: &Shared,
    seat: usize,
    line: Line,
    ready: Ready,
) -> Result<(Worker, oneshot::Receiver<Worn>), Error> {
    let (spec, limits) = (shared.spec, &shared.supervision);
    let interpreter = Interpreter {
        pid: ready.pid,
        group: line.process.id,
    };
    if limits.max_memory.is_some() && interpreter.resident().is_none() {
        return Err(Error::Config {
            pool: spec.pool,
            message: "`max_memory` is set, and this system does not tell how much memory a worker takes; \
                      limit the memory of its container instead"
                .to_owned(),
        });
    }
    shared.offer(ready.tools);
    if ready.control {
        line.connection.set_heard();
    }
    shared
        .shares
        .store(ready.control && ready.shares, Ordering::Relaxed);
    tracing::info!(
        pool = spec.pool,
        worker = seat,
        pid = ready.pid,
        environment = spec.metadata.environment,
        "worker is ready"
    );
    let (tell, worn) = oneshot::channel();
    let worker = Worker {
        connection: line.connection,
        berth: Berth::new(seat),
        interpreter,
        process: line.process,
        tail: line.tail,
        host_calls: HostCalls::default(),
        ready: Instant::now(),
        heart: Heart::new(limits.heartbeat_timeout),
        wear: Wear::new(limits, interpreter, tell),
        settled: false,
        has_recovered: false,
        is_blameless: false,
        leave_by: None,
    };
    Ok((worker, worn))
}

/// Why a worker is of no more use.
enum Ending {
    /// It closed its end.
    Closed,
    /// Its process has ended.
    Exited,
    /// It is to be ended, for this reason.
    Fault(String),
}

/// Serves a worker until it has gone.
///
/// `phase` is as old as the seat's own receiver: a new one would not see a change that came while the worker started.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    number: usize,
    mut worker: Worker,
    mut phase: watch::Receiver<Phase>,
) -> End {
    let wake = shared.lock().wake(worker.berth.get());
    // One alarm for all requests. Later ones mostly have later deadlines: it is set anew when it rings, and for the few
    // that have not.
    let mut alarm = pin!(sleep_until(session::look(&shared, &worker.berth)));
    // And one for the worker itself.
    let mut look = pin!(sleep_until(worker.next_look(&shared)));
    let mut end = worker.take(&shared);
    let ending = loop {
        // Here, since whoever listens may ask the pool how it is.
        if std::mem::take(&mut worker.has_recovered) {
            let pool = shared.spec.pool;
            tracing::info!(pool, worker = number, "worker has recovered");
        }
        if let Some(ending) = end {
            break ending;
        }
        end = tokio::select! {
            () = worker.connection.readable() => {
                let end = worker.take(&shared);
                if shared.segments.take_used() {
                    look.as_mut().reset(worker.next_look(&shared));
                }
                end
            }
            _ = worker.process.ended() => {
                // What it wrote before it ended still counts.
                Some(match worker.take_all(&shared) {
                    Some(Ending::Fault(reason)) => Ending::Fault(reason),
                    _ => Ending::Exited,
                })
            }
            never = worker.connection.send_rest() => match never {},
            () = wake.notified() => {
                let end = worker.take(&shared);
                alarm.as_mut().reset(session::look(&shared, &worker.berth));
                look.as_mut().reset(worker.next_look(&shared));
                end
            }
            () = &mut alarm => {
                // It may have answered a moment ago.
                let end = worker.take(&shared);
                alarm.as_mut().reset(session::look(&shared, &worker.berth));
                end
            }
            () = &mut look => {
                let end = worker.take_all(&shared);
                let end = end.or_else(|| worker.look(&shared).map(Ending::Fault));
                look.as_mut().reset(worker.next_look(&shared));
                end
            }
            _ = phase.changed() => match *phase.borrow_and_update() {
                Phase::Running => None,
                Phase::Leaving => {
                    worker.connection.finish();
                    None
                }
                Phase::Ended => Some(Ending::Fault("the pool ended".to_owned())),
            },
        };
    };
    worker.farewell(&shared, number, ending).await
}

impl Line {
    /// The first frame, or why none came.
    async fn first_frame(&mut self) -> Result<Frame, String> {
        loop {
            let gone = tokio::select! {
                () = self.connection.readable() => None,
                status = self.process.ended() => Some(status),
                never = self.connection.send_rest() => match never {},
            };
            let arrival = {
                let mut inbox = self.connection.inbox();
                let arrival = self.connection.receive(&mut inbox);
                let arrival = arrival.map_err(|garbage| garbage.to_string())?;
                if !inbox.unheard.is_empty() {
                    return Ok(inbox.unheard.remove(0));
                }
                arrival
            };
            if let Some(status) = gone {
                return Err(format!("it ended: {status}"));
            }
            if matches!(arrival, Arrival::End) {
                let status = timeout(FAREWELL, self.process.ended()).await;
                return Err(status.map_or_else(
                    |_| "it closed its descriptors".to_owned(),
                    |status| format!("it ended: {status}"),
                ));
            }
        }
    }
}

impl Worker {
    /// Takes also what the runtime was not told of, because a caller is awake.
    fn take_all(&mut self, shared: &Shared) -> Option<Ending> {
        self.connection.peek(&mut self.connection.inbox());
        self.take(shared)
    }

    /// Takes what has arrived. Some: the worker is of no more use.
    ///
    /// One that has filled the socket meanwhile is heard again after the others, but what lies in it when its process
    /// has ended is taken whole.
    fn take(&mut self, shared: &Shared) -> Option<Ending> {
        let connection = self.connection.clone();
        let mut inbox = connection.inbox();
        for _ in 0..TURNS {
            let arrival = connection.receive(&mut inbox);
            let frames = std::mem::take(&mut inbox.unheard);
            if let Some(fault) = self.hear_all(shared, frames) {
                return Some(Ending::Fault(fault));
            }
            match arrival {
                Err(garbage) => return Some(Ending::Fault(garbage.to_string())),
                Ok(Arrival::End) => return Some(Ending::Closed),
                Ok(Arrival::Frames) => return None,
                Ok(Arrival::More) => {}
            }
        }
        None
    }

    /// Some: what is wrong with them, or with the worker.
    fn hear_all(&mut self, shared: &Shared, frames: Vec<Frame>) -> Option<String> {
        let mut fault = None;
        let mut dispatch = shared.lock();
        let seat = self.berth.get();
        if !frames.is_empty() {
            for frame in frames {
                if let Err(unasked) = self.hear(shared, &mut dispatch, frame) {
                    fault = Some(unasked.to_string());
                    break;
                }
            }
            dispatch.fill();
            if dispatch.is_closed() {
                shared.settled.notify_waiters();
            }
        }
        // Also if a caller heard the last answer.
        self.wear.answered(dispatch.answers(seat));
        self.leave_if_drained(shared, &dispatch);
        if fault.is_none() && dispatch.is_spent(seat) {
            let limit = shared.cancel_timeout;
            self.is_blameless = true;
            fault = Some(format!(
                "it was ended because a cancelled tool did not stop within {limit:?}"
            ));
        }
        fault
    }

    fn hear(
        &mut self,
        shared: &Shared,
        dispatch: &mut Dispatch,
        frame: Frame,
    ) -> Result<(), Unasked> {
        match frame.kind {
            Kind::Pong => return self.heart.heard(frame.request, Instant::now()),
            Kind::HostCall => {
                return self
                    .host_calls
                    .begin(&shared.host_tools, &self.connection, frame);
            }
            Kind::Share => {
                self.connection.takes_files();
                return Ok(());
            }
            _ => {}
        }
        self.settle(dispatch);
        dispatch.answered(self.berth.get(), frame)
    }

    /// It has answered, or has been there for a while.
    fn settle(&mut self, dispatch: &mut Dispatch) {
        if !self.settled {
            self.settled = true;
            self.has_recovered = dispatch.recover(self.berth.get());
        }
    }

    /// One that drains is told that nothing follows when it has answered everything.
    fn leave_if_drained(&mut self, shared: &Shared, dispatch: &Dispatch) {
        if self.leave_by.is_none() && dispatch.is_drained(self.berth.get()) {
            self.is_blameless = true;
            self.leave_by = Some(after(shared.shutdown_timeout));
            self.connection.finish();
        }
    }

    /// When to look at the worker itself.
    fn next_look(&self, shared: &Shared) -> Instant {
        let leave = self.leave_by.unwrap_or_else(far);
        let settle = if self.settled {
            far()
        } else {
            self.ready + SETTLED
        };
        self.heart
            .next()
            .min(self.wear.next())
            .min(leave)
            .min(settle)
            .min(shared.segments.next().map_or_else(far, Instant::from_std))
    }

    /// Some: the worker is of no more use, and why. All that has arrived was taken before.
    fn look(&mut self, shared: &Shared) -> Option<String> {
        let now = Instant::now();
        if !self.settled && self.ready + SETTLED <= now {
            self.settle(&mut shared.lock());
        }
        self.wear.look(now);
        shared.segments.tidy(now.into_std());
        if self.leave_by.is_some_and(|limit| limit <= now) {
            return Some("it did not leave when all was answered".to_owned());
        }
        match self.heart.beat(now) {
            Beat::Wait => None,
            Beat::Ping(ping) => {
                let frame = encode(ping, Kind::Ping, &(), None);
                self.connection
                    .control(frame.expect("nothing has a JSON form"));
                None
            }
            Beat::Hung(silence) => Some(format!("it gave no sign of life for {silence:?}")),
        }
    }

    /// Takes leave of it: tells those whose requests it had, and how it ended.
    async fn farewell(self, shared: &Shared, number: usize, ending: Ending) -> End {
        // Its end takes a moment: nobody's request is to wait for that, nor be sent to it meanwhile.
        shared.lock().retire(self.berth.get());
        if matches!(ending, Ending::Closed) {
            // It is about to be gone: its own status says more than we could.
            let _ = timeout(FAREWELL, self.process.ended()).await;
        }
        self.process.end();
        let status = self.process.ended().await;
        let stderr = self.tail.last_words().await;
        let status = match ending {
            Ending::Closed | Ending::Exited => status,
            Ending::Fault(reason) => format!("{reason} ({status})"),
        };
        let phase = *shared.phase.borrow();
        let pool = shared.spec.pool;
        if phase != Phase::Running || self.leave_by.is_some() {
            tracing::debug!(pool, worker = number, "worker left: {status}");
        } else {
            tracing::warn!(pool, worker = number, "worker ended: {status}");
        }
        shared.lock().bury(self.berth.get(), || match phase {
            Phase::Ended => Outcome::ShutDown,
            Phase::Running | Phase::Leaving => Outcome::Crashed {
                status: status.clone(),
                stderr: stderr.clone(),
            },
        });
        shared.settled.notify_waiters();
        End {
            settled: self.settled,
            trouble: (!self.is_blameless).then_some(Trouble {
                reason: status,
                exception: None,
                stderr,
            }),
        }
    }
}
