//! The Python half of a worker, which travels in the program: its texts, the command that runs it, and what it is told
//! first.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde_json::{Value, json};

use super::frame::{Kind, Message, encode};
use super::tail::{MARK, SHARED_FROM};
use super::{Error, Shared};
use crate::spec::Profile;

/// What every worker needs.
const BRIDGE: &str = include_str!("../../python/bridge.py");

/// The names and texts of parts in turn, which no text of Python has a zero byte in.
macro_rules! parts {
    ($($name:literal)*) => {
        concat!($($name, "\0", include_str!(concat!("../../python/", $name, ".py")), "\0"),*)
    };
}

/// What not every worker needs: the bridge compiles it when it is asked for, since that takes a good part of a start.
const PARTS: &str = parts! {
    "adapter"
    "buffers"
    "classes"
    "control"
    "coroutines"
    "embedded"
    "event_loop"
    "faults"
    "gates"
    "host_tools"
    "interrupts"
    "large"
    "more"
    "piped"
    "public_json"
    "segments"
    "sessions"
    "stats"
    "streams"
    "values"
};

/// What a worker needs beside them that is a gRPC server.
#[cfg(feature = "grpc")]
pub(super) const GRPC_PARTS: &str = parts! {
    "grpc_messages"
    "grpc_server"
};

/// Fetches the bridge from its own standard input: a worker needs no file, and no command line that the system or a
/// manager could find too long. It is compiled piece by piece, in less memory that is used again: as a whole it takes a
/// fifth longer, and the worker holds a megabyte more.
const LOADER: &str = "import os
def read(count):
    parts = b''
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part: raise SystemExit
        parts += part
    return parts
def run_source(text):
    line = 0
    while text:
        end = text.find(b'\\n\\n\\n', 2500)
        piece = text[:end] if end > 0 else text
        exec(compile(b'\\n' * line + piece, '<snakepit bridge>', 'exec'), globals())
        line += piece.count(b'\\n')
        text = text[len(piece):]
parts, bridge = [read(int.from_bytes(read(4), 'little')) for _ in range(2)]
run_source(bridge)";

/// Variables of the host that would make a worker another Python than the one that the build looked at.
const FOREIGN: &[&str] = &["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"];

/// The command that runs it in an interpreter.
pub(super) fn command(
    mut command: Command,
    env: &[crate::EnvOp],
    stdin: OwnedFd,
    stdout: OwnedFd,
) -> Command {
    // `-s`: the build did not look into the builder's own user site either.
    command.args(["-s", "-c", LOADER]);
    for name in FOREIGN {
        let declared = |op: &crate::EnvOp| matches!(op, crate::EnvOp::Set(set, _) | crate::EnvOp::Prepend(set, _) if set == name);
        if !env.iter().any(declared) {
            command.env_remove(name);
        }
    }
    command
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::piped());
    command
}

/// What a worker is told first: the bridge itself, and what it is to do; `grpc` is for one that is a gRPC server: the
/// parts that it needs, and where its sockets are.
pub(super) fn introduction(
    shared: &Shared,
    number: u32,
    control: u64,
    grpc: Option<(&'static str, Value)>,
) -> Result<[Message; 6], Error> {
    let spec = shared.spec;
    let (more, grpc) = grpc.unwrap_or_default();
    let is_async = matches!(spec.defaults.profile, Profile::Async { .. });
    let embedded = spec.embedded.map(|embedded| {
        json!({
            "path": embedded.path,
            "text": embedded.source,
        })
    });
    let introduction = json!({
        "pool": spec.pool,
        "worker": number,
        "adapter": spec.adapter,
        "embedded": embedded,
        "grpc": grpc,
        "python_path": spec.placed_python_path()?,
        // Requests at a time: in threads, or else on an event loop.
        "threads": shared.room,
        "concurrency": is_async.then_some(shared.room),
        // The number of the socket whose other direction the worker is to listen to.
        "control": control,
        // What stands for a buffer begins with it.
        "mark": &**MARK,
        // Bytes from which on one goes through shared memory.
        "share_from": SHARED_FROM,
        "lenient": spec.defaults.lenient,
        // The functions of the program that Python may call.
        "host_tools": shared.host_tools.names().collect::<Vec<_>>(),
    });
    let introduction =
        encode(0, Kind::Request, &introduction, None).expect("texts and numbers have a JSON form");
    let length = |length: usize| {
        let length = u32::try_from(length).expect("the bridge is small");
        Bytes::copy_from_slice(&length.to_le_bytes()).into()
    };
    Ok([
        length(PARTS.len() + more.len()),
        Bytes::from_static(PARTS.as_bytes()).into(),
        Bytes::from_static(more.as_bytes()).into(),
        length(BRIDGE.len()),
        Bytes::from_static(BRIDGE.as_bytes()).into(),
        introduction,
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// All of them share one namespace: a name that two of them define would be that of whichever came last.
    #[test]
    fn no_two_parts_define_the_same_name() {
        let texts = [PARTS, GRPC].concat();
        let mut parts: Vec<&str> = texts.split_terminator('\0').collect();
        parts.extend(["bridge", BRIDGE]);
        let mut definers = BTreeMap::<&str, Vec<&str>>::new();
        for part in parts.chunks_exact(2) {
            for line in part[1].lines() {
                let defined = ["def ", "async def ", "class "]
                    .iter()
                    .find_map(|word| line.strip_prefix(word));
                let names = match (defined, line.split_once(" = ")) {
                    (Some(defined), _) => defined.split(['(', ':']).next().unwrap(),
                    (None, Some((names, _))) if !line.starts_with([' ', '#']) => names,
                    _ => continue,
                };
                for name in names.split([',', '=']).map(str::trim) {
                    let definers = definers.entry(name).or_default();
                    if !definers.contains(&part[0]) {
                        definers.push(part[0]);
                    }
                }
            }
        }
        assert!(definers.contains_key("Worker") && definers.contains_key("HEADER"));
        definers.retain(|_, definers| definers.len() > 1);
        assert!(definers.is_empty(), "{definers:?}");
    }

    #[cfg(feature = "grpc")]
    const GRPC: &str = GRPC_PARTS;

    #[cfg(not(feature = "grpc"))]
    const GRPC: &str = "";
}
