//! Memory files that large buffers go through: those of the program, which workers copy from, and those of its workers.
//!
//! They are used again and again: what costs is to find and to meet the pages of a new one, not the copy. A file has no
//! name, is gone with the last process that has it, and cannot shrink, so that a reader is never killed. Whoever reads
//! copies, so that nothing can change under its hands, and that the file can be used again soon:
//!
//! - A file of the program belongs to a request until its outcome is known: a worker copies before it begins, and after
//!   a crash the next one finds the same bytes. Only the program can write to it.
//! - A file of a worker is the program's from when it arrives until its bytes were taken or nobody wants them. Then the
//!   program clears its last byte, which the worker had set. One that does not wait for this spoils its own values.
//!
//! The memory that is copied to is used again as well: the system empties what is new.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::fs::{
    MemfdFlags, SealFlags, Stat, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};

use super::mapping::{Mapping, Private};

/// The length of one stays what it is.
const SIZED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW);

/// One has room for a multiple of so many bytes, so that it fits for what comes next.
const STEP: usize = 1 << 20;

/// What the system counts the written part of a file in, in bytes.
const BLOCK: u64 = 512;

/// Files of each side that are kept, though nobody needs them now.
const MOST_KEPT: usize = 16;

/// How long they are kept.
const REST: Duration = Duration::from_secs(2);

/// The memory files of a pool. It is a cheap handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    own: Mutex<Vec<Resting<Segment>>>,
    /// Those of workers, with their numbers in the system.
    theirs: Mutex<Vec<Resting<Known>>>,
    /// What values were copied to.
    private: Mutex<Vec<Resting<Private>>>,
    /// Whether any was used since [`Segments::take_used`] was asked.
    used: AtomicBool,
}

#[derive(Debug)]
struct Resting<T> {
    since: Instant,
    one: T,
}

#[derive(Debug)]
struct Known {
    file: (u64, u64),
    mapping: Arc<Mapping>,
}

/// A memory file of the program.
#[derive(Debug)]
struct Segment {
    file: OwnedFd,
    mapping: Mapping,
    /// Whether its pages were met.
    met: bool,
}

impl Segment {
    fn new(bytes: &[u8]) -> io::Result<Self> {
        let room = bytes.len().next_multiple_of(STEP);
        let file = memfd_create("snakepit", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, room as u64)?;
        let mapping = Mapping::of(&file, room)?;
        // Written and not copied: so its pages are not emptied first, and nobody has to meet them yet.
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = rustix::io::write(&file, rest)?;
            rest = &rest[count..];
        }
        fcntl_add_seals(&file, SIZED)?;
        // Systems before Linux 5.1 do not know it; workers write to it nowhere.
        let _ = fcntl_add_seals(&file, SealFlags::FUTURE_WRITE | SealFlags::SEAL);
        Ok(Self {
            file,
            mapping,
            met: false,
        })
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.met {
            self.mapping.populate(self.mapping.length());
            self.met = true;
        }
        self.mapping.write(bytes);
    }
}

/// A memory file of the program that holds what somebody still needs.
#[derive(Debug)]
pub(crate) struct Held {
    /// Some until it is dropped.
    segment: Option<Segment>,
    home: Weak<Kept>,
}

/// What lies in the memory file of a worker, until it is taken.
#[derive(Debug)]
pub(crate) struct Loan {
    mapping: Arc<Mapping>,
    length: usize,
    home: Weak<Kept>,
}

/// A value that was copied out of the memory file of a worker.
#[derive(Debug)]
struct Copied {
    /// Some until it is dropped.
    memory: Option<Private>,
    length: usize,
    home: Weak<Kept>,
}

impl Segments {
    /// Puts bytes into a memory file.
    pub(crate) fn hold(&self, bytes: &[u8]) -> io::Result<Arc<Held>> {
        let segment = match take(&self.0.own, bytes.len(), |one| one.mapping.length()) {
            Some(mut segment) => {
                segment.write(bytes);
                segment
            }
            None => Segment::new(bytes)?,
        };
        Ok(Arc::new(Held {
            segment: Some(segment),
            home: Arc::downgrade(&self.0),
        }))
    }

