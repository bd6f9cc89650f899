//! One seat of a pool: starts its worker, serves it, and starts the next one when it has gone.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connection::{Arrival, Connection};
use super::error::{Error, PythonException};
use super::frame::{Decoder, Frame, Kind, encode};
use super::host_calls::HostCalls;
use super::process::Process;
use super::request::Outcome;
use super::stderr::Tail;
use super::{Phase, Shared, session};
use crate::spec::Profile;

/// The Python half, which travels in the program.
const BRIDGE: &str = include_str!("../../python/bridge.py");

/// What not every worker needs: the bridge compiles it when it is asked for, since that takes a good part of a start.
const PARTS: &[(&str, &str)] = &[
    ("coroutines", include_str!("../../python/coroutines.py")),
    ("embedded", include_str!("../../python/embedded.py")),
    ("event_loop", include_str!("../../python/event_loop.py")),
    ("faults", include_str!("../../python/faults.py")),
    ("host_tools", include_str!("../../python/host_tools.py")),
    ("interrupts", include_str!("../../python/interrupts.py")),
    ("more", include_str!("../../python/more.py")),
    ("sessions", include_str!("../../python/sessions.py")),
    ("streams", include_str!("../../python/streams.py")),
];

/// Fetches the bridge from its own standard input: a worker needs no file, and no command line that the system or a
/// manager could find too long.
const LOADER: &str = "import os
def read(count):
    parts = b''
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part: raise SystemExit
        parts += part
    return parts
exec(compile(read(int.from_bytes(read(4), 'little')), '<snakepit bridge>', 'exec'))";

/// Variables of the host that would make a worker another Python than the one that the build looked at.
const FOREIGN: &[&str] = &["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"];

/// Pauses between starts that fail: the first, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A worker that ends sooner, without having answered, counts as a start that failed.
const SETTLED: Duration = Duration::from_secs(1);

/// What the bridge is told before it is ready.
#[derive(Serialize)]
struct Introduction<'a> {
    pool: &'a str,
    worker: u32,
    adapter: Option<&'a str>,
    embedded: Option<Source<'a>>,
    python_path: &'a [&'a str],
    /// Requests at a time: in threads, or else on an event loop.
    threads: u32,
    concurrency: Option<u32>,
    /// The number of the socket whose other direction the worker is to listen to.
    control: u64,
    /// The functions of the program that Python may call.
    host_tools: Vec<&'a str>,
    /// Source text that the bridge compiles when it is asked for.
    parts: BTreeMap<&'static str, &'static str>,
}

/// What a ready worker says of itself.
#[derive(Deserialize)]
struct Ready {
    tools: Vec<String>,
    /// Whether it listens to that socket.
    control: bool,
}

/// An adapter that travels in the program.
#[derive(Serialize)]
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

/// A worker that said that it is ready.
struct Worker {
    connection: Arc<Connection>,
    process: Process,
    tail: Tail,
    decoder: Decoder,
    host_calls: HostCalls,
}

/// A seat that somebody keeps; dropped with its task, whatever ends that.
struct Kept {
    shared: Arc<Shared>,
    seat: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shared.lock().leave(self.seat);
        self.shared.settled.notify_waiters();
    }
}

/// Keeps a seat filled until the pool ends. `first` learns what became of the first start; one that fails is final.
pub(crate) async fn keep_seat(
    shared: Arc<Shared>,
    seat: usize,
    first: mpsc::UnboundedSender<Result<(), Error>>,
) {
    let mut phase = shared.phase.subscribe();
    let _kept = Kept {
        shared: shared.clone(),
        seat,
    };
    let mut first = Some(first);
    let mut pause = FIRST_PAUSE;
    loop {
        let started = tokio::select! {
            started = start(&shared, seat) => started,
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
        };
        match started {
            Ok(worker) => {
                shared.lock().seat(seat, worker.connection.clone());
                if let Some(first) = first.take() {
                    let _ = first.send(Ok(()));
                }
                let ready = Instant::now();
                let served = serve(&shared, seat, worker, &mut phase).await;
                if *phase.borrow() != Phase::Running {
                    return;
                }
                shared.lock().restarts += 1;
                if served || ready.elapsed() > SETTLED {
                    pause = FIRST_PAUSE;
                    continue;
                }
            }
            Err(error) => {
                if let Some(first) = first.take() {
                    let _ = first.send(Err(error));
                    return;
                }
                tracing::warn!(pool = shared.spec.pool, worker = seat, "{error}");
            }
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            _ = phase.wait_for(|phase| *phase != Phase::Running) => return,
        }
    }
}

