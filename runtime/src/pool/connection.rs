//! Frames to and from one worker, over two sockets. It knows nothing of requests and pools.
//!
//! Requests go to the worker's standard input, which its busy threads do not read. Whatever it has to hear while it is
//! busy goes the other way through the socket that brings its replies, where a thread of the bridge listens. A worker
//! behind a container's engine has pipes and no other way: it gets everything through the one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use rustix::net::{
    RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown,
};
use tokio::io::Interest;
use tokio::net::UnixStream as Watched;
use tokio::sync::Notify;

use super::frame::{Decoder, Frame, Garbage};

/// Frames that one system call takes at most.
const BATCH: usize = 64;

/// The host's end of a worker's sockets.
#[derive(Debug)]
pub(crate) struct Connection {
    replies: Watched,
    requests: Outbox,
    controls: Outbox,
    /// Whether the worker listens to the socket of its replies.
    hears: AtomicBool,
}

/// What a read brought.
pub(crate) enum Arrival {
    /// Some frames, or none yet.
    Frames,
    /// The worker closed its end.
    End,
}

impl Connection {
    pub(crate) fn new(requests: UnixStream, replies: UnixStream) -> io::Result<Self> {
        let controls = replies.try_clone()?;
        replies.set_nonblocking(true)?;
        requests.set_nonblocking(true)?;
        Ok(Self {
            replies: Watched::from_std(replies)?,
            requests: Outbox::new(requests),
            controls: Outbox::new(controls),
            hears: AtomicBool::new(false),
        })
    }

    /// The worker said that it listens to the socket of its replies.
    pub(crate) fn is_heard(&self) {
        self.hears.store(true, Ordering::Relaxed);
    }

    /// Sends requests in order. It never waits: what the socket does not take now is sent as soon as it has room.
    /// A worker that has gone is noticed by the reader.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.requests.send(frames);
    }

    /// Sends what the worker is to hear while it is busy. It may overtake requests.
    pub(crate) fn control(&self, frame: Bytes) {
        if self.hears.load(Ordering::Relaxed) {
            self.controls.send([frame]);
        } else {
            self.requests.send([frame]);
        }
    }

    /// Sends what the sockets had no room for, for as long as it is awaited. It may be dropped at any point.
    pub(crate) async fn send_rest(&self) -> Infallible {
        tokio::select! {
            never = self.requests.send_rest() => never,
            never = self.controls.send_rest() => never,
        }
    }

    /// Waits until something can be read, or the other end has gone.
    pub(crate) async fn readable(&self) {
        // An error of the descriptor shows in the read that follows.
        let _ = self.replies.readable().await;
    }

    /// Hands every whole frame that has arrived to `take`.
    pub(crate) fn receive(
        &self,
        decoder: &mut Decoder,
        take: &mut impl FnMut(Frame),
    ) -> Result<Arrival, Garbage> {
        loop {
            let space = decoder.space();
            let room = space.len();
            let count = match self.read(space) {
                Ok(0) => return Ok(Arrival::End),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Arrival::Frames);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Ok(Arrival::End),
            };
            decoder.filled(count);
            while let Some(frame) = decoder.next()? {
                take(frame);
            }
            if count < room {
                return Ok(Arrival::Frames);
            }
        }
    }

    /// A read that did not fill its room has emptied the socket. Tokio is told so at once, where the system tells of
    /// every later arrival anew: else each wait for a reply would begin with a read in vain.
    fn read(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut some = 0;
        let outcome = self.replies.try_io(Interest::READABLE, || {
            let room = space.len();
            (some, _) = recv(&self.replies, &mut *space, RecvFlags::empty())?;
            if cfg!(target_os = "linux") && 0 < some && some < room {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(some)
        });
        if some > 0 { Ok(some) } else { outcome }
    }

    /// Tells the worker that nothing follows; it leaves when it has read to the end.
    pub(crate) fn finish(&self) {
        let _ = shutdown(&self.requests.socket, Shutdown::Write);
    }
}

/// One direction of one socket.
#[derive(Debug)]
struct Outbox {
    socket: UnixStream,
    /// What the socket had no room for yet.
    waiting: Mutex<VecDeque<Bytes>>,
    full: Notify,
}

impl Outbox {
    fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            waiting: Mutex::new(VecDeque::new()),
            full: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        let mut waiting = self.waiting();
        let first = waiting.is_empty();
        waiting.extend(frames);
        if first {
            self.flush(&mut waiting);
        }
    }

    async fn send_rest(&self) -> Infallible {
        loop {
            if self.waiting().is_empty() {
                self.full.notified().await;
            } else if self.writable().await.is_ok() {
                self.flush(&mut self.waiting());
            } else {
                // The runtime's driver is gone, and this task with it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The socket is watched only while something waits for it: else the worker's every read would wake the program.
    async fn writable(&self) -> io::Result<()> {
        Watched::from_std(self.socket.try_clone()?)?
            .writable()
            .await
    }

    fn flush(&self, waiting: &mut VecDeque<Bytes>) {
        while !waiting.is_empty() {
            let sent = if waiting.len() == 1 {
                send(&self.socket, &waiting[0], SendFlags::NOSIGNAL)
            } else {
                let slices: Vec<IoSlice<'_>> = waiting
                    .iter()
                    .take(BATCH)
                    .map(|frame| IoSlice::new(frame))
                    .collect();
                let mut none = SendAncillaryBuffer::default();
                sendmsg(&self.socket, &slices, &mut none, SendFlags::NOSIGNAL)
            };
            match sent.map_err(io::Error::from) {
                Ok(count) => advance(waiting, count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.full.notify_one();
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => waiting.clear(),
            }
        }
    }
}

fn advance(outbox: &mut VecDeque<Bytes>, mut count: usize) {
    while let Some(frame) = outbox.front_mut() {
        if count < frame.len() {
            frame.advance(count);
            return;
        }
        count -= frame.len();
        outbox.pop_front();
    }
}
