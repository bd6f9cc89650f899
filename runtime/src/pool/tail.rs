//! Buffers beside the JSON of a frame: what stands for them inside it, and how they lie behind it.
//!
//! ```text
//! u32 length of the directory | directory (JSON) | the buffers that are not in shared memory, each at a multiple of 16
//! ```
//! The directory has an entry for each buffer: type, shape, length in bytes, and the file among those that come with the
//! frame, or null where its bytes are here. `python/buffers.py` is the same.
//!
//! Inside the JSON a buffer is its index behind a mark of 38 digits that this process drew by lot and tells its
//! workers: to a worker as a number in exponential form, since there a hook sees numbers only, from a worker as a text.
//! Nothing else can be taken for it, and frames without buffers are not looked at.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::OwnedFd;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_core::de::{DeserializeOwned, Visitor};
use serde_core::ser::Error as _;
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::buffer::{Buffer, DType, fits};
use super::finite;
use super::segment::{Held, Loan, Segments};

/// From this size on a buffer goes through shared memory, in bytes. Measured there and back, in a file that was used
/// before: at 1 MiB a frame takes a fifth less, at 4 MiB nearly twice as long, at 16 MiB six times.
pub(crate) const SHARED_FROM: usize = 2 << 20;

/// Files that one frame brings at most; the kernel sends no more than 253.
pub(crate) const MOST_FILES: usize = 64;

const ALIGNMENT: usize = 16;

/// What stands for a buffer begins with it.
pub(crate) static MARK: LazyLock<String> = LazyLock::new(|| {
    let half = || RandomState::new().build_hasher().finish() % 10_u64.pow(19);
    // Not beginning with zeros, which a reader of numbers might leave out.
    format!("{:019}{:019}", half() | 1 << 62, half())
});

thread_local! {
    /// The buffers of the frame that is being made.
    static SENDING: RefCell<Option<Vec<Buffer>>> = const { RefCell::new(None) };
    /// Those of the frame that is being read.
    static RECEIVING: RefCell<Option<Received>> = const { RefCell::new(None) };
}

struct Received {
    buffers: Vec<Buffer>,
    taken: Vec<bool>,
}

impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = SENDING.with_borrow_mut(|sending| {
            let buffers = sending.as_mut()?;
            buffers.push(self.clone());
            Some(buffers.len() - 1)
        });
        let index = index.ok_or_else(|| {
            S::Error::custom("a `Buffer` has no form of its own: it is sent beside the arguments of a tool or the answer of a host tool")
        })?;
        let number = RawValue::from_string(format!("1e{}{index}", *MARK));
        number.map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Stand)
    }
}

/// Takes the buffer that a text stands for.
struct Stand;

impl Visitor<'_> for Stand {
    type Value = Buffer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes or an array")
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<Buffer, E> {
        let index = text
            .strip_prefix(&**MARK)
            .and_then(|index| index.parse().ok());
        let taken = index.and_then(|index: usize| {
            RECEIVING.with_borrow_mut(|receiving| {
                let received = receiving.as_mut()?;
                *received.taken.get_mut(index)? = true;
                received.buffers.get(index).cloned()
            })
        });
        taken.ok_or_else(|| E::invalid_type(serde_core::de::Unexpected::Str(text), &self))
    }
}

/// JSON, and the buffers beside it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) json: Vec<u8>,
    pub(crate) buffers: Vec<Arrived>,
}

/// A buffer that came with a frame. One that lies in shared memory is copied by whoever wants the value, not by the
/// task that reads for all.
#[derive(Debug)]
pub(crate) enum Arrived {
    Here(Buffer),
    Lent {
        dtype: DType,
        shape: Vec<usize>,
        loan: Loan,
    },
}

impl Arrived {
    pub(crate) fn take(self) -> Result<Buffer, String> {
        match self {
            Self::Here(buffer) => Ok(buffer),
            Self::Lent { dtype, shape, loan } => {
                let bytes = loan.copy().map_err(|error| error.to_string())?;
                Buffer::new(dtype, &shape, bytes).map_err(|error| error.to_string())
            }
        }
    }
}

