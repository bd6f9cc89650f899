//! Frames to and from one worker, over one socket. It knows nothing of requests and pools.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::frame::{Decoder, Frame, Garbage};

/// Frames that one system call takes at most.
const BATCH: usize = 64;

/// The host's end of a worker's socket.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    /// What the socket had no room for yet.
    outbox: Mutex<VecDeque<Bytes>>,
    full: Notify,
}

/// What a read brought.
pub(crate) enum Arrival {
    /// Some frames, or none yet.
    Frames,
    /// The worker closed its end.
    End,
}

impl Connection {
    pub(crate) fn new(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: UnixStream::from_std(stream)?,
            outbox: Mutex::new(VecDeque::new()),
            full: Notify::new(),
        })
    }

    /// Sends frames in order. It never waits: what the socket does not take now is sent as soon as it has room.
    /// A worker that has gone is noticed by the reader.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        let mut outbox = self.outbox();
        let waiting = !outbox.is_empty();
        outbox.extend(frames);
        if !waiting {
            self.flush(&mut outbox);
        }
    }

    /// Sends what the socket had no room for, for as long as it is awaited. It may be dropped at any point.
    pub(crate) async fn send_rest(&self) -> Infallible {
        loop {
            if self.outbox().is_empty() {
                self.full.notified().await;
            } else if self.stream.writable().await.is_ok() {
                self.flush(&mut self.outbox());
            } else {
                // The runtime's driver is gone, and this task with it.
                std::future::pending::<()>().await;
            }
        }
    }

    fn outbox(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self, outbox: &mut VecDeque<Bytes>) {
        while !outbox.is_empty() {
            let sent = if outbox.len() == 1 {
                self.stream.try_write(&outbox[0])
            } else {
                let slices: Vec<IoSlice<'_>> = outbox
                    .iter()
                    .take(BATCH)
                    .map(|frame| IoSlice::new(frame))
                    .collect();
                self.stream.try_write_vectored(&slices)
            };
            match sent {
                Ok(count) => advance(outbox, count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.full.notify_one();
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => outbox.clear(),
            }
        }
    }

    /// Waits until something can be read, or the other end has gone.
    pub(crate) async fn readable(&self) {
        // An error of the descriptor shows in the read that follows.
        let _ = self.stream.readable().await;
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
            let count = match self.stream.try_read(space) {
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
            // A read that did not fill its room has emptied the socket. Only a read in vain tells Tokio so; it comes
            // with the next wait, after what is here was handed on.
            if count < room {
                return Ok(Arrival::Frames);
            }
        }
    }

    /// Tells the worker that nothing follows; it leaves when it has read to the end.
    pub(crate) fn finish(&self) {
        let _ = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Write);
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
