//! What a worker writes, as it arrives.

use crate::frame::{Decoder, encode};

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
                    let buffers = frame.body.buffers.iter();
                    let beside: usize = buffers.map(|buffer| buffer.as_bytes().len()).sum();
                    read += frame.body.json.len() + beside + 16;
                    assert!(read <= bytes.len(), "more came out than went in");
                    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&frame.body.json)
                    {
                        let again = encode(frame.request, frame.kind, &value, false);
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