impl Body {
    /// The value.
    ///
    /// # Errors
    /// It is not of that type, or holds buffers where the type has none.
    pub(crate) fn decode<T: DeserializeOwned>(self) -> Result<T, String> {
        let plain = |json: &[u8]| serde_json::from_slice(json).map_err(|error| unreadable(&error));
        if self.buffers.is_empty() {
            return plain(&self.json);
        }
        let buffers = self.buffers.into_iter().map(Arrived::take);
        let buffers: Vec<Buffer> = buffers.collect::<Result<_, _>>()?;
        let (value, taken) = beside(buffers.clone(), || plain(&self.json));
        let value = value.map_err(|message| legible(&message))?;
        if taken.iter().all(|taken| *taken) {
            return Ok(value);
        }
        // What was not taken was left out, or else read as a text. No type reads a number so large.
        let mut json = String::from_utf8(self.json).map_err(|error| error.to_string())?;
        for (index, taken) in taken.iter().enumerate() {
            if !taken {
                json = json.replace(&format!("\"{}{index}\"", *MARK), "1e999");
            }
        }
        let (value, _) = beside(buffers, || plain(json.as_bytes()));
        value.map_err(|_| {
            "it holds bytes or an array where the type has none: `snakepit::Buffer` takes them"
                .to_owned()
        })
    }
}

/// Why JSON of a worker is not read. Half of a character is written by Python as what it is, such as a byte in the name
/// of a file that is no UTF-8.
fn unreadable(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if error.is_syntax() && message.contains("hex escape") {
        format!(
            "a text in it holds a lone surrogate, half of a character, which only Python has: let the tool return bytes \
             (`os.fsencode` for the name of a file), or `text.encode(errors=\"replace\").decode()` ({message})"
        )
    } else {
        message
    }
}

/// A message about a text that stands for a buffer.
fn legible(message: &str) -> String {
    let Some(at) = message.find(&**MARK) else {
        return message.to_owned();
    };
    let end = message[at..].find(|c: char| !c.is_ascii_digit());
    let end = end.map_or(message.len(), |length| at + length);
    let before = message[..at].trim_end_matches("string \"");
    let after = message[end..].trim_start_matches('"');
    format!("{before}bytes or an array{after}; `snakepit::Buffer` takes them")
}

/// Reads while these buffers can be taken; tells which were.
fn beside<T>(buffers: Vec<Buffer>, read: impl FnOnce() -> T) -> (T, Vec<bool>) {
    let taken = vec![false; buffers.len()];
    let before = RECEIVING.replace(Some(Received { buffers, taken }));
    let value = read();
    let received = RECEIVING.replace(before);
    (
        value,
        received.map_or_else(Vec::new, |received| received.taken),
    )
}

/// Makes JSON of a value, and collects the buffers that belong beside it.
pub(super) fn collect<T: Serialize + ?Sized>(
    json: &mut Vec<u8>,
    value: &T,
) -> Result<Vec<Buffer>, String> {
    let before = SENDING.replace(Some(Vec::new()));
    let written = finite::write(json, value);
    let buffers = SENDING.replace(Some(Vec::new())).unwrap_or_default();
    let checked = written.and_then(|has_null| match has_null {
        true => finite::check(value),
        false => Ok(()),
    });
    SENDING.set(before);
    checked.map(|()| buffers)
}

/// What is sent behind the JSON, and the files that go with it.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) pieces: Vec<Bytes>,
    pub(super) length: usize,
    pub(super) files: Vec<Arc<Held>>,
}

/// A buffer in the directory: the name of its type, its shape, its length in bytes, and its file if it has one.
type Entry = (String, Vec<usize>, usize, Option<usize>);

