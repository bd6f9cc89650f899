//! Frames to and from one worker: over two sockets, or from hand to hand where a task of the program speaks with it. It
//! knows nothing of requests and pools.

use std::convert::Infallible;

use super::frame::{Decoder, Frame, Garbage, Message};
#[cfg(feature = "grpc")]
use super::passage::PoolEnd;
use super::sockets::Sockets;

/// The pool's end of the way to a worker.
#[derive(Debug)]
pub(crate) enum Connection {
    Sockets(Box<Sockets>),
    #[cfg(feature = "grpc")]
    Passage(PoolEnd),
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
    /// The worker said that it listens to the socket of its replies.
    pub(crate) fn set_heard(&self) {
        match self {
            Self::Sockets(sockets) => sockets.set_heard(),
            #[cfg(feature = "grpc")]
            Self::Passage(_) => {}
        }
    }

    /// Sends requests in order. It never waits. A worker that has gone is noticed by the reader.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Message>) {
        match self {
            Self::Sockets(sockets) => sockets.send(frames),
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => passage.send(frames),
        }
    }

    /// The worker reads its requests so that files may come with them.
    pub(crate) fn takes_files(&self) {
        match self {
            Self::Sockets(sockets) => sockets.takes_files(),
            #[cfg(feature = "grpc")]
            Self::Passage(_) => {}
        }
    }

    /// Sends what the worker is to hear while it is busy. It may overtake requests, and brings no files.
    pub(crate) fn control(&self, frame: Message) {
        match self {
            Self::Sockets(sockets) => sockets.control(frame),
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => passage.send([frame]),
        }
    }

    /// How many pieces wait until the worker reads them.
    pub(crate) fn unread(&self) -> usize {
        match self {
            Self::Sockets(sockets) => sockets.unread(),
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => passage.unread(),
        }
    }

    /// Sends what there was no room for, for as long as it is awaited. It may be dropped at any point.
    pub(crate) async fn send_rest(&self) -> Infallible {
        match self {
            Self::Sockets(sockets) => sockets.send_rest().await,
            #[cfg(feature = "grpc")]
            Self::Passage(_) => std::future::pending().await,
        }
    }

    /// Waits until something can be read, or the other end has gone.
    pub(crate) async fn readable(&self) {
        match self {
            Self::Sockets(sockets) => sockets.readable().await,
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => passage.readable().await,
        }
    }

    /// Hands the whole frames that have arrived to `take`, as far as one read has them: a worker that writes faster than
    /// it is heard must neither hold up everybody else nor fill the memory.
    pub(crate) fn receive(
        &self,
        decoder: &mut Decoder,
        take: &mut impl FnMut(Frame),
    ) -> Result<Arrival, Garbage> {
        match self {
            Self::Sockets(sockets) => sockets.receive(decoder, take),
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => Ok(passage.receive(take)),
        }
    }

    /// Tells the worker that nothing follows; it leaves when it has read to the end.
    pub(crate) fn finish(&self) {
        match self {
            Self::Sockets(sockets) => sockets.finish(),
            #[cfg(feature = "grpc")]
            Self::Passage(passage) => passage.finish(),
        }
    }
}
