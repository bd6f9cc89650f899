//! The host as a client of a worker's server.

use std::error::Error;

use prost::Message;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::super::frame::LIMIT;
use super::message::{ExecuteToolRequest, ExecuteToolResponse, ToolChunk};

/// A method of the service, as it is called on the wire.
macro_rules! method {
    ($name:literal) => {
        tonic::codegen::http::uri::PathAndQuery::from_static(concat!(
            "/snakepit.bridge.BridgeService/",
            $name
        ))
    };
}
pub(super) use method;

/// How much of a stream may be on its way, in bytes.
const WINDOW: u32 = 64 << 10;

/// Calls one server; a clone calls the same one, over the same connection.
#[derive(Debug, Clone)]
pub(super) struct Client(Grpc<Channel>);

impl Client {
    /// # Errors
    /// Nobody listens there, or not on HTTP/2.
    pub(super) async fn connect(address: String) -> Result<Self, tonic::transport::Error> {
        // Without a wait for more to send: calls are small. What a generator is ahead of its reader is in the window.
        let endpoint = Endpoint::from_shared(address)?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW);
        let channel = endpoint.connect().await?;
        let client = Grpc::new(channel)
            .max_decoding_message_size(LIMIT)
            .max_encoding_message_size(LIMIT);
        Ok(Self(client))
    }

    /// One that has room for a call.
    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut client = self.0.clone();
        let ready = client.ready().await;
        ready.map_err(|error| Status::from_error(error.into()))?;
        Ok(client)
    }

    pub(super) async fn call<Q, R>(&self, method: PathAndQuery, request: Q) -> Result<R, Status>
    where
        Q: Message + Default + 'static,
        R: Message + Default + 'static,
    {
        let codec = ProstCodec::<Q, R>::default();
        let mut client = self.ready().await?;
        let reply = client.unary(Request::new(request), method, codec).await?;
        Ok(reply.into_inner())
    }

    pub(super) async fn execute(
        &self,
        request: ExecuteToolRequest,
    ) -> Result<ExecuteToolResponse, Status> {
        self.call(method!("ExecuteTool"), request).await
    }

    pub(super) async fn stream(
        &self,
        request: ExecuteToolRequest,
    ) -> Result<Streaming<ToolChunk>, Status> {
        let codec = ProstCodec::<ExecuteToolRequest, ToolChunk>::default();
        let method = method!("ExecuteStreamingTool");
        let mut client = self.ready().await?;
        let reply = client
            .server_streaming(Request::new(request), method, codec)
            .await?;
        Ok(reply.into_inner())
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Whether it was not the server's answer: the connection has gone, or its end of the call was torn down.
pub(super) fn is_lost(status: &Status) -> bool {
    status.source().is_some()
}

/// The status as Python calls it, and in words.
pub(super) fn in_words(status: &Status) -> (String, String) {
    let name: String = format!("{:?}", status.code())
        .chars()
        .enumerate()
        .flat_map(|(index, c)| {
            let between = (index > 0 && c.is_uppercase()).then_some('_');
            between.into_iter().chain(c.to_uppercase())
        })
        .collect();
    let message = match status.message() {
        "" => Code::description(&status.code()).to_owned(),
        message => message.to_owned(),
    };
    (format!("grpc.StatusCode.{name}"), message)
}