    /// The memory file of a worker, whose first `length` bytes it lends.
    ///
    /// # Errors
    /// It is shorter, has holes, could shrink, or cannot be mapped.
    pub(crate) fn borrow(&self, file: &OwnedFd, length: usize) -> io::Result<Loan> {
        let stat = fstat(file)?;
        let mapping = self.mapping(file, &stat)?;
        if length >= mapping.length() {
            let room = mapping.length() - 1;
            return Err(io::Error::other(format!(
                "it has room for {room} bytes instead of {length}"
            )));
        }
        // To copy what was never written would make the memory that the worker only claims to have.
        let written = u64::try_from(stat.st_blocks).unwrap_or_default() * BLOCK;
        if length as u64 > written {
            return Err(io::Error::other(format!(
                "{written} bytes of it were written instead of {length}"
            )));
        }
        Ok(Loan {
            mapping,
            length,
            home: Arc::downgrade(&self.0),
        })
    }

    fn mapping(&self, file: &OwnedFd, stat: &Stat) -> io::Result<Arc<Mapping>> {
        let number = (stat.st_dev, stat.st_ino);
        let mut theirs = lock(&self.0.theirs);
        self.0.used.store(true, Ordering::Relaxed);
        // While it is mapped, no other file has its number.
        let mapping = match theirs.iter().position(|known| known.one.file == number) {
            Some(index) => theirs.remove(index).one.mapping,
            None => {
                if !fcntl_get_seals(file)?.contains(SIZED) {
                    return Err(io::Error::other("it is not sealed: it could shrink"));
                }
                let length = usize::try_from(stat.st_size).unwrap_or_default();
                if length == 0 {
                    return Err(io::Error::other("it is empty"));
                }
                Arc::new(Mapping::of(file, length)?)
            }
        };
        let known = Known {
            file: number,
            mapping: mapping.clone(),
        };
        keep(&mut theirs, known);
        Ok(mapping)
    }

    /// Whether any was used since this was last asked.
    pub(crate) fn take_used(&self) -> bool {
        self.0.used.load(Ordering::Relaxed) && self.0.used.swap(false, Ordering::Relaxed)
    }

    /// When to call [`Segments::tidy`] next.
    pub(crate) fn next(&self) -> Option<Instant> {
        let kept = &*self.0;
        let all = [first(&kept.own), first(&kept.theirs), first(&kept.private)];
        all.into_iter().flatten().min()
    }

    /// Lets go of those that nobody has needed for a while.
    pub(crate) fn tidy(&self, now: Instant) {
        let is_due = |since: Instant| since + REST <= now;
        lock(&self.0.own).retain(|resting| !is_due(resting.since));
        lock(&self.0.theirs).retain(|resting| !is_due(resting.since));
        lock(&self.0.private).retain(|resting| !is_due(resting.since));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the first of them has rested long enough.
fn first<T>(kept: &Mutex<Vec<Resting<T>>>) -> Option<Instant> {
    let first = lock(kept).iter().map(|resting| resting.since).min();
    first.map(|since| since + REST)
}

/// The smallest one that has room.
fn take<T>(kept: &Mutex<Vec<Resting<T>>>, length: usize, room: impl Fn(&T) -> usize) -> Option<T> {
    let mut kept = lock(kept);
    let rooms = kept.iter().map(|resting| room(&resting.one));
    let fits = rooms.zip(0..).filter(|(room, _)| *room >= length);
    let (_, index) = fits.min()?;
    Some(kept.remove(index).one)
}

/// Keeps one more; the one that has rested longest goes if there are too many.
fn keep<T>(kept: &mut Vec<Resting<T>>, one: T) {
    if kept.len() >= MOST_KEPT {
        kept.remove(0);
    }
    let since = Instant::now();
    kept.push(Resting { since, one });
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let segment = self.segment.as_ref();
        segment.expect("it is there until the drop").file.as_fd()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(segment), Some(home)) = (self.segment.take(), self.home.upgrade()) {
            home.used.store(true, Ordering::Relaxed);
            keep(&mut lock(&home.own), segment);
        }
    }
}

impl Loan {
    /// A copy of it, which nobody else has.
    pub(crate) fn copy(&self) -> io::Result<Bytes> {
        let length = self.length;
        let home = self.home.upgrade();
        let kept = home.and_then(|home| take(&home.private, length, Private::length));
        let mut memory = match kept {
            Some(memory) => memory,
            None => Private::new(length.max(1).next_multiple_of(STEP))?,
        };
        self.mapping.copy(length, &mut memory);
        Ok(Bytes::from_owner(Copied {
            memory: Some(memory),
            length,
            home: self.home.clone(),
        }))
    }
}

