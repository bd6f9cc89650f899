//! A server in Python of the package `grpcio`, called with tonic over a Unix socket. Messages are JSON or bytes as they
//! are, or, for a call of Snakepit's protocol, those of `protobuf`, which cost both sides more.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::measure::each;
use crate::rivals::SCRIPT;

/// A server, and a channel to it.
pub(crate) struct Server {
    child: Child,
    runtime: Runtime,
    channel: Channel,
    _folder: TempDir,
}

impl Server {
    /// Starts it with an interpreter that has `grpcio`.
    pub(crate) fn start(python: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let address = format!("unix:{}", folder.path().join("socket").display());
        let mut child = Command::new(python)
            .args([SCRIPT, "grpc_server", &address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter starts");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("it is a pipe");
        let _ = BufReader::new(stdout).read_line(&mut said);
        assert_eq!(said, "ready\n");
        let runtime = Runtime::new().expect("a runtime can be made");
        let endpoint = Endpoint::from_shared(address).expect("it is an address");
        let channel = runtime
            .block_on(endpoint.connect())
            .expect("the server listens");
        Self {
            child,
            runtime,
            channel,
            _folder: folder,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of one call with a value that is JSON on its way, the mean of `count` of which so many are under way.
    pub(crate) fn echo(&self, value: &Value, count: usize, in_flight: usize) -> f64 {
        let call = async |channel: &mut Grpc<Channel>, value: &Value| {
            let json = serde_json::to_vec(value).expect("it is JSON");
            let reply = unary(channel, "/bench.Echo/Echo", json.into()).await;
            let reply: Value = serde_json::from_slice(&reply).expect("it is JSON");
            assert_eq!(&reply, value);
        };
        self.runtime.block_on(async {
            let begin = Instant::now();
            let tasks: Vec<_> = (0..in_flight)
                .map(|_| {
                    let (mut client, value) = (self.client(), value.clone());
                    tokio::spawn(async move {
                        for _ in 0..count / in_flight {
                            call(&mut client, &value).await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("the task ends");
            }
            each(begin.elapsed(), count / in_flight * in_flight)
        })
    }

    /// Seconds of one call of Snakepit's protocol, the mean of `count`, each after the other.
    pub(crate) fn tool(&self, value: &Value, count: usize) -> f64 {
        let mut client = self.client();
        self.runtime.block_on(async {
            let task = tokio::spawn({
                let value = value.clone();
                async move {
                    let begin = Instant::now();
                    for _ in 0..count {
                        let json = serde_json::to_vec(&value).expect("it is JSON");
                        let asked = asked(json).encode_to_vec();
                        let reply = unary(&mut client, "/bench.Echo/Tool", asked.into()).await;
                        let reply = Response::decode(reply).expect("it is a response");
                        let json = reply.result.expect("it has a value").value;
                        let reply: Value = serde_json::from_slice(&json).expect("it is JSON");
                        assert_eq!(reply, value);
                    }
                    each(begin.elapsed(), count)
                }
            });
            task.await.expect("the task ends")
        })
    }

    /// Seconds until these bytes have come back.
    pub(crate) fn bytes(&self, bytes: Bytes) -> f64 {
        let length = bytes.len();
        let mut client = self.client();
        let begin = Instant::now();
        let reply = self
            .runtime
            .block_on(unary(&mut client, "/bench.Echo/Bytes", bytes));
        let time = begin.elapsed().as_secs_f64();
        assert_eq!(reply.len(), length);
        time
    }

    fn client(&self) -> Grpc<Channel> {
        Grpc::new(self.channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It leaves at the end of its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

async fn unary(client: &mut Grpc<Channel>, method: &'static str, body: Bytes) -> Bytes {
    client.ready().await.expect("the server is there");
    let method = PathAndQuery::from_static(method);
    let reply = client.unary(Request::new(body), method, Raw).await;
    reply.expect("it answers").into_inner()
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `ExecuteToolRequest`, as far as a call needs it.
#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(string, tag = "2")]
    tool_name: String,
    #[prost(btree_map = "string, message", tag = "3")]
    parameters: BTreeMap<String, Any>,
}

/// `ExecuteToolResponse`, likewise.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(bool, tag = "1")]
    success: bool,
    #[prost(message, optional, tag = "2")]
    result: Option<Any>,
}

fn asked(value: Vec<u8>) -> Asked {
    let type_url = "type.googleapis.com/google.protobuf.StringValue".to_owned();
    Asked {
        tool_name: "echo".to_owned(),
        parameters: BTreeMap::from([("value".to_owned(), Any { type_url, value })]),
    }
}

/// Messages that are bytes as they are.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}