impl Tail {
    /// Lays out buffers, large ones in shared memory where the worker shares it.
    pub(super) fn new(buffers: &[Buffer], shared: Option<&Segments>) -> Result<Self, String> {
        let mut tail = Self::default();
        let mut directory: Vec<Entry> = Vec::new();
        let mut inline = Vec::new();
        for buffer in buffers {
            let length = buffer.bytes().len();
            let large = length >= SHARED_FROM && tail.files.len() < MOST_FILES;
            // Without a file, such as when too many are open, it goes the other way.
            let file = shared
                .filter(|_| large)
                .and_then(|segments| segments.hold(buffer.bytes()).ok());
            let place = file.map(|file| {
                tail.files.push(file);
                tail.files.len() - 1
            });
            if place.is_none() {
                inline.push(buffer.bytes().clone());
            }
            let name = buffer.dtype().name().to_owned();
            directory.push((name, buffer.shape().to_vec(), length, place));
        }
        let directory = serde_json::to_vec(&directory).map_err(|error| error.to_string())?;
        let length = u32::try_from(directory.len()).map_err(|error| error.to_string())?;
        tail.push(Bytes::from(
            [&length.to_le_bytes()[..], &directory].concat(),
        ));
        for bytes in inline {
            tail.align();
            tail.push(bytes);
        }
        Ok(tail)
    }

    fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.pieces.push(piece);
    }

    fn align(&mut self) {
        const ZEROS: [u8; ALIGNMENT] = [0; ALIGNMENT];
        let missing = self.length.next_multiple_of(ALIGNMENT) - self.length;
        if missing > 0 {
            self.push(Bytes::from_static(&ZEROS[..missing]));
        }
    }
}

/// The buffers that lie behind the JSON of a frame, or in its files.
pub(super) fn read(
    tail: &[u8],
    files: &[OwnedFd],
    shared: &Segments,
) -> Result<Vec<Arrived>, String> {
    let short = || "they end too early".to_owned();
    let (length, rest) = tail.split_at_checked(4).ok_or_else(short)?;
    let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
    let directory = rest.get(..length).ok_or_else(short)?;
    let directory: Vec<Entry> =
        serde_json::from_slice(directory).map_err(|error| error.to_string())?;
    let mut at = 4 + length;
    let mut buffers = Vec::new();
    // Each file once: else one could stand for any amount of memory.
    let mut files: Vec<Option<&OwnedFd>> = files.iter().map(Some).collect();
    for (name, shape, length, place) in directory {
        let dtype = DType::from_name(&name).ok_or_else(|| format!("there is no type `{name}`"))?;
        fits(dtype, &shape, length).map_err(|error| error.to_string())?;
        let Some(index) = place else {
            at = at.next_multiple_of(ALIGNMENT);
            let end = at.checked_add(length).ok_or_else(short)?;
            let bytes = aligned(tail.get(at..end).ok_or_else(short)?);
            let buffer = Buffer::new(dtype, &shape, bytes).map_err(|error| error.to_string())?;
            buffers.push(Arrived::Here(buffer));
            at = end;
            continue;
        };
        let file = files.get_mut(index).and_then(Option::take);
        let file = file.ok_or_else(|| format!("file {index} did not come"))?;
        let loan = shared.borrow(file, length);
        let loan = loan.map_err(|error| error.to_string())?;
        buffers.push(Arrived::Lent { dtype, shape, loan });
    }
    Ok(buffers)
}

/// A copy that lies where any element may lie.
fn aligned(bytes: &[u8]) -> Bytes {
    let mut room = vec![0_u128; bytes.len().div_ceil(size_of::<u128>())];
    bytemuck::cast_slice_mut(&mut room)[..bytes.len()].copy_from_slice(bytes);
    Bytes::from_owner(super::buffer::Elements(room)).slice(..bytes.len())
}

#[cfg(test)]
mod tests {
    use rustix::fs::SealFlags;
    use serde::Deserialize;

    use super::super::segment::tests::of_a_worker;
    use super::*;

