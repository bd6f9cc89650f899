//! The protocol is written down three times: for readers in `snakepit_bridge.proto`, for the host in Rust and for the
//! bridge in Python, none of which is made of another. Here they are compared, by their text.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const PROTO: &str = include_str!("../../runtime/proto/snakepit_bridge.proto");
const IN_RUST: &str = include_str!("../../runtime/src/pool/grpc/message.rs");
const IN_PYTHON: &str = include_str!("../../runtime/python/grpc_messages.py");
const BRIDGE: &str = include_str!("../../runtime/python/grpc_server.py");

/// What the file has from Google's.
const IMPORTED: &str = "
message Any {
  string type_url = 1;
  bytes value = 2;
}
message Timestamp {
  int64 seconds = 1;
  int32 nanos = 2;
}
";

/// The host reads nothing of these.
const UNREAD: [&str; 2] = ["TelemetryControl", "TelemetryEvent"];

/// The fields of each message: number, name and type, as the file writes it.
type Messages = BTreeMap<String, BTreeSet<(u32, String, String)>>;

/// The messages of a file of the protocol. Which of its fields are in a `oneof` does not show on the wire.
fn of_proto(text: &str) -> Messages {
    let mut messages = Messages::new();
    let mut message = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("message ") {
            let name = rest.strip_suffix(" {").unwrap().to_owned();
            message = Some(messages.entry(name).or_default());
        } else if let (Some(fields), Some((field, number))) = (&mut message, line.split_once(" = "))
        {
            let (kind, name) = field.rsplit_once(' ').unwrap();
            let kind = kind.replace("google.protobuf.", "");
            let number = number.strip_suffix(';').unwrap().parse().unwrap();
            fields.insert((number, name.to_owned(), kind));
        }
    }
    messages
}

fn protocol() -> Messages {
    let mut messages = of_proto(PROTO);
    assert!(messages.len() > 20 && messages.values().all(|fields| !fields.is_empty()));
    messages.extend(of_proto(IMPORTED));
    messages
}

/// The messages of structs with attributes of `prost`.
fn of_rust(text: &str) -> Messages {
    let mut messages = Messages::new();
    let mut name = "";
    let mut attribute = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub(super) struct ") {
            name = rest.split(' ').next().unwrap();
            messages.entry(name.to_owned()).or_default();
        } else if let Some(rest) = line.strip_prefix("#[prost(") {
            attribute = rest.strip_suffix("\")]");
        } else if let Some(written) = attribute.take() {
            let (kind, number) = written.split_once(", tag = \"").unwrap();
            let (field, of) = line
                .strip_prefix("pub(super) ")
                .unwrap()
                .split_once(": ")
                .unwrap();
            let of = of
                .trim_end_matches([',', '>'])
                .rsplit(['<', ' '])
                .next()
                .unwrap();
            let kind = match kind {
                "bytes = \"vec\"" => "bytes".to_owned(),
                "message, optional" => of.to_owned(),
                "message, repeated" => format!("repeated {of}"),
                "string, repeated" => "repeated string".to_owned(),
                "btree_map = \"string, message\"" => format!("map<string, {of}>"),
                map if map.starts_with("btree_map = ") => {
                    format!("map<{}>", map.split('"').nth(1).unwrap())
                }
                scalar => scalar.to_owned(),
            };
            let field = field.trim_start_matches("r#").to_owned();
            let fields = messages.get_mut(name).unwrap();
            fields.insert((number.parse().unwrap(), field, kind));
        }
    }
    let fields: usize = messages.values().map(BTreeSet::len).sum();
    assert_eq!(fields, text.matches("tag = \"").count());
    messages
}

/// The messages of the bridge's table, whose fields are numbered as they stand.
fn of_python(text: &str) -> Messages {
    let table = text.split("\"\"\"").nth(3).unwrap().replace("\\\n", "");
    let messages = table.trim().lines().map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let fields = (1..).zip(words).map(|(number, word)| {
            let (field, kind) = word.rsplit_once(':').unwrap();
            let kind = match kind.split_once('=') {
                Some(("map", of)) => format!("map<string, {of}>"),
                Some((_, of)) => format!("repeated {of}"),
                None => kind.to_owned(),
            };
            (number, field.trim_start_matches("one=").to_owned(), kind)
        });
        (name, fields.collect())
    });
    messages.collect()
}

#[test]
fn the_host_and_the_bridge_have_the_fields_of_the_protocol() {
    let protocol = protocol();
    let (host, bridge) = (of_rust(IN_RUST), of_python(IN_PYTHON));
    for (side, messages) in [("the host", &host), ("the bridge", &bridge)] {
        for (name, fields) in messages {
            let is_unread = fields.is_empty() && UNREAD.contains(&name.as_str());
            if !is_unread {
                assert_eq!(Some(fields), protocol.get(name), "{side}'s {name}");
            }
        }
    }
    for name in protocol.keys() {
        let is_known = host.contains_key(name) || bridge.contains_key(name);
        assert!(is_known, "nobody has {name}");
    }
}

/// The methods of the protocol: what they are asked, and whether the question and the answer are streams.
fn methods() -> BTreeMap<&'static str, (&'static str, bool, bool)> {
    let methods = PROTO.lines().filter_map(|line| {
        let (name, rest) = line.trim().strip_prefix("rpc ")?.split_once('(')?;
        let (asked, answer) = rest.split_once(") returns (")?;
        let message = asked.trim_start_matches("stream ");
        let streams = (asked != message, answer.starts_with("stream "));
        Some((name, (message, streams.0, streams.1)))
    });
    methods.collect()
}

/// What stands between two texts, wherever it does.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let found = text.split(before).skip(1);
    found
        .filter_map(|rest| Some(rest.split_once(after)?.0))
        .collect()
}

#[test]
fn the_host_and_the_bridge_serve_and_call_the_methods_of_the_protocol() {
    let methods = methods();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/pool/grpc");
    let files = fs::read_dir(folder).unwrap();
    let sources: String = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let called = between(&sources, "method!(\"", "\")");
    let by_bridge = between(BRIDGE, "\"/%s/", "\" % SERVICE");
    let mut served: BTreeSet<&str> = between(&sources, "Some(\"", "\") =>").into_iter().collect();
    assert!(called.len() > 3 && by_bridge.len() == 1 && served.len() > 5);
    let table = between(BRIDGE, "for name, asked, makes in (", "\n    ):")[0];
    for row in between(table, "(\"", "),") {
        let [name, asked, makes] = row.split(", ").collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let streams = match makes {
            "unary" => (false, false),
            "grpc.unary_stream_rpc_method_handler" => (false, true),
            "grpc.stream_stream_rpc_method_handler" => (true, true),
            other => panic!("{other}"),
        };
        let (name, asked) = (name.trim_matches('"'), asked.trim_matches('"'));
        assert_eq!(
            methods.get(name),
            Some(&(asked, streams.0, streams.1)),
            "{name}"
        );
        served.insert(name);
    }
    assert!(
        served.iter().copied().eq(methods.keys().copied()),
        "{served:?} {methods:?}"
    );
    for name in called.iter().chain(&by_bridge) {
        assert!(methods.contains_key(name), "{name}");
    }
}
