//! Memory that a process writes once and another one reads: a memory file that is sealed, so that what is mapped of it
//! can neither change nor shrink under whoever reads it. It has no name, and is gone with the last process that has it.
#![allow(unsafe_code, reason = "a mapping is made by the system")]

use std::ffi::c_void;
use std::io;
use std::os::fd::OwnedFd;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Sealed so, it stays for ever what it is.
const SEALS: SealFlags = SealFlags::SHRINK
    .union(SealFlags::GROW)
    .union(SealFlags::WRITE)
    .union(SealFlags::SEAL);

/// Makes a sealed memory file of these bytes.
pub(crate) fn seal(bytes: &[u8]) -> io::Result<OwnedFd> {
    let file = memfd_create("snakepit", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    // Written and not mapped: so its pages are not emptied first, and nobody has to meet them one by one.
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = rustix::io::write(&file, rest)?;
        rest = &rest[count..];
    }
    fcntl_add_seals(&file, SEALS)?;
    Ok(file)
}

/// The first `length` bytes of a memory file of another process.
///
/// # Errors
/// It is shorter, could still change, or cannot be mapped.
pub(crate) fn open(file: &Arc<OwnedFd>, length: usize) -> io::Result<Bytes> {
    if !fcntl_get_seals(file)?.contains(SEALS) {
        return Err(io::Error::other("it is not sealed"));
    }
    let size = fstat(file)?.st_size;
    if usize::try_from(size).is_ok_and(|size| size < length) {
        return Err(io::Error::other(format!(
            "it has {size} bytes instead of {length}"
        )));
    }
    if length == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: a new mapping at a place that the system chooses touches no other memory.
    let start = unsafe {
        mmap(
            null_mut(),
            length,
            ProtFlags::READ,
            MapFlags::PRIVATE | MapFlags::POPULATE,
            file,
            0,
        )?
    };
    let start = NonNull::new(start).ok_or_else(|| io::Error::other("it was mapped nowhere"))?;
    Ok(Bytes::from_owner(Mapping { start, length }))
}

struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: nobody writes what is mapped, in this process or another one, and whoever drops it is the last one to have it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped there until it is dropped, the file's seals keep them as they are, and any
        // bytes are `u8`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it is a mapping of its own, and nobody has a slice of it any more.
        let _ = unsafe { munmap(self.start.as_ptr(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_read_as_it_was_written_after_the_file_is_closed() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let file = Arc::new(seal(&bytes).unwrap());
        let read = open(&file, bytes.len()).unwrap();
        assert!(rustix::io::write(&*file, b"other").is_err());
        drop(file);
        assert_eq!(read, bytes);
    }

    #[test]
    fn a_file_that_could_change_or_is_too_short_is_refused() {
        let file = memfd_create("open", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::io::write(&file, b"abc").unwrap();
        assert!(open(&Arc::new(file), 3).is_err());
        let file = Arc::new(seal(b"abc").unwrap());
        assert!(open(&file, 4).is_err());
        assert_eq!(open(&file, 3).unwrap(), "abc");
    }
}
