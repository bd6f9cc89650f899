//! Frames to and from one worker, over two sockets.
//!
//! Requests go to the worker's standard input, which its busy threads do not read. Whatever it has to hear while it is
//! busy goes the other way through the socket that brings its replies, where a thread of the bridge listens. A worker
//! behind a container's engine has pipes and no other way: it gets everything through the one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, recv, recvmsg, send, sendmsg, shutdown,
};
use tokio::net::UnixStream as Watched;
use tokio::sync::Notify;

use super::connection::Arrival;
use super::frame::{Decoder, Frame, Garbage, Kind, Message, encode};
use super::readiness::Readiness;
use super::segment::Held;
use super::tail::MOST_FILES;

/// Frames that one system call takes at most.
const BATCH: usize = 64;

/// The host's end of a worker's sockets.
#[derive(Debug)]
pub(crate) struct Sockets {
    replies: UnixStream,
    readiness: Readiness,
    requests: Outbox,
    controls: Outbox,
    /// Whether the worker listens to the socket of its replies.
    hears: AtomicBool,
}

impl Sockets {
    pub(crate) fn new(requests: UnixStream, replies: UnixStream) -> io::Result<Self> {
        let controls = replies.try_clone()?;
        replies.set_nonblocking(true)?;
        requests.set_nonblocking(true)?;
        Ok(Self {
            readiness: Readiness::of(&replies)?,
            replies,
            requests: Outbox::new(requests),
            controls: Outbox::new(controls),
            hears: AtomicBool::new(false),
        })
    }

    /// The worker said that it listens to the socket of its replies.
    pub(crate) fn set_heard(&self) {
        self.hears.store(true, Ordering::Relaxed);
    }

    /// What the socket does not take now is sent as soon as it has room.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Message>) {
        self.requests.send(frames);
    }

    /// The worker reads its requests so that files may come with them.
    pub(crate) fn takes_files(&self) {
        self.requests.open();
    }

    pub(crate) fn control(&self, frame: Message) {
        if self.hears.load(Ordering::Relaxed) {
            self.controls.send([frame]);
        } else {
            self.requests.send([frame]);
        }
    }

    pub(crate) fn unread(&self) -> usize {
        self.controls.waiting().pieces.len() + self.requests.waiting().pieces.len()
    }

    /// Sends what the sockets had no room for, for as long as it is awaited. It may be dropped at any point.
    pub(crate) async fn send_rest(&self) -> Infallible {
        tokio::select! {
            never = self.requests.send_rest() => never,
            never = self.controls.send_rest() => never,
        }
    }

    pub(crate) async fn readable(&self) {
        self.readiness.wait().await;
    }

    /// From now on the runtime is not told of what arrives.
    pub(crate) fn ignore(&self) {
        self.readiness.ignore(&self.replies);
    }

    /// From now on it is told again.
    pub(crate) fn heed(&self) {
        self.readiness.heed(&self.replies);
    }

    /// Hands the whole frames that the runtime has told of to `take`, as far as one read has them.
    pub(crate) fn receive(
        &self,
        decoder: &mut Decoder,
        take: &mut impl FnMut(Frame),
    ) -> Result<Arrival, Garbage> {
        receive_by(|space, files| self.read(space, files), decoder, take)
    }

    /// The same with those that the runtime has not told of.
    pub(crate) fn peek(
        &self,
        decoder: &mut Decoder,
        take: &mut impl FnMut(Frame),
    ) -> Result<Arrival, Garbage> {
        let read =
            |space: &mut [u8], files: &mut Vec<_>| read_with_files(&self.replies, space, files);
        receive_by(read, decoder, take)
    }

    /// A read that did not fill its room, and brought no files, has emptied the socket, unless the end is behind what it
    /// brought: of that Tokio is not told anew. Where it is not there either, Tokio is told so at once, where the system
    /// tells of every later arrival: else each wait for a reply would begin with a read in vain.
    fn read(&self, space: &mut [u8], files: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let mut some = 0;
        let outcome = self.readiness.read(|| {
            let room = space.len();
            some = read_with_files(&self.replies, space, files)?;
            let may_be_empty = 0 < some && some < room && files.is_empty();
            if cfg!(target_os = "linux") && may_be_empty {
                recv(&self.replies, &mut [0; 1][..], RecvFlags::PEEK)?;
            }
            Ok(some)
        });
        if some > 0 { Ok(some) } else { outcome }
    }

    pub(crate) fn finish(&self) {
        let _ = shutdown(&self.requests.socket, Shutdown::Write);
    }
}

