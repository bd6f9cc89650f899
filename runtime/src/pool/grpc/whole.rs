//! Requests and answers of our own bridge: it takes the frames of the pool as they are, in a parameter without a name,
//! with the buffers behind them beside it. So it knows whatever the sockets know.

use std::collections::BTreeMap;

use super::super::frame::{Frame, Kind, Message};
use super::super::segment::Segments;
use super::super::tail;
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
pub(super) fn asked(message: &Message) -> Result<Asked, Vec<u8>> {
    let parts = Parts::read(message.json())?;
    let credit = parts.credit;
    let mut request = parts.request("");
    let number = message.request().to_string();
    request.metadata.insert(NUMBER.to_owned(), number);
    let json = Any::json(message.json());
    request.parameters.insert(String::new(), json);
    if !message.tail.is_empty() {
        let tail = message.tail.concat();
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
pub(super) fn answer(request: u32, response: ExecuteToolResponse) -> Frame {
    if !response.success {
        return fault(request, &response.metadata, &response.error_message);
    }
    let json = response.result.map_or_else(Vec::new, |any| any.value);
    joined(request, Kind::Reply, json, &response.binary_result)
}

/// What a chunk of a stream is to the pool: an item, or how it ended.
pub(super) fn chunk(request: u32, mut chunk: ToolChunk) -> Frame {
    if let Some(message) = chunk.metadata.get("error") {
        return fault(request, &chunk.metadata, message);
    }
    if chunk.is_final {
        return value::nothing(request);
    }
    let end = chunk.metadata.get(TAIL).and_then(|end| end.parse().ok());
    let end = end.unwrap_or(chunk.data.len()).min(chunk.data.len());
    let tail = chunk.data.split_off(end);
    joined(request, Kind::Item, chunk.data, &tail)
}

fn fault(request: u32, metadata: &BTreeMap<String, String>, message: &str) -> Frame {
    match metadata.get(FAULT) {
        Some(told) => value::error(request, told.as_str()),
        None => value::error(request, value::exception("Error", message, "")),
    }
}

/// A frame of both, or why it cannot be one.
fn joined(request: u32, kind: Kind, json: Vec<u8>, tail: &[u8]) -> Frame {
    let made = framed(request, kind, json, tail);
    made.unwrap_or_else(|message| value::error(request, value::odd(&message)))
}

/// A frame of both.
///
/// # Errors
/// The buffers cannot be read.
pub(super) fn framed(
    request: u32,
    kind: Kind,
    json: Vec<u8>,
    tail: &[u8],
) -> Result<Frame, String> {
    let json = if json.is_empty() {
        b"null".into()
    } else {
        json
    };
    let mut frame = value::frame(request, kind, json);
    if !tail.is_empty() {
        frame.body.buffers = tail::read(tail, &[], &Segments::default())
            .map_err(|why| format!("the buffers that it sent cannot be read: {why}"))?;
    }
    Ok(frame)
}