async fn start(shared: &Shared, seat: usize) -> Result<Worker, Error> {
    let spec = shared.spec;
    let number = u32::try_from(seat).unwrap_or(u32::MAX);
    let failed = |source| Error::Spawn {
        pool: spec.pool,
        command: spec.command,
        source,
    };
    let (requests, stdin) = UnixStream::pair().map_err(failed)?;
    let (replies, stdout) = UnixStream::pair().map_err(failed)?;
    let control = rustix::fs::fstat(&stdout)
        .map_err(|error| failed(error.into()))?
        .st_ino;
    let command = worker_command(spec.command()?, spec.env, stdin.into(), stdout.into());
    let spawned = Process::spawn(command, shared.living.subscribe()).await;
    let (process, stderr) = spawned.map_err(failed)?;
    let mut worker = Worker {
        connection: Arc::new(Connection::new(requests, replies).map_err(failed)?),
        process,
        tail: Tail::follow(stderr, spec.pool, number),
        decoder: Decoder::default(),
        host_calls: HostCalls::default(),
    };
    let is_async = matches!(spec.defaults.profile, Profile::Async { .. });
    let introduction = Introduction {
        pool: spec.pool,
        worker: number,
        adapter: spec.adapter,
        embedded: spec.embedded.map(|embedded| Source {
            path: embedded.path,
            text: embedded.source,
        }),
        python_path: spec.python_path,
        threads: shared.room,
        concurrency: is_async.then_some(shared.room),
        control,
        host_tools: shared.host_tools.names().collect(),
        parts: PARTS.iter().copied().collect(),
    };
    let length = u32::try_from(BRIDGE.len())
        .expect("the bridge is small")
        .to_le_bytes();
    let introduction =
        encode(0, Kind::Request, &introduction).expect("texts and numbers have a JSON form");
    worker.connection.send([
        bytes::Bytes::copy_from_slice(&length),
        bytes::Bytes::from_static(BRIDGE.as_bytes()),
        introduction,
    ]);

    let first = timeout(shared.startup_timeout, worker.first_frame()).await;
    let (reason, exception) = match first {
        Ok(Ok(frame)) if frame.kind == Kind::Ready => match serde_json::from_slice(&frame.json) {
            Ok(Ready { tools, control }) => {
                shared.offer(tools);
                if control {
                    worker.connection.is_heard();
                }
                return Ok(worker);
            }
            Err(error) => (format!("its ready message cannot be read: {error}"), None),
        },
        Ok(Ok(frame)) => match serde_json::from_slice::<PythonException>(&frame.json) {
            Ok(exception) => (exception.to_string(), Some(Box::new(exception))),
            Err(_) => (
                "its first frame is neither ready nor an error".to_owned(),
                None,
            ),
        },
        Ok(Err(reason)) => (reason, None),
        Err(_) => (
            format!("it was not ready within {:?}", shared.startup_timeout),
            None,
        ),
    };
    worker.process.kill();
    worker.process.ended().await;
    Err(Error::Startup {
        pool: spec.pool,
        reason,
        exception,
        stderr: worker.tail.last_words().await,
    })
}

fn worker_command(
    mut command: Command,
    env: &[crate::EnvOp],
    stdin: OwnedFd,
    stdout: OwnedFd,
) -> Command {
    // `-s`: the build did not look into the builder's own user site either.
    command.args(["-s", "-c", LOADER]);
    for name in FOREIGN {
        let declared = |op: &crate::EnvOp| matches!(op, crate::EnvOp::Set(set, _) | crate::EnvOp::Prepend(set, _) if set == name);
        if !env.iter().any(declared) {
            command.env_remove(name);
        }
    }
    command
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::piped());
    command
}

