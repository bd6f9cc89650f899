//! Frames to and from one worker: over two sockets, or from hand to hand where a task of the program speaks with it. It
//! knows nothing of pools, nor of what frames mean.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::frame::{Decoder, Frame, Garbage, Message};
#[cfg(feature = "grpc")]
use super::passage::PoolEnd;
use super::segment::Segments;
use super::sockets::Sockets;

/// The pool's end of the way to a worker.
#[derive(Debug)]
pub(crate) struct Connection {
    wire: Wire,
    inbox: Mutex<Inbox>,
}

#[derive(Debug)]
pub(crate) enum Wire {
    Sockets(Box<Sockets>),
    #[cfg(feature = "grpc")]
    Passage(PoolEnd),
}

/// What arrived and was not heard yet. Whoever hears it keeps it locked meanwhile, so that all is heard in order.
#[derive(Debug)]
pub(crate) struct Inbox {
    decoder: Decoder,
    /// What was read before anybody listened, or by a caller that it was not for.
    pub(crate) unheard: Vec<Frame>,
    /// What such a caller read.
    garbage: Option<Garbage>,
}

impl Inbox {
    /// What waits, if it is one frame and nothing is wrong behind it.
    pub(crate) fn only(&self) -> Option<&Frame> {
        match &self.unheard[..] {
            [frame] if self.garbage.is_none() => Some(frame),
            _ => None,
        }
    }
}

/// While it is there, the runtime is not told of what arrives.
pub(crate) struct Lent(Arc<Connection>);

impl Deref for Lent {
    type Target = Arc<Connection>;

    fn deref(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        match &self.0.wire {
            Wire::Sockets(sockets) => sockets.heed(),
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => {}
        }
    }
}

/// What a read brought.
pub(crate) enum Arrival {
    /// Some frames, or none yet.
    Frames,
    /// Some frames, and perhaps more are there.
    More,
    /// The worker closed its end.
    End,
}

impl Connection {
    pub(crate) fn new(wire: Wire, shared: Segments) -> Self {
        Self {
            wire,
            inbox: Mutex::new(Inbox {
                decoder: Decoder::new(shared),
                unheard: Vec::new(),
                garbage: None,
            }),
        }
    }

    pub(crate) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker said that it listens to the socket of its replies.
    pub(crate) fn set_heard(&self) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.set_heard(),
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => {}
        }
    }

    /// Sends requests in order. It never waits. A worker that has gone is noticed by the reader.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Message>) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.send(frames),
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => passage.send(frames),
        }
    }

    /// The worker reads its requests so that files may come with them.
    pub(crate) fn takes_files(&self) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.takes_files(),
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => {}
        }
    }

    /// Sends what the worker is to hear while it is busy. It may overtake requests, and brings no files.
    pub(crate) fn control(&self, frame: Message) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.control(frame),
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => passage.send([frame]),
        }
    }

    /// How many pieces wait until the worker reads them.
    pub(crate) fn unread(&self) -> usize {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.unread(),
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => passage.unread(),
        }
    }

    /// Sends what there was no room for, for as long as it is awaited. It may be dropped at any point.
    pub(crate) async fn send_rest(&self) -> Infallible {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.send_rest().await,
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => std::future::pending().await,
        }
    }

    /// Waits until something can be read, or the other end has gone.
    pub(crate) async fn readable(&self) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.readable().await,
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => passage.readable().await,
        }
    }

    /// Reads the whole frames that have arrived, as far as one read has them: a worker that writes faster than it is heard
    /// must neither hold up everybody else nor fill the memory.
    pub(crate) fn receive(&self, inbox: &mut Inbox) -> Result<Arrival, Garbage> {
        if let Some(garbage) = inbox.garbage.take() {
            return Err(garbage);
        }
        let mut take = |frame| inbox.unheard.push(frame);
        match &self.wire {
            Wire::Sockets(sockets) => sockets.receive(&mut inbox.decoder, &mut take),
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => Ok(passage.receive(&mut take)),
        }
    }

    /// Whether a caller can [look](Connection::peek) for what arrives.
    pub(crate) fn can_be_lent(&self) -> bool {
        matches!(self.wire, Wire::Sockets(_))
    }

    /// Leaves it to a caller to look for what arrives.
    pub(crate) fn lend(self: &Arc<Self>) -> Lent {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.ignore(),
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => {}
        }
        Lent(self.clone())
    }

    /// Reads without waiting for the runtime to tell of it. Whether anything is there to be heard: garbage, or the end, is
    /// left to whoever [receives](Connection::receive) next.
    pub(crate) fn peek(&self, inbox: &mut Inbox) -> bool {
        // Another caller left it.
        if inbox.garbage.is_some() {
            return true;
        }
        let mut take = |frame| inbox.unheard.push(frame);
        let arrival = match &self.wire {
            Wire::Sockets(sockets) => sockets.peek(&mut inbox.decoder, &mut take),
            #[cfg(feature = "grpc")]
            Wire::Passage(_) => return false,
        };
        let is_end = matches!(arrival, Ok(Arrival::End));
        inbox.garbage = arrival.err();
        is_end || inbox.garbage.is_some() || !inbox.unheard.is_empty()
    }

    /// Tells the worker that nothing follows; it leaves when it has read to the end.
    pub(crate) fn finish(&self) {
        match &self.wire {
            Wire::Sockets(sockets) => sockets.finish(),
            #[cfg(feature = "grpc")]
            Wire::Passage(passage) => passage.finish(),
        }
    }
}
