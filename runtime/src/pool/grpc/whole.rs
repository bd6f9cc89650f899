//! Requests and answers of our own bridge: it takes the frames of the pool as they are, in a parameter without a name,
//! with the buffers behind them beside it. So it knows whatever the sockets know.

use std::collections::BTreeMap;

use super::super::buffer::Buffer;
use super::super::frame::{Frame, HEADER, Kind, Message, close};
use super::super::tail::{Arrived, Body, Tail};
use super::message::{Any, ExecuteToolRequest, ExecuteToolResponse, ToolChunk};
use super::value::{self, Asked, Parts};

/// The names of what the protocol has no field for; `python/grpc_server.py` has the same.
const NUMBER: &str = "snakepit-request";
const CANCELS: &str = "snakepit-cancel";
pub(super) const TAIL: &str = "snakepit-tail";
const FAULT: &str = "snakepit-fault";

/// A request of the pool.
///
/// # Errors
/// The JSON of what is wrong with it.
pub(super) fn asked(frame: Frame) -> Result<Asked, Vec<u8>> {
    let parts = Parts::read(&frame.body.json)?;
    let credit = parts.credit;
    let mut request = parts.request("");
    let number = frame.request.to_string();
    request.metadata.insert(NUMBER.to_owned(), number);
    let (json, tail) = parted(frame.body).map_err(|error| value::unfit(&error))?;
    request.parameters.insert(String::new(), Any::json(json));
    if !tail.is_empty() {
        request.binary_parameters.insert(String::new(), tail);
    }
    Ok(match credit {
        Some(credit) => Asked::Stream(request, credit),
        None => Asked::Call(request),
    })
}

/// The request that has another one cancelled.
pub(super) fn cancel(request: u32) -> ExecuteToolRequest {
    ExecuteToolRequest {
        metadata: BTreeMap::from([(CANCELS.to_owned(), request.to_string())]),
        ..ExecuteToolRequest::default()
    }
}

/// What the bridge's response is to the pool.
pub(super) fn answer(request: u32, response: ExecuteToolResponse) -> Message {
    if !response.success {
        return fault(request, &response.metadata, &response.error_message);
    }
    let json = response.result.map_or_else(Vec::new, |any| any.value);
    joined(request, Kind::Reply, &json, response.binary_result)
}

/// What a chunk of a stream is to the pool: an item, or how it ended.
pub(super) fn chunk(request: u32, mut chunk: ToolChunk) -> Message {
    if let Some(message) = chunk.metadata.get("error") {
        return fault(request, &chunk.metadata, message);
    }
    if chunk.is_final {
        return value::nothing(request);
    }
    let end = chunk.metadata.get(TAIL).and_then(|end| end.parse().ok());
    let end = end.unwrap_or(chunk.data.len()).min(chunk.data.len());
    let tail = chunk.data.split_off(end);
    joined(request, Kind::Item, &chunk.data, tail)
}

fn fault(request: u32, metadata: &BTreeMap<String, String>, message: &str) -> Message {
    match metadata.get(FAULT) {
        Some(told) => value::error(request, told.as_bytes()),
        None => value::error(request, &value::exception("Error", message, "")),
    }
}

/// The JSON of a frame, and what goes behind it.
///
/// # Errors
/// A buffer cannot be had.
pub(super) fn parted(body: Body) -> Result<(Vec<u8>, Vec<u8>), String> {
    if body.buffers.is_empty() {
        return Ok((body.json, Vec::new()));
    }
    let buffers = body.buffers.into_iter().map(Arrived::take);
    let buffers: Vec<Buffer> = buffers.collect::<Result<_, _>>()?;
    Ok((body.json, Tail::new(&buffers, None)?.pieces.concat()))
}

/// A frame of both, or why it cannot be one.
fn joined(request: u32, kind: Kind, json: &[u8], tail: Vec<u8>) -> Message {
    let made = framed(request, kind, json, tail);
    made.unwrap_or_else(|message| value::error(request, &value::odd(&message)))
}

/// A frame of both.
///
/// # Errors
/// It is too long.
pub(super) fn framed(
    request: u32,
    kind: Kind,
    json: &[u8],
    tail: Vec<u8>,
) -> Result<Message, String> {
    let mut frame = vec![0; HEADER];
    frame.extend_from_slice(if json.is_empty() { b"null" } else { json });
    let tail = Tail {
        length: tail.len(),
        pieces: vec![tail.into()],
        ..Tail::default()
    };
    close(request, kind, frame, tail)
}
