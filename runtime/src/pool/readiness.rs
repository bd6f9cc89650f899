//! When the runtime is told that a worker's socket can be read.
//!
//! A caller that [waits awake](super::awake) reads the socket itself. The runtime's driver would be woken by the same
//! bytes, in whichever thread sleeps there, for nothing. So on Linux the driver does not watch the socket, but an `epoll`
//! of its own that does, and that can be told not to: that wakes no thread, where to take the socket from the driver and
//! to give it back would take its lock and more system calls.

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
    /// No descriptor is left.
    ///
    /// # Panics
    /// There is no runtime with an I/O driver, which [`drivers`](super::drivers) has ruled out.
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn read(readiness: &Readiness, socket: &mut UnixStream) -> io::Result<usize> {
        readiness.read(|| socket.read(&mut [0; 16]))
    }

    async fn is_told(readiness: &Readiness) -> bool {
        timeout(Duration::from_millis(50), readiness.wait())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn what_comes_while_it_is_ignored_is_told_afterwards_if_it_was_not_read() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let readiness = Readiness::of(&ours).unwrap();
        for _ in 0..3 {
            theirs.write_all(b"told").unwrap();
            assert!(is_told(&readiness).await);
            assert_eq!(read(&readiness, &mut ours).unwrap(), 4);
            let left = read(&readiness, &mut ours).unwrap_err();
            assert_eq!(left.kind(), io::ErrorKind::WouldBlock);
            assert!(!is_told(&readiness).await);
            // What the system holds as readable from before is not to keep it from telling anew.
            readiness.ignore(&ours);
            theirs.write_all(b"left").unwrap();
            if cfg!(target_os = "linux") {
                assert!(!is_told(&readiness).await);
            }
            readiness.heed(&ours);
            assert!(is_told(&readiness).await);
            assert_eq!(read(&readiness, &mut ours).unwrap(), 4);
            assert!(read(&readiness, &mut ours).is_err());
            // And what was read meanwhile is not told.
            readiness.ignore(&ours);
            theirs.write_all(b"read").unwrap();
            assert_eq!(ours.read(&mut [0; 16]).unwrap(), 4);
            readiness.heed(&ours);
            if cfg!(target_os = "linux") {
                assert!(!is_told(&readiness).await);
            }
        }
        drop(theirs);
        assert!(is_told(&readiness).await);
    }
}