    fn taken(arrived: Vec<Arrived>) -> Vec<Buffer> {
        let buffers = arrived.into_iter().map(Arrived::take);
        buffers.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn buffers_are_read_as_they_were_laid_out_in_the_frame_or_beside_it() {
        let large = vec![7_u16; SHARED_FROM / 2];
        let buffers = [
            Buffer::from_bytes(vec![1, 2, 3]),
            Buffer::from_vec(large)
                .with_shape(&[2, SHARED_FROM / 4])
                .unwrap(),
            Buffer::from_slice(&[0.5_f64]),
            Buffer::from_slice::<i32>(&[]),
        ];
        let segments = Segments::default();
        let tail = Tail::new(&buffers, None).unwrap();
        let back = taken(read(&tail.pieces.concat(), &[], &segments).unwrap());
        assert_eq!(back, buffers);
        assert_eq!(back[2].as_slice::<f64>().unwrap(), [0.5]);
        // What a worker would do with files of the program: its own have one byte more.
        let tail = Tail::new(&buffers, Some(&segments)).unwrap();
        assert_eq!(tail.files.len(), 1);
        let file = of_a_worker(buffers[1].as_bytes(), SealFlags::SHRINK | SealFlags::GROW);
        let back = taken(read(&tail.pieces.concat(), &[file], &segments).unwrap());
        assert_eq!(back, buffers);
    }

    #[test]
    fn a_directory_that_promises_more_than_there_is_is_refused() {
        let entries = [
            r#"[["<f4",[3],12,null]]"#,
            r#"[["<f4",[3],12,0]]"#,
            r#"[["<f4",[4],12,null]]"#,
            r#"[["<f4",[1],18446744073709551615,null]]"#,
            r#"[["object",[1],8,null]]"#,
            "7",
        ];
        for entry in entries {
            let mut tail = u32::try_from(entry.len()).unwrap().to_le_bytes().to_vec();
            tail.extend(entry.as_bytes());
            assert!(read(&tail, &[], &Segments::default()).is_err(), "{entry}");
        }
        assert!(read(&[1, 0], &[], &Segments::default()).is_err());
        assert!(read(&[255, 255, 255, 255, 0], &[], &Segments::default()).is_err());
    }

    #[test]
    fn a_buffer_is_taken_by_its_type_ignored_or_an_error_and_never_a_text() {
        let body = || Body {
            json: format!(r#"{{"name":"a","pixels":"{}0"}}"#, *MARK).into_bytes(),
            buffers: vec![Arrived::Here(Buffer::from_slice(&[1_u8]))],
        };
        #[derive(Debug, Deserialize)]
        struct Taken {
            name: String,
            pixels: Buffer,
        }
        #[derive(Debug, Deserialize)]
        struct Left {
            name: String,
        }
        #[derive(Debug, Deserialize)]
        #[serde(untagged)]
        enum Either {
            One(Taken),
        }
        let taken: Taken = body().decode().unwrap();
        assert_eq!((&*taken.name, taken.pixels.as_bytes()), ("a", &[1][..]));
        assert_eq!(body().decode::<Left>().unwrap().name, "a");
        let Either::One(taken) = body().decode().unwrap();
        assert_eq!(taken.pixels.shape(), [1]);
        let refused = body().decode::<serde_json::Value>().unwrap_err();
        assert!(refused.contains("snakepit::Buffer"), "{refused}");
        let refused = body()
            .decode::<std::collections::BTreeMap<String, u8>>()
            .unwrap_err();
        assert!(!refused.contains(&**MARK), "{refused}");
    }

    #[test]
    fn a_buffer_beside_a_null_is_collected_once_and_hides_no_number_behind_it() {
        let buffer = Buffer::from_slice(&[f64::NAN]);
        let (mut json, mut other) = (Vec::new(), Vec::new());
        let buffers = collect(&mut json, &(&buffer, None::<u8>, 1.0)).unwrap();
        assert_eq!(buffers.len(), 1);
        let error = collect(&mut other, &(&buffer, f64::NAN)).unwrap_err();
        assert!(error.contains("`$[1]` is NaN"), "{error}");
        assert!(SENDING.take().is_none());
    }

    #[test]
    fn a_text_of_digits_is_no_buffer() {
        let body = Body {
            json: format!(r#"["{}0"]"#, "1".repeat(38)).into_bytes(),
            buffers: vec![Arrived::Here(Buffer::from_slice(&[1_u8]))],
        };
        let texts: Vec<String> = body.decode().unwrap();
        assert_eq!(texts[0].len(), 39);
        assert!(serde_json::to_string(&Buffer::from_slice(&[1_u8])).is_err());
    }
}