/// Serves a worker until it has gone; whether it answered anything.
///
/// `phase` is the seat's own receiver: a new one would not see a change that came while the worker started.
async fn serve(
    shared: &Shared,
    seat: usize,
    mut worker: Worker,
    phase: &mut watch::Receiver<Phase>,
) -> bool {
    let mut answered = false;
    let wake = shared.lock().wake(seat);
    // One alarm for all requests. Later ones mostly have later deadlines: it is set anew when it rings, and for the few
    // that have not.
    let mut alarm = pin!(sleep_until(session::look(shared, seat)));
    let reason = loop {
        let end = tokio::select! {
            () = worker.connection.readable() => worker.take(shared, seat, &mut answered),
            status = worker.process.ended() => {
                // What it wrote before it ended still counts.
                break worker.take(shared, seat, &mut answered).unwrap_or(status);
            }
            never = worker.connection.send_rest() => match never {},
            () = wake.notified() => {
                alarm.as_mut().reset(session::look(shared, seat));
                None
            }
            () = &mut alarm => {
                // It may have answered a moment ago.
                let end = worker.take(shared, seat, &mut answered);
                alarm.as_mut().reset(session::look(shared, seat));
                end
            }
            _ = phase.changed() => match *phase.borrow_and_update() {
                Phase::Running => None,
                Phase::Leaving => {
                    worker.connection.finish();
                    None
                }
                Phase::Ended => Some("the pool ended".to_owned()),
            },
        };
        if let Some(reason) = end {
            break reason;
        }
    };
    // Its end takes a moment: nobody's request is to wait for that, nor be sent to it meanwhile.
    shared.lock().retire(seat);
    // A worker that closed its end is about to be gone: its own status says more than we could.
    let gone = reason.is_empty();
    if gone {
        let _ = timeout(Duration::from_millis(500), worker.process.ended()).await;
    }
    worker.process.kill();
    let status = worker.process.ended().await;
    let stderr = worker.tail.last_words().await;
    let status = if gone || reason == status {
        status
    } else {
        format!("{reason} ({status})")
    };
    let phase = *shared.phase.borrow();
    if phase == Phase::Running {
        tracing::warn!(
            pool = shared.spec.pool,
            worker = seat,
            "worker ended: {status}"
        );
    }
    shared.lock().bury(seat, || match phase {
        Phase::Ended => Outcome::ShutDown,
        Phase::Running | Phase::Leaving => Outcome::Crashed {
            status: status.clone(),
            stderr: stderr.clone(),
        },
    });
    shared.settled.notify_waiters();
    answered
}

impl Worker {
    /// The first frame, or why none came.
    async fn first_frame(&mut self) -> Result<Frame, String> {
        let mut first = None;
        loop {
            let gone = tokio::select! {
                () = self.connection.readable() => None,
                status = self.process.ended() => Some(status),
                never = self.connection.send_rest() => match never {},
            };
            let mut take = |frame| first = first.take().or(Some(frame));
            let arrival = self
                .connection
                .receive(&mut self.decoder, &mut take)
                .map_err(|garbage| garbage.to_string())?;
            if let Some(frame) = first {
                return Ok(frame);
            }
            if let Some(status) = gone {
                return Err(format!("it ended: {status}"));
            }
            if matches!(arrival, Arrival::End) {
                let status = timeout(Duration::from_millis(500), self.process.ended()).await;
                return Err(status.map_or_else(
                    |_| "it closed its descriptors".to_owned(),
                    |status| format!("it ended: {status}"),
                ));
            }
        }
    }

    /// Takes all answers that have arrived. Some: the worker is of no more use, and why; an empty reason is its end.
    fn take(&mut self, shared: &Shared, seat: usize, answered: &mut bool) -> Option<String> {
        let mut frames = Vec::new();
        let arrival = self
            .connection
            .receive(&mut self.decoder, &mut |frame| frames.push(frame));
        let mut fault = None;
        let mut dispatch = shared.lock();
        if !frames.is_empty() {
            *answered = true;
            for frame in frames {
                if frame.kind == Kind::HostCall {
                    let tools = &shared.host_tools;
                    self.host_calls.begin(tools, &self.connection, frame);
                    continue;
                }
                if let Err(unasked) = dispatch.answered(seat, frame) {
                    fault = Some(unasked.to_string());
                    break;
                }
            }
            dispatch.fill();
            if dispatch.is_closed() {
                shared.settled.notify_waiters();
            }
        }
        if fault.is_none() && dispatch.is_spent(seat) {
            let limit = shared.cancel_timeout;
            fault = Some(format!(
                "it was ended because a cancelled tool did not stop within {limit:?}"
            ));
        }
        match arrival {
            _ if fault.is_some() => fault,
            Err(garbage) => Some(garbage.to_string()),
            Ok(Arrival::End) => Some(String::new()),
            Ok(Arrival::Frames) => None,
        }
    }
}
