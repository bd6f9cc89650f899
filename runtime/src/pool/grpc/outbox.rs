//! Frames to the pool, as a worker would make them, from many tasks.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use super::super::buffer::Buffer;
use super::super::frame::{HEADER, Kind, Message, finish};

/// A socket as the runtime watches it.
pub(super) fn watched(socket: std::os::unix::net::UnixStream) -> std::io::Result<UnixStream> {
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// What a worker says that does not become ready.
pub(super) fn not_ready(reason: &str) -> Message {
    let told = json!({ "reason": reason }).to_string();
    frame(0, Kind::Failed, told.as_bytes(), &[]).expect("it is short")
}

/// Makes a frame of JSON and the buffers that it stands for.
///
/// # Errors
/// It is too long.
pub(super) fn frame(
    request: u32,
    kind: Kind,
    json: &[u8],
    buffers: &[Buffer],
) -> Result<Message, String> {
    let mut frame = Vec::with_capacity(HEADER + json.len());
    frame.resize(HEADER, 0);
    frame.extend_from_slice(json);
    finish(request, kind, frame, buffers, None)
}

/// The worker's end of the socket that the pool reads its replies from.
#[derive(Debug)]
pub(super) struct Outbox(Mutex<UnixStream>);

impl Outbox {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self(Mutex::new(socket))
    }

    /// Sends a frame as a whole. A pool that has gone reads nothing more.
    pub(super) async fn send(&self, message: Message) {
        let mut socket = self.0.lock().await;
        for piece in std::iter::once(&message.head).chain(&message.tail) {
            if socket.write_all(piece).await.is_err() {
                return;
            }
        }
    }
}
