//! What ties a process group to its host: however the host dies, the kernel kills the group, also one whose leader has
//! gone or hangs.
//!
//! The kernel sends a signal to the owner of a descriptor in asynchronous mode when something happens to it
//! (`F_SETOWN`, `F_SETSIG`, `O_ASYNC` in fcntl(2)); the owner may be a group. Here it is `SIGKILL`, and what happens
//! is that the other end of a pair of sockets is closed, which only the host holds. The watched end lies, as a message
//! that nobody reads, in the queue of the held one. So no worker needs to keep it open, and no descriptor that one
//! closes undoes it; an end that is closed tells its peer before it lets its queue go.
#![allow(
    unsafe_code,
    reason = "no safe interface has the owner and the signal of a descriptor"
)]

use std::ffi::c_int;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal};

/// Which signal an owner gets: Linux's number of it, which the crate `libc` does not have for every C library.
const F_SETSIG: c_int = 10;

/// While it is open, the group may live.
#[derive(Debug)]
pub(super) struct Lifeline {
    _held: OwnedFd,
}

impl Lifeline {
    /// # Errors
    /// The group is not there, or the system has no such mode.
    pub(super) fn of(group: Pid) -> io::Result<Self> {
        let (held, watched) = UnixStream::pair()?;
        set(&watched, libc::F_SETOWN, -group.as_raw_nonzero().get())?;
        set(&watched, F_SETSIG, Signal::KILL.as_raw())?;
        set(&watched, libc::F_SETFL, libc::O_ASYNC)?;
        let files = [watched.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        beside.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(
            &watched,
            &[IoSlice::new(&[0])],
            &mut beside,
            SendFlags::empty(),
        )?;
        Ok(Self { _held: held.into() })
    }
}

fn set(socket: &UnixStream, command: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open, and these commands take a number.
    match unsafe { libc::fcntl(socket.as_raw_fd(), command, value) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
