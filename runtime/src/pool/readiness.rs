//! When the runtime is told that a worker's socket can be read.
//!
//! A caller that [waits awake](super::awake) reads the socket itself. The runtime's driver would be woken by the same
//! bytes, in whichever thread sleeps there, for nothing. So on Linux the driver does not watch the socket, but an `epoll`
//! of its own that does, and that can be told not to: one system call, where to take the socket from the driver and to
//! give it back would take several and a lock.

use std::fs::File;
use std::io;
#[cfg(not(target_os = "linux"))]
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

#[cfg(target_os = "linux")]
use rustix::event::{Timespec, epoll};
use tokio::net::unix::pipe::Receiver;

#[derive(Debug)]
pub(crate) struct Readiness {
    /// Anything that can be read, for Tokio: no other of its types takes what is no socket, and is safe to make.
    told: Receiver,
}

impl Readiness {
    /// # Errors
    /// No descriptor is left, or there is no runtime with an I/O driver.
    pub(crate) fn of(socket: &UnixStream) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let watch = {
            let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
            epoll::add(&watch, socket, DATA, epoll::EventFlags::IN)?;
            watch
        };
        #[cfg(not(target_os = "linux"))]
        let watch = OwnedFd::from(socket.try_clone()?);
        let told = Receiver::from_file_unchecked(File::from(watch))?;
        Ok(Self { told })
    }

    /// Waits until something can be read, or the other end has gone.
    pub(crate) async fn wait(&self) {
        // An error of the descriptor shows in the read that follows.
        let _ = self.told.readable().await;
    }

    /// Reads; [`io::ErrorKind::WouldBlock`] means that nothing is left.
    pub(crate) fn read<R>(&self, read: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.told.try_io(read)
    }

    /// From now on the runtime is not told.
    #[cfg(target_os = "linux")]
    pub(crate) fn ignore(&self, socket: &UnixStream) {
        self.set(socket, epoll::EventFlags::empty());
        // What it holds as readable from before would keep it from telling anew.
        let mut events = [epoll::Event {
            flags: epoll::EventFlags::empty(),
            data: DATA,
        }];
        let _ = epoll::wait(&self.told, &mut events, Some(&Timespec::default()));
    }

    /// From now on it is told again, of what has come meanwhile and was not read as well.
    #[cfg(target_os = "linux")]
    pub(crate) fn heed(&self, socket: &UnixStream) {
        self.set(socket, epoll::EventFlags::IN);
    }

    #[cfg(target_os = "linux")]
    fn set(&self, socket: &UnixStream, events: epoll::EventFlags) {
        // It cannot fail: the socket is registered, and both descriptors are open.
        let set = epoll::modify(&self.told, socket, DATA, events);
        debug_assert!(set.is_ok(), "{set:?}");
    }

    /// Elsewhere the runtime is told in vain.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn ignore(&self, _socket: &UnixStream) {}

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn heed(&self, _socket: &UnixStream) {}
}

#[cfg(target_os = "linux")]
const DATA: epoll::EventData = epoll::EventData::new_u64(0);
