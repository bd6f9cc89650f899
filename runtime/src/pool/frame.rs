//! Frames: a header of 16 bytes, JSON, and the bytes of buffers behind it. The bridge's `HEADER` is the same.
//!
//! ```text
//! u32 length of the JSON | u32 length of the bytes behind it | u32 request | u8 kind | u8 files | 2 zero bytes
//! ```
//! All numbers are little-endian. Files come with the first byte of their frame.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use serde_core::Serialize;

use super::buffer::Buffer;
use super::segment::{Held, Segments};
use super::tail::{self, Body, MOST_FILES, Tail};

pub(crate) const HEADER: usize = 16;

/// Longest frame that is sent or accepted, in bytes.
pub(crate) const LIMIT: usize = 256 << 20;

/// What a read asks for at least.
const READ: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Request = 1,
    Reply = 2,
    Error = 3,
    Ready = 4,
    Failed = 5,
    Cancel = 6,
    Item = 7,
    Credit = 8,
    HostCall = 9,
    HostReply = 10,
    HostError = 11,
    Ping = 12,
    Pong = 13,
    Share = 14,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Request,
            Self::Reply,
            Self::Error,
            Self::Ready,
            Self::Failed,
            Self::Cancel,
            Self::Item,
            Self::Credit,
            Self::HostCall,
            Self::HostReply,
            Self::HostError,
            Self::Ping,
            Self::Pong,
            Self::Share,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// One frame that came in.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) request: u32,
    pub(crate) kind: Kind,
    pub(crate) body: Body,
}

/// One frame that goes out.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The header and the JSON.
    pub(crate) head: Bytes,
    /// What follows.
    pub(crate) tail: Vec<Bytes>,
    /// Memory files that go with it.
    pub(crate) files: Vec<Arc<Held>>,
}

impl From<Bytes> for Message {
    fn from(head: Bytes) -> Self {
        Self {
            head,
            tail: Vec::new(),
            files: Vec::new(),
        }
    }
}

#[cfg(feature = "grpc")]
impl Message {
    pub(crate) fn request(&self) -> u32 {
        Header::read(&self.head).request
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        Header::read(&self.head).kind
    }

    pub(crate) fn json(&self) -> &[u8] {
        &self.head[HEADER..]
    }

    /// The JSON and the buffers beside it. Where files cannot go along there are none.
    ///
    /// # Errors
    /// The buffers cannot be read.
    pub(crate) fn body(&self) -> Result<Body, String> {
        let buffers = match &self.tail[..] {
            [] => Vec::new(),
            pieces => tail::read(&pieces.concat(), &[], &Segments::default())?,
        };
        let json = self.json().to_vec();
        Ok(Body { json, buffers })
    }
}

/// What the first bytes of a frame say.
struct Header {
    /// Bytes of JSON.
    json: usize,
    /// Bytes behind it.
    behind: usize,
    request: u32,
    /// None where there is no such kind, or the rest is not as it has to be.
    kind: Option<Kind>,
    files: usize,
}

impl Header {
    /// # Panics
    /// There are fewer bytes than [`HEADER`].
    fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            let bytes = bytes[at..at + 4].try_into();
            u32::from_le_bytes(bytes.expect("four bytes of sixteen"))
        };
        Self {
            json: word(0) as usize,
            behind: word(4) as usize,
            request: word(8),
            kind: Kind::from_byte(bytes[12]).filter(|_| bytes[14..HEADER] == [0, 0]),
            files: bytes[13].into(),
        }
    }
}

/// Makes a frame of a value; large buffers in it are put into shared memory, where workers share it.
///
/// # Errors
/// The value has no JSON form, or is too long.
pub(crate) fn encode<T: Serialize + ?Sized>(
    request: u32,
    kind: Kind,
    value: &T,
    shared: Option<&Segments>,
) -> Result<Message, String> {
    let mut frame = vec![0; HEADER];
    let buffers = tail::collect(&mut frame, value)?;
    finish(request, kind, frame, &buffers, shared)
}

/// Makes a frame of JSON that has room for the header before it, and puts the buffers behind it.
///
/// # Errors
/// It is too long.
pub(crate) fn finish(
    request: u32,
    kind: Kind,
    mut frame: Vec<u8>,
    buffers: &[Buffer],
    shared: Option<&Segments>,
) -> Result<Message, String> {
    let tail = if buffers.is_empty() {
        Tail::default()
    } else {
        Tail::new(buffers, shared)?
    };
    let length = frame.len() - HEADER;
    if length > LIMIT {
        return Err(format!(
            "{length} bytes of JSON are more than the limit of {LIMIT}: send a text or numbers as a `snakepit::Buffer`, \
             which travels beside it"
        ));
    }
    if tail.length > LIMIT - length {
        return Err(format!(
            "{length} bytes of JSON and {} bytes of buffers are more than the limit of {LIMIT}: \
             send them in several calls, or the path of a file",
            tail.length
        ));
    }
    let word = |length: usize| {
        u32::try_from(length)
            .expect("the limit is below 4 GiB")
            .to_le_bytes()
    };
    frame[..4].copy_from_slice(&word(length));
    frame[4..8].copy_from_slice(&word(tail.length));
    frame[8..12].copy_from_slice(&request.to_le_bytes());
    frame[12] = kind as u8;
    frame[13] = u8::try_from(tail.files.len()).expect("so many files are not sent");
    Ok(Message {
        head: frame.into(),
        tail: tail.pieces,
        files: tail.files,
    })
}

/// What is no frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Garbage(String);

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cuts what arrives into frames.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Files that came, in the order of their frames.
    files: VecDeque<OwnedFd>,
    shared: Segments,
}