impl AsRef<[u8]> for Copied {
    fn as_ref(&self) -> &[u8] {
        let memory = self.memory.as_ref();
        &memory.expect("it is there until the drop").as_ref()[..self.length]
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let (Some(memory), Some(home)) = (self.memory.take(), self.home.upgrade())
            // Else it has been a while, and nobody would let go of it.
            && !lock(&home.theirs).is_empty()
        {
            home.used.store(true, Ordering::Relaxed);
            keep(&mut lock(&home.private), memory);
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.mapping.clear_last();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A memory file as a worker makes one.
    pub(in super::super) fn of_a_worker(bytes: &[u8], seals: SealFlags) -> OwnedFd {
        let file = memfd_create("worker", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::io::write(&file, bytes).unwrap();
        rustix::io::write(&file, &[1]).unwrap();
        fcntl_add_seals(&file, seals).unwrap();
        file
    }

    fn read(file: impl AsFd, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        rustix::io::pread(file, &mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn a_file_is_used_again_when_nobody_needs_it_and_not_before() {
        let segments = Segments::default();
        let number = |held: &Held| fstat(held).unwrap().st_ino;
        let first = segments.hold(&[1; 5000]).unwrap();
        let second = segments.hold(&[2; 5000]).unwrap();
        assert_ne!(number(&first), number(&second));
        assert_eq!(read(&*first, 5000), [1; 5000]);
        let used = number(&first);
        drop(first);
        let third = segments.hold(&[3; 70_000]).unwrap();
        assert_eq!(number(&third), used);
        assert_eq!(read(&*third, 70_000), [3; 70_000]);
        assert_eq!(read(&*second, 5000), [2; 5000]);
        assert!(rustix::io::write(&*third, b"other").is_err());
        assert!(ftruncate(&*third, 1).is_err());
    }

    #[test]
    fn files_that_rest_are_let_go_of() {
        let segments = Segments::default();
        drop(segments.hold(&[1]).unwrap());
        let file = of_a_worker(b"abc", SIZED);
        drop(segments.borrow(&file, 3).unwrap());
        assert!(segments.take_used() && !segments.take_used());
        segments.tidy(Instant::now());
        assert!(segments.next().is_some());
        segments.tidy(Instant::now() + REST);
        assert!(segments.next().is_none());
    }

    #[test]
    fn what_a_worker_lends_is_copied_and_given_back() {
        let segments = Segments::default();
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let file = of_a_worker(&bytes, SIZED);
        for round in 0..2 {
            let loan = segments.borrow(&file, bytes.len()).unwrap();
            let copy = loan.copy().unwrap();
            assert_eq!(read(&file, 100_001)[100_000], 1);
            drop(loan);
            assert_eq!(read(&file, 100_001)[100_000], 0, "{round}");
            // What was taken stays, whatever becomes of the file.
            rustix::io::pwrite(&file, &[9; 100], 0).unwrap();
            assert_eq!(copy, bytes);
            rustix::io::pwrite(&file, &bytes, 0).unwrap();
            rustix::io::pwrite(&file, &[1], 100_000).unwrap();
        }
    }

    #[test]
    fn a_file_that_could_shrink_is_too_short_or_cannot_be_written_is_refused() {
        let segments = Segments::default();
        for seals in [SealFlags::empty(), SealFlags::GROW] {
            assert!(segments.borrow(&of_a_worker(b"abc", seals), 3).is_err());
        }
        let sealed = of_a_worker(b"abc", SIZED | SealFlags::WRITE);
        assert!(segments.borrow(&sealed, 3).is_err());
        let file = of_a_worker(b"abc", SIZED);
        assert!(segments.borrow(&file, 4).is_err());
        assert!(segments.borrow(&file, usize::MAX).is_err());
        assert_eq!(segments.borrow(&file, 3).unwrap().copy().unwrap(), "abc");
        assert_eq!(segments.borrow(&file, 0).unwrap().copy().unwrap(), "");
        let claimed = memfd_create("worker", MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&claimed, 1 << 40).unwrap();
        fcntl_add_seals(&claimed, SIZED).unwrap();
        assert!(segments.borrow(&claimed, 1 << 39).is_err());
    }
}
