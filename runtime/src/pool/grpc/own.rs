//! The start of our own bridge as a gRPC server. It gets its source and what it is to do as every worker does, through
//! its standard input, and says there that it is ready; from then on all goes over gRPC, between two Unix sockets in a
//! folder that only this user can enter.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{UnixListener, UnixStream as Socket};
use tokio::process::ChildStderr;
use tonic::transport::Server;

use super::super::bridge::{GRPC_PARTS, command, introduction};
use super::super::frame::{Decoder, Frame, Kind, Message};
use super::super::passage::TaskEnd;
use super::super::process::Process;
use super::super::{Error, Shared};
use super::client::{Client, chain};
use super::folder::Folder;
use super::gateway::{Gateway, Lost};
use super::service::{Callbacks, Host};
use super::tenure::Tenure;
use super::value::not_ready;

/// Starts it; see [`super::start`].
pub(super) async fn start(
    shared: &Shared,
    number: u32,
    passage: TaskEnd,
) -> Result<(Process, Option<ChildStderr>), Error> {
    let spec = shared.spec;
    let failed = |source| Error::spawn(spec, source);
    let passage = Arc::new(passage);
    let folder = Folder::new().map_err(failed)?;
    let (worker, host) = (folder.path().join("worker"), folder.path().join("host"));
    let listener = UnixListener::bind(&host).map_err(failed)?;
    let (input, stdin) = UnixStream::pair().map_err(failed)?;
    let (output, stdout) = UnixStream::pair().map_err(failed)?;
    let told = json!({"worker": worker, "host": host});
    let introduction = introduction(shared, number, 0, Some((GRPC_PARTS, told)))?;
    let (stdin, stdout) = (OwnedFd::from(stdin), OwnedFd::from(stdout));
    let command = command(spec.command()?, spec.env, stdin, stdout);
    let grace = shared.supervision.kill_timeout;
    let (process, stderr) = Process::spawn(command, grace, shared.living.subscribe())
        .await
        .map_err(failed)?;
    let tools = shared.host_tools.names().map(str::to_owned).collect();
    let begun = Begun {
        tenure: Tenure::of(&process, passage.clone()),
        pool: spec.pool,
        callbacks: Arc::new(Callbacks::new(tools, passage.clone())),
        folder,
        passage,
        input: watched(input).map_err(failed)?,
        output: watched(output).map_err(failed)?,
        address: format!("unix:{}", worker.display()),
        room: shared.room as usize,
    };
    tokio::spawn(begun.serve(introduction, listener));
    Ok((process, stderr))
}

/// A bridge that is not ready yet.
struct Begun {
    pool: &'static str,
    /// It holds the sockets for as long as somebody is to find them.
    folder: Folder,
    passage: Arc<TaskEnd>,
    callbacks: Arc<Callbacks>,
    /// The bridge's standard input: it leaves when this is closed.
    input: Socket,
    output: Socket,
    address: String,
    tenure: Tenure,
    room: usize,
}

impl Begun {
    /// Until the pool has no more use for it.
    async fn serve<const N: usize>(mut self, introduction: [Message; N], listener: UnixListener) {
        let host =
            Server::builder().serve_with_incoming(Host(self.callbacks.clone()), Incoming(listener));
        let served = async {
            for message in introduction {
                // One that has gone says why on its stderr.
                let _ = self.input.write_all(&message.head).await;
            }
            let Some(first) = first_frame(&mut self.output).await else {
                return;
            };
            if first.kind != Kind::Ready {
                return self.passage.send([first]);
            }
            let client = match Client::connect(self.address).await {
                Ok(client) => client,
                Err(error) => {
                    let reason = format!("its gRPC server does not answer: {}", chain(&error));
                    return self.passage.send([not_ready(&reason)]);
                }
            };
            self.passage.send([first]);
            let gateway = Gateway {
                passage: self.passage,
                client,
                callbacks: self.callbacks,
                home: "".into(),
                room: self.room,
                takes_whole: true,
            };
            match gateway.run().await {
                Ok(()) => {
                    // It leaves by itself, in its own time: the pool knows how long that may take.
                    drop(self.input);
                    let _ = copy(&mut self.output, &mut sink()).await;
                }
                Err(Lost(why)) => {
                    tracing::warn!(pool = self.pool, "gRPC server is lost: {why}");
                }
            }
        };
        tokio::select! {
            () = served => {}
            // The host's side ends only where its listener cannot go on.
            _ = host => {}
        }
        drop(self.tenure);
        drop(self.folder);
    }
}

/// A socket as the runtime watches it.
fn watched(socket: UnixStream) -> io::Result<Socket> {
    socket.set_nonblocking(true)?;
    Socket::from_std(socket)
}

/// What the bridge says first, if it says anything.
async fn first_frame(output: &mut Socket) -> Option<Frame> {
    let mut decoder = Decoder::default();
    loop {
        let count = output.read(decoder.space()).await.ok()?;
        if count == 0 {
            return None;
        }
        decoder.filled(count);
        if let Some(frame) = decoder.next().ok()? {
            return Some(frame);
        }
    }
}

/// The connections of the bridge.
struct Incoming(UnixListener);

impl Stream for Incoming {
    type Item = io::Result<Socket>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .poll_accept(context)
            .map(|accepted| Some(accepted.map(|(socket, _)| socket)))
    }
}