impl Decoder {
    pub(crate) fn new(shared: Segments) -> Self {
        Self {
            shared,
            ..Self::default()
        }
    }

    /// Where the next bytes go. It grows with what has arrived, not with what a header announces: a hostile length
    /// costs no memory.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && self.buffer.len() - self.end < READ {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < READ {
            let grown = (self.buffer.len() * 2).max(2 * READ);
            self.buffer.resize(grown, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes note of bytes that were put into [`Decoder::space`].
    pub(crate) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Takes note of files that came with them.
    pub(crate) fn brought(&mut self, files: impl IntoIterator<Item = OwnedFd>) {
        self.files.extend(files);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// What is there is no frame; nothing after it can be one.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Garbage> {
        let unread = &self.buffer[self.start..self.end];
        let Some((header, rest)) = unread.split_at_checked(HEADER) else {
            // They would stay open for as long as the worker lives.
            if unread.is_empty() && !self.files.is_empty() {
                return Err(Garbage("it sent files that no frame tells of".to_owned()));
            }
            return Ok(None);
        };
        let Header {
            json,
            behind,
            request,
            kind,
            files,
        } = Header::read(header);
        let is_short = json.checked_add(behind).is_some_and(|all| all <= LIMIT);
        let fits = is_short && files <= MOST_FILES && self.files.len() <= MOST_FILES;
        let Some(kind) = kind.filter(|_| fits) else {
            let shown: String = unread[..unread.len().min(40)]
                .escape_ascii()
                .map(char::from)
                .collect();
            return Err(Garbage(format!("it wrote `{shown}` instead of a frame")));
        };
        let Some(body) = rest.get(..json + behind) else {
            return Ok(None);
        };
        let mut buffers = Vec::new();
        if behind > 0 || files > 0 {
            let count = files.min(self.files.len());
            let files: Vec<OwnedFd> = self.files.drain(..count).collect();
            buffers = tail::read(&body[json..], &files, &self.shared).map_err(|why| {
                Garbage(format!("the buffers that it sent cannot be read: {why}"))
            })?;
        }
        let json = self.start + HEADER..self.start + HEADER + json;
        self.start = json.end + behind;
        let json = if self.start == self.end && self.buffer.len() > 16 * READ {
            self.last_of_room(json)
        } else {
            self.buffer[json].to_vec()
        };
        Ok(Some(Frame {
            request,
            kind,
            body: Body { json, buffers },
        }))
    }

    /// A large frame's room is given back, with the JSON in it where that is most of it: its pages need not be met a
    /// second time.
    fn last_of_room(&mut self, json: Range<usize>) -> Vec<u8> {
        let mut room = std::mem::take(&mut self.buffer);
        (self.start, self.end) = (0, 0);
        if json.len() < room.len() / 4 {
            return room[json].to_vec();
        }
        room.truncate(json.end);
        room.drain(..json.start);
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(decoder: &mut Decoder, bytes: &[u8]) {
        for part in bytes.chunks(7000) {
            decoder.space()[..part.len()].copy_from_slice(part);
            decoder.filled(part.len());
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut bytes = Vec::new();
        for request in 0..50_u32 {
            let value = "x".repeat(request as usize * 1000);
            bytes.extend(encode(request, Kind::Reply, &value, None).unwrap().head);
        }
        for size in [1, 15, 16, 17, 4096] {
            let mut decoder = Decoder::default();
            let mut found = 0;
            for part in bytes.chunks(size) {
                feed(&mut decoder, part);
                while let Some(frame) = decoder.next().unwrap() {
                    assert_eq!(frame.request, found);
                    assert_eq!(frame.body.json.len(), found as usize * 1000 + 2);
                    found += 1;
                }
            }
            assert_eq!(found, 50);
        }
    }

    #[test]
    fn what_is_no_frame_is_shown_and_costs_no_memory() {
        let mut decoder = Decoder::default();
        feed(&mut decoder, b"Traceback (most recent call last)");
        let Garbage(text) = decoder.next().unwrap_err();
        assert!(text.contains("Traceback"), "{text}");
        let mut decoder = Decoder::default();
        feed(
            &mut decoder,
            &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0],
        );
        assert!(decoder.next().is_err());
        assert!(decoder.buffer.len() < 1 << 20);
    }

    #[test]
    fn files_that_no_frame_tells_of_are_no_frame() {
        let file = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let whole = encode(1, Kind::Reply, &1, None).unwrap().head;
        let mut decoder = Decoder::default();
        feed(&mut decoder, &whole);
        decoder.brought([file()]);
        assert_eq!(decoder.next().unwrap().unwrap().request, 1);
        assert!(decoder.next().unwrap_err().to_string().contains("files"));
        // Nor more than any frame may have.
        let mut decoder = Decoder::default();
        feed(&mut decoder, &whole);
        decoder.brought((0..=MOST_FILES).map(|_| file()));
        assert!(decoder.next().is_err());
    }

    #[test]
    fn json_that_is_too_long_is_told_how_else_it_can_be_sent() {
        let frame = vec![0; HEADER + LIMIT + 1];
        let error = finish(0, Kind::Request, frame, &[], None).unwrap_err();
        assert!(
            error.contains("more than the limit") && error.contains("`snakepit::Buffer`"),
            "{error}"
        );
    }

    #[test]
    fn a_value_without_a_json_form_is_refused() {
        let map = std::collections::BTreeMap::from([(vec![1_u8], 2)]);
        assert!(encode(0, Kind::Request, &map, None).is_err());
    }
}