/// Reads until a frame is whole, or nothing is left.
fn receive_by(
    read: impl Fn(&mut [u8], &mut Vec<OwnedFd>) -> io::Result<usize>,
    decoder: &mut Decoder,
    take: &mut impl FnMut(Frame),
) -> Result<Arrival, Garbage> {
    loop {
        let space = decoder.space();
        let room = space.len();
        let mut files = Vec::new();
        let count = match read(space, &mut files) {
            Ok(0) => return Ok(Arrival::End),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok(Arrival::Frames);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Ok(Arrival::End),
        };
        decoder.filled(count);
        // The system ends a read behind the bytes that files came with, whether or not more is there.
        let may_go_on = count == room || !files.is_empty();
        decoder.brought(files);
        let mut any = false;
        while let Some(frame) = decoder.next()? {
            take(frame);
            any = true;
        }
        match may_go_on {
            false => return Ok(Arrival::Frames),
            true if any => return Ok(Arrival::More),
            true => {}
        }
    }
}

/// Reads, and takes the files that came with what it reads.
fn read_with_files(
    socket: impl AsFd,
    room: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let read = recvmsg(socket, &mut [IoSliceMut::new(room)], &mut beside, flags)?;
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            files.extend(came);
        }
    }
    Ok(read.bytes)
}

/// One direction of one socket.
#[derive(Debug)]
struct Outbox {
    socket: UnixStream,
    /// What the socket had no room for yet.
    waiting: Mutex<Waiting>,
    full: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    pieces: VecDeque<Piece>,
    way: Way,
}

/// Files are lost on a worker that reads as usual: it is asked to read with them first, and what follows waits until
/// it does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Way {
    #[default]
    Closed,
    Asked,
    Open,
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    /// Go with its first byte.
    files: Vec<Arc<Held>>,
}

impl Waiting {
    fn push(&mut self, message: Message) {
        if !message.files.is_empty() && self.way == Way::Closed {
            self.way = Way::Asked;
            let ask = encode(0, Kind::Share, &(), None).expect("nothing has a JSON form");
            self.push(ask);
        }
        let head = Piece {
            bytes: message.head,
            files: message.files,
        };
        let tail = message.tail.into_iter().map(|bytes| Piece {
            bytes,
            files: Vec::new(),
        });
        self.pieces.push_back(head);
        self.pieces.extend(tail);
    }

    /// Whether nothing can be sent now, even if the socket had room.
    fn is_held(&self) -> bool {
        let first = self.pieces.front();
        first.is_none_or(|piece| self.way != Way::Open && !piece.files.is_empty())
    }
}

impl Outbox {
    fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            waiting: Mutex::default(),
            full: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, frames: impl IntoIterator<Item = Message>) {
        let mut waiting = self.waiting();
        let first = waiting.is_held();
        for frame in frames {
            waiting.push(frame);
        }
        if first {
            self.flush(&mut waiting);
        }
    }

    fn open(&self) {
        let mut waiting = self.waiting();
        // One that was not asked reads as it did.
        if waiting.way == Way::Asked {
            waiting.way = Way::Open;
            self.flush(&mut waiting);
        }
    }

    async fn send_rest(&self) -> Infallible {
        loop {
            if self.waiting().is_held() {
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

    fn flush(&self, waiting: &mut Waiting) {
        while !waiting.is_held() {
            match self.send_some(&waiting.pieces).map_err(io::Error::from) {
                Ok(count) => advance(&mut waiting.pieces, count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.full.notify_one();
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => waiting.pieces.clear(),
            }
        }
    }

    /// Sends from the first piece on, up to the next one with files.
    fn send_some(&self, pieces: &VecDeque<Piece>) -> rustix::io::Result<usize> {
        let first = &pieces[0];
        if pieces.len() == 1 && first.files.is_empty() {
            return send(&self.socket, &first.bytes, SendFlags::NOSIGNAL);
        }
        let rest = pieces.iter().skip(1).take(BATCH - 1);
        let plain = rest.take_while(|piece| piece.files.is_empty());
        let slices: Vec<IoSlice<'_>> = std::iter::once(first)
            .chain(plain)
            .map(|piece| IoSlice::new(&piece.bytes))
            .collect();
        let files: Vec<BorrowedFd<'_>> = first.files.iter().map(|file| file.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() {
            beside.push(SendAncillaryMessage::ScmRights(&files));
        }
        sendmsg(&self.socket, &slices, &mut beside, SendFlags::NOSIGNAL)
    }
}

fn advance(outbox: &mut VecDeque<Piece>, mut count: usize) {
    while let Some(piece) = outbox.front_mut() {
        piece.files.clear();
        if count < piece.bytes.len() {
            piece.bytes.advance(count);
            return;
        }
        count -= piece.bytes.len();
        outbox.pop_front();
        if count == 0 {
            return;
        }
    }
}
