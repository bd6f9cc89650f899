//! Mapped memory: of a file that another process has as well, and of this process alone.
//!
//! What lies in a file may change at any moment. So nobody gets a reference to it: it is copied in and out.
#![allow(
    unsafe_code,
    reason = "the system makes mappings, and two processes use one of them"
)]

use std::io;
use std::os::fd::AsFd;
use std::ptr::{NonNull, copy_nonoverlapping, null_mut};
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

/// Some memory, mapped until this is dropped.
#[derive(Debug)]
struct Area {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: it is memory of the process, not of a thread.
unsafe impl Send for Area {}
// SAFETY: what it offers to many threads at a time are its bounds; whoever goes through them says why he may.
unsafe impl Sync for Area {}

impl Area {
    fn new(start: *mut std::ffi::c_void, length: usize) -> io::Result<Self> {
        let start = NonNull::new(start.cast());
        let start = start.ok_or_else(|| io::Error::other("it was mapped nowhere"))?;
        Ok(Self { start, length })
    }

    /// Asks the system for something; that it does not know it is no fault.
    fn advise(&self, length: usize, advice: Advice) {
        assert!(length <= self.length);
        // SAFETY: the advices that are given here change no byte and take no page away.
        let _ = unsafe { madvise(self.start.as_ptr().cast(), length, advice) };
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: it is a mapping of its own, and nobody has a reference to it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A whole file that cannot shrink, and that another process may map, too.
#[derive(Debug)]
pub(super) struct Mapping(Area);

impl Mapping {
    /// `length` is the file's, not 0, and its seals keep it so: else a reader beyond its end would be killed.
    pub(super) fn of(file: impl AsFd, length: usize) -> io::Result<Self> {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at a place that the system chooses touches no other memory.
        let start = unsafe { mmap(null_mut(), length, rights, MapFlags::SHARED, file, 0)? };
        Area::new(start, length).map(Self)
    }

    pub(super) fn length(&self) -> usize {
        self.0.length
    }

    /// Meets the pages of its first bytes all at once, which else are met one by one.
    pub(super) fn populate(&self, length: usize) {
        self.0.advise(length, Advice::LinuxPopulateWrite);
    }

    /// Copies bytes to its begin.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.0.length);
        // SAFETY: there is room, `bytes` lie elsewhere since nobody has a reference to what is mapped, and no other
        // thread copies at the same time, since this one has it for itself.
        unsafe { copy_nonoverlapping(bytes.as_ptr(), self.0.start.as_ptr(), bytes.len()) };
    }

    /// Copies its first bytes to where nobody else has them.
    pub(super) fn copy(&self, length: usize, target: &mut Private) {
        assert!(length <= self.0.length && length <= target.0.length);
        // SAFETY: so much is mapped at both places. Another process may write to the one meanwhile: then it is its own
        // bytes that it spoils, and any bytes are `u8`; no reference says that they stay what they are.
        unsafe { copy_nonoverlapping(self.0.start.as_ptr(), target.0.start.as_ptr(), length) };
    }

    /// Sets the last byte to 0, after everything that was read of it before.
    pub(super) fn clear_last(&self) {
        // SAFETY: the byte is there, and everybody who uses it in this process does so here.
        let last = unsafe { AtomicU8::from_ptr(self.0.start.as_ptr().add(self.0.length - 1)) };
        last.store(0, Ordering::Release);
    }
}

/// Memory of this process alone, at the begin of a page, in large pages where the system has them: several times as
/// fast to meet.
#[derive(Debug)]
pub(super) struct Private(Area);

impl Private {
    /// `length` is not 0.
    pub(super) fn new(length: usize) -> io::Result<Self> {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: as for a mapping of a file.
        let start = unsafe { mmap_anonymous(null_mut(), length, rights, MapFlags::PRIVATE)? };
        let area = Area::new(start, length)?;
        area.advise(length, Advice::LinuxHugepage);
        Ok(Self(area))
    }

    pub(super) fn length(&self) -> usize {
        self.0.length
    }
}

impl AsRef<[u8]> for Private {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: so much is mapped there until it is dropped, and who writes has it for itself.
        unsafe { std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.length) }
    }
}
