//! What is asked and answered, from the frames' form into the protocol's and back.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::buffer::{Buffer, DType};
use super::super::frame::{Frame, Kind};
use super::super::tail::{Arrived, Body, MARK};
use super::message::{Any, ExecuteToolRequest, ExecuteToolResponse, ToolChunk};

/// A request of the pool.
#[derive(Debug)]
pub(super) enum Asked {
    Call(ExecuteToolRequest),
    /// For a stream; the items that there is room for.
    Stream(ExecuteToolRequest, usize),
    /// A session is over.
    End(String),
}

/// What the JSON of a request says.
pub(super) struct Parts<'a> {
    /// None where a session is over.
    tool: Option<String>,
    arguments: &'a RawValue,
    session: Option<String>,
    /// Items of its stream that the pool has room for, if it wants one.
    pub(super) credit: Option<usize>,
    /// Whether its session is over.
    is_end: bool,
}

impl<'a> Parts<'a> {
    /// # Errors
    /// The JSON of what is wrong with it.
    pub(super) fn read(json: &'a [u8]) -> Result<Self, Vec<u8>> {
        let wrong = |error: serde_json::Error| unfit(&error.to_string());
        let parts: Vec<&RawValue> = serde_json::from_slice(json).map_err(wrong)?;
        let [tool, arguments, ..] = parts[..] else {
            return Err(unfit("a request has a tool and arguments"));
        };
        let more: Map<String, Value> = match parts.get(2) {
            Some(more) => serde_json::from_str(more.get()).map_err(wrong)?,
            None => Map::new(),
        };
        let credit = more.get("credit").and_then(Value::as_u64);
        Ok(Self {
            tool: serde_json::from_str(tool.get()).map_err(wrong)?,
            arguments,
            session: more
                .get("session")
                .and_then(Value::as_str)
                .map(str::to_owned),
            credit: credit.map(|credit| usize::try_from(credit).unwrap_or(usize::MAX)),
            is_end: more.contains_key("end"),
        })
    }

    /// The request without its arguments; `home` is the session of one that belongs to none.
    pub(super) fn request(&self, home: &str) -> ExecuteToolRequest {
        ExecuteToolRequest {
            session_id: self.session.as_deref().unwrap_or(home).to_owned(),
            tool_name: self.tool.clone().unwrap_or_default(),
            stream: self.credit.is_some(),
            ..ExecuteToolRequest::default()
        }
    }
}

impl Asked {
    /// `home` is the session of requests that belong to none.
    ///
    /// # Errors
    /// The JSON of what is wrong with its arguments.
    pub(super) fn read(body: Body, home: &str) -> Result<Self, Vec<u8>> {
        let parts = Parts::read(&body.json)?;
        let arguments = parts.arguments;
        let mut request = parts.request(home);
        if parts.is_end {
            return Ok(Self::End(request.session_id));
        }
        let buffers = body.buffers.into_iter().map(Arrived::take);
        let buffers: Vec<Buffer> = buffers
            .collect::<Result<_, _>>()
            .map_err(|error| unfit(&error))?;
        name(&mut request, arguments.get(), &buffers)?;
        Ok(match parts.credit {
            Some(credit) => Self::Stream(request, credit),
            None => Self::Call(request),
        })
    }

    pub(super) fn session(&self) -> &str {
        match self {
            Self::Call(request) | Self::Stream(request, _) => &request.session_id,
            Self::End(session) => session,
        }
    }
}

/// Puts arguments into a request, where each needs a name.
fn name(
    request: &mut ExecuteToolRequest,
    arguments: &str,
    buffers: &[Buffer],
) -> Result<(), Vec<u8>> {
    if arguments == "null" {
        return Ok(());
    }
    let named: BTreeMap<String, &RawValue> = serde_json::from_str(arguments).map_err(|_| {
        unfit("a gRPC server takes each argument by its name: pass a map or a struct")
    })?;
    let stand = format!("1e{}", *MARK);
    for (name, value) in named {
        let text = value.get();
        if !text.contains(&stand) {
            request.parameters.insert(name, Any::json(text));
            continue;
        }
        let index = text.strip_prefix(&stand).and_then(|rest| rest.parse().ok());
        let buffer = index.and_then(|index: usize| buffers.get(index));
        match buffer {
            Some(buffer) if buffer.dtype() == DType::Bytes => {
                let bytes = buffer.as_bytes().to_vec();
                request.binary_parameters.insert(name, bytes);
            }
            Some(_) => {
                return Err(unfit(&format!(
                    "`{name}` is an array, of which the protocol knows no type and shape: pass its bytes"
                )));
            }
            None => {
                return Err(unfit(&format!(
                    "`{name}` has bytes inside: in this protocol bytes are arguments of their own"
                )));
            }
        }
    }
    Ok(())
}

