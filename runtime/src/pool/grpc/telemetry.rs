//! `StreamTelemetry` of the host: what a worker asks to be told of is read, and the host has no events of its own.

use std::future::{self, Ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tonic::body::Body as HttpBody;
use tonic::codegen::http;
use tonic::codegen::tokio_stream::Stream;
use tonic::server::{Grpc, StreamingService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::message::{TelemetryControl, TelemetryEvent};

/// Serves one call, which ends well once the worker has nothing more to ask.
pub(super) async fn serve(request: http::Request<HttpBody>) -> http::Response<HttpBody> {
    let codec = ProstCodec::<TelemetryEvent, TelemetryControl>::default();
    Grpc::new(codec).streaming(Telemetry, request).await
}

struct Telemetry;

impl StreamingService<TelemetryControl> for Telemetry {
    type Response = TelemetryEvent;
    type ResponseStream = Events;
    type Future = Ready<Result<Response<Events>, Status>>;

    fn call(&mut self, request: Request<Streaming<TelemetryControl>>) -> Self::Future {
        future::ready(Ok(Response::new(Events(request.into_inner()))))
    }
}

/// No event, as long as the worker asks.
struct Events(Streaming<TelemetryControl>);

impl Stream for Events {
    type Item = Result<TelemetryEvent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_next(context)) {
                Some(Ok(_)) => {}
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            }
        }
    }
}
