//! What a worker writes, as it arrives.

use crate::frame::{Decoder, encode};
use crate::tail::Arrived;

/// The first byte says in what parts the rest arrives.
pub(crate) fn frame(data: &[u8]) {
    let Some((part, bytes)) = data.split_first() else {
        return;
    };
    let mut decoder = Decoder::default();
    let mut read = 0;
    for part in bytes.chunks(usize::from(*part).max(1)) {
        decoder.space()[..part.len()].copy_from_slice(part);
        decoder.filled(part.len());
        loop {
            match decoder.next() {
                Ok(Some(frame)) => {
                    let json = frame.body.json;
                    let buffers = frame.body.buffers.into_iter().map(Arrived::take);
                    let beside: Result<Vec<_>, _> = buffers.collect();
                    let beside = beside.expect("what came without files is here");
                    let beside: usize = beside.iter().map(|buffer| buffer.as_bytes().len()).sum();
                    read += json.len() + beside + 16;
                    assert!(read <= bytes.len(), "more came out than went in");
                    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&json) {
                        let again = encode(frame.request, frame.kind, &value, None);
                        assert!(again.is_ok_and(|frame| frame.head.len() >= 16));
                    }
                }
                Ok(None) => break,
                Err(garbage) => return assert!(!garbage.to_string().is_empty()),
            }
        }
    }
    // A header announces; only what has arrived takes room.
    assert!(decoder.space().len() <= 4 * bytes.len() + (256 << 10));
}