/// What a tool's response is to the pool.
pub(super) fn answer(request: u32, response: ExecuteToolResponse) -> Frame {
    if !response.success {
        let kind = response.metadata.get("error_type");
        let trace = response.metadata.get("traceback");
        let message = match response.error_message.as_str() {
            "" => "the server says that it failed, and not why",
            message => message,
        };
        let kind = kind.map_or("Error", String::as_str);
        let trace = trace.map_or("", String::as_str);
        return error(request, exception(kind, message, trace));
    }
    let json = response.result.map_or_else(Vec::new, |any| any.value);
    let has_value = !json.is_empty() && json != b"null";
    if response.binary_result.is_empty() {
        let json = if json.is_empty() {
            b"null".into()
        } else {
            json
        };
        return frame(request, Kind::Reply, json);
    }
    let stand = format!("\"{}0\"", *MARK);
    let json = match std::str::from_utf8(&json) {
        Ok(told) if has_value => format!("[{told},{stand}]"),
        _ => stand,
    };
    with_bytes(frame(request, Kind::Reply, json), response.binary_result)
}

/// What a chunk of a stream is to the pool, if it holds anything. What is no JSON is bytes.
pub(super) fn item(request: u32, chunk: ToolChunk) -> Option<Frame> {
    if chunk.data.is_empty() {
        return None;
    }
    let is_json = serde_json::from_slice::<&RawValue>(&chunk.data).is_ok();
    Some(if is_json {
        frame(request, Kind::Item, chunk.data)
    } else {
        let stand = format!("\"{}0\"", *MARK);
        with_bytes(frame(request, Kind::Item, stand), chunk.data)
    })
}

/// A frame as a worker would send it.
pub(super) fn frame(request: u32, kind: Kind, json: impl Into<Vec<u8>>) -> Frame {
    let json = json.into();
    Frame {
        request,
        kind,
        body: Body {
            json,
            buffers: Vec::new(),
        },
    }
}

/// Puts the bytes that its JSON stands for beside it.
fn with_bytes(mut frame: Frame, bytes: Vec<u8>) -> Frame {
    frame.body.buffers = vec![Arrived::Here(Buffer::from_bytes(bytes))];
    frame
}

/// What a worker says that does not become ready.
pub(super) fn not_ready(reason: &str) -> Frame {
    frame(0, Kind::Failed, json!({ "reason": reason }).to_string())
}

/// The end of a stream, or of a session.
pub(super) fn nothing(request: u32) -> Frame {
    frame(request, Kind::Reply, "null")
}

/// What went wrong.
pub(super) fn error(request: u32, json: impl Into<Vec<u8>>) -> Frame {
    frame(request, Kind::Error, json)
}

/// The longest text of an error that is passed on, in bytes.
const MOST: usize = 1 << 20;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST)]
}

/// An exception as the pool reads it.
pub(super) fn exception(kind: &str, message: &str, traceback: &str) -> Vec<u8> {
    let traceback =
        &traceback[traceback.ceil_char_boundary(traceback.len().saturating_sub(MOST))..];
    let told =
        json!({"kind": "exception", "type": kind, "message": cut(message), "traceback": traceback});
    told.to_string().into_bytes()
}

/// Arguments that the protocol has no form of.
pub(super) fn unfit(message: &str) -> Vec<u8> {
    let told = json!({"kind": "arguments", "message": cut(message)});
    told.to_string().into_bytes()
}

/// An answer that is none by the protocol.
pub(super) fn odd(message: &str) -> Vec<u8> {
    let told = json!({"kind": "answer", "message": cut(message)});
    told.to_string().into_bytes()
}

/// The request was cancelled.
pub(super) fn cancelled() -> Vec<u8> {
    json!({"kind": "cancelled"}).to_string().into_bytes()
}
