//! The host as a server: what a worker's server calls back.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use prost::Message as Prost;
use serde_json::Value;
use tokio::sync::oneshot;
use tonic::body::Body as HttpBody;
use tonic::codegen::Service;
use tonic::codegen::http;
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::super::frame::{Kind, LIMIT, Message};
use super::super::passage::TaskEnd;
use super::super::tail::{Arrived, Body, MARK};
use super::message::{
    Any, CleanupSessionRequest, CleanupSessionResponse, ExecuteElixirToolRequest,
    ExecuteToolResponse, GetExposedElixirToolsRequest, GetExposedElixirToolsResponse,
    GetSessionRequest, GetSessionResponse, HeartbeatRequest, HeartbeatResponse,
    InitializeSessionRequest, InitializeSessionResponse, PingRequest, PingResponse,
    RegisterToolsRequest, RegisterToolsResponse, Timestamp, ToolSpec,
};
use super::{telemetry, whole};

/// What the calls back of one worker know and change.
#[derive(Debug)]
pub(super) struct Callbacks {
    /// The functions of the program.
    tools: Vec<String>,
    passage: Arc<TaskEnd>,
    calls: AtomicU32,
    waiting: Mutex<HashMap<u32, oneshot::Sender<Message>>>,
    known: Mutex<Known>,
}

/// What the worker told of itself, and what it was told.
#[derive(Debug, Default)]
struct Known {
    tools: BTreeMap<String, String>,
    sessions: BTreeMap<String, (SystemTime, BTreeMap<String, String>)>,
}

impl Callbacks {
    pub(super) fn new(tools: Vec<String>, passage: Arc<TaskEnd>) -> Self {
        Self {
            tools,
            passage,
            calls: AtomicU32::new(0),
            waiting: Mutex::default(),
            known: Mutex::default(),
        }
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tools that the worker registered.
    pub(super) fn registered(&self) -> Vec<String> {
        self.known(|known| known.tools.keys().cloned().collect())
    }

    /// Takes note of a session; whether it was not known before.
    pub(super) fn begin(&self, session: &str, metadata: BTreeMap<String, String>) -> bool {
        self.known(|known| {
            let is_new = !known.sessions.contains_key(session);
            if is_new {
                let begun = (SystemTime::now(), metadata);
                known.sessions.insert(session.to_owned(), begun);
            }
            is_new
        })
    }

    /// Forgets a session; whether it was known.
    pub(super) fn end(&self, session: &str) -> bool {
        self.known(|known| known.sessions.remove(session).is_some())
    }

    /// The pool answered a call of a host tool.
    pub(super) fn answered(&self, message: Message) {
        let call = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&message.request());
        if let Some(call) = call {
            // Who asked may have gone.
            let _ = call.send(message);
        }
    }

    fn ping(&self, request: PingRequest) -> PingResponse {
        PingResponse {
            message: request.message,
            server_time: Some(now()),
        }
    }

    fn initialize(&self, request: InitializeSessionRequest) -> InitializeSessionResponse {
        self.begin(&request.session_id, request.metadata);
        InitializeSessionResponse {
            success: true,
            ..InitializeSessionResponse::default()
        }
    }

    fn cleanup(&self, request: &CleanupSessionRequest) -> CleanupSessionResponse {
        CleanupSessionResponse {
            success: self.end(&request.session_id),
            resources_cleaned: 0,
        }
    }

    fn session(&self, request: GetSessionRequest) -> Result<GetSessionResponse, Status> {
        let found = self.known(|known| {
            let count = i32::try_from(known.tools.len()).unwrap_or(i32::MAX);
            let (begun, metadata) = known.sessions.get(&request.session_id)?;
            Some((timestamp(*begun), metadata.clone(), count))
        });
        let (created_at, metadata, tool_count) = found
            .ok_or_else(|| Status::not_found(format!("no session `{}`", request.session_id)))?;
        Ok(GetSessionResponse {
            session_id: request.session_id,
            metadata,
            created_at: Some(created_at),
            tool_count,
        })
    }

    fn heartbeat(&self, request: &HeartbeatRequest) -> HeartbeatResponse {
        HeartbeatResponse {
            server_time: Some(now()),
            session_valid: self.known(|known| known.sessions.contains_key(&request.session_id)),
        }
    }

    fn register(&self, request: RegisterToolsRequest) -> RegisterToolsResponse {
        let worker = request.worker_id;
        let ids: BTreeMap<String, String> = request
            .tools
            .into_iter()
            .map(|tool| (tool.name.clone(), format!("{worker}:{}", tool.name)))
            .collect();
        self.known(|known| known.tools.extend(ids.clone()));
        RegisterToolsResponse {
            success: true,
            tool_ids: ids,
            error_message: String::new(),
        }
    }

    fn exposed(&self) -> GetExposedElixirToolsResponse {
        let spec = |name: &String| ToolSpec {
            name: name.clone(),
            ..ToolSpec::default()
        };
        GetExposedElixirToolsResponse {
            tools: self.tools.iter().map(spec).collect(),
        }
    }

    /// Has the pool run a function of the program; what comes of it is told by [`Callbacks::answered`].
    async fn execute(
        &self,
        mut request: ExecuteElixirToolRequest,
    ) -> Result<ExecuteToolResponse, Status> {
        if let Some(asked) = request.parameters.remove("") {
            let tail = request.parameters.remove(whole::TAIL);
            let tail = tail.map_or_else(Vec::new, |tail| tail.value);
            return self.ask(asked.value, &tail).await.map(whole_answer);
        }
        let named = request.parameters.iter().map(|(name, value)| {
            let value = std::str::from_utf8(&value.value);
            let value = value.map_err(|error| Status::invalid_argument(error.to_string()))?;
            Ok(format!("{}:{value}", Value::from(name.as_str())))
        });
        let named: Vec<String> = named.collect::<Result<_, Status>>()?;
        let arguments = match &named[..] {
            // No argument is `()`, as from every worker.
            [] => "null".to_owned(),
            named => format!("{{{}}}", named.join(",")),
        };
        let json = format!("[{},{arguments}]", Value::from(request.tool_name));
        self.ask(json.into_bytes(), &[]).await.map(host_answer)
    }

    /// Sends a call to the pool, and waits for what comes of it.
    async fn ask(&self, json: Vec<u8>, tail: &[u8]) -> Result<Message, Status> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let asked =
            whole::framed(call, Kind::HostCall, json, tail).map_err(Status::invalid_argument)?;
        let (sender, answer) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(call, sender);
        self.passage.send([asked]);
        answer
            .await
            .map_err(|_| Status::unavailable("the pool has ended"))
    }
}

/// The same for our own bridge, with the buffers behind it.
fn whole_answer(message: Message) -> ExecuteToolResponse {
    if message.kind() == Some(Kind::HostError) {
        return host_answer(message);
    }
    ExecuteToolResponse {
        success: true,
        result: Some(Any::json(message.json())),
        binary_result: message.tail.concat(),
        ..ExecuteToolResponse::default()
    }
}

/// What a function of the program gave.
fn host_answer(message: Message) -> ExecuteToolResponse {
    if message.kind() == Some(Kind::HostError) {
        return failed(serde_json::from_slice(message.json()).unwrap_or_default());
    }
    let Body { json, buffers } = match message.body() {
        Ok(body) => body,
        Err(error) => return failed(error),
    };
    let done = ExecuteToolResponse {
        success: true,
        ..ExecuteToolResponse::default()
    };
    let buffers = buffers.into_iter().map(Arrived::take);
    match buffers.collect::<Result<Vec<_>, _>>().as_deref() {
        Ok([]) => ExecuteToolResponse {
            result: Some(Any::json(json)),
            ..done
        },
        Ok([bytes]) if json == format!("1e{}0", *MARK).as_bytes() => ExecuteToolResponse {
            binary_result: bytes.as_bytes().to_vec(),
            ..done
        },
        Ok(_) => failed("in this protocol bytes are the whole value, not a part of it".to_owned()),
        Err(error) => failed(error.clone()),
    }
}

fn failed(error_message: String) -> ExecuteToolResponse {
    ExecuteToolResponse {
        error_message,
        ..ExecuteToolResponse::default()
    }
}

fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The service on the wire.
#[derive(Debug, Clone)]
pub(super) struct Host(pub(super) Arc<Callbacks>);

impl Service<http::Request<HttpBody>> for Host {
    type Response = http::Response<HttpBody>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<HttpBody>) -> Self::Future {
        let host = self.0.clone();
        let path = request.uri().path();
        match path.strip_prefix("/snakepit.bridge.BridgeService/") {
            Some("Ping") => unary(request, async move |asked| Ok(host.ping(asked))),
            Some("InitializeSession") => {
                unary(request, async move |asked| Ok(host.initialize(asked)))
            }
            Some("CleanupSession") => unary(request, async move |asked| Ok(host.cleanup(&asked))),
            Some("GetSession") => unary(request, async move |asked| host.session(asked)),
            Some("Heartbeat") => unary(request, async move |asked| Ok(host.heartbeat(&asked))),
            Some("RegisterTools") => unary(request, async move |asked| Ok(host.register(asked))),
            Some("GetExposedElixirTools") => {
                unary(request, async move |_: GetExposedElixirToolsRequest| {
                    Ok(host.exposed())
                })
            }
            Some("ExecuteElixirTool") => {
                unary(request, async move |asked| host.execute(asked).await)
            }
            Some("StreamTelemetry") => Box::pin(async move { Ok(telemetry::serve(request).await) }),
            _ => {
                let status = Status::unimplemented(format!("the host has no `{path}`"));
                Box::pin(async move { Ok(status.into_http()) })
            }
        }
    }
}

/// One call: read, answered by `answer`, written.
fn unary<Q, R, F>(
    request: http::Request<HttpBody>,
    answer: impl FnOnce(Q) -> F + Send + 'static,
) -> Boxed<Result<http::Response<HttpBody>, Infallible>>
where
    Q: Prost + Default + 'static,
    R: Prost + Default + 'static,
    F: Future<Output = Result<R, Status>> + Send + 'static,
{
    Box::pin(async move {
        let mut grpc = Grpc::new(ProstCodec::<R, Q>::default())
            .max_decoding_message_size(LIMIT)
            .max_encoding_message_size(LIMIT);
        Ok(grpc.unary(Once(Some(answer)), request).await)
    })
}

/// A method that is called once.
struct Once<A>(Option<A>);

impl<Q, R, F, A> UnaryService<Q> for Once<A>
where
    R: Prost + Default + 'static,
    Q: Send + 'static,
    A: FnOnce(Q) -> F,
    F: Future<Output = Result<R, Status>> + Send + 'static,
{
    type Response = R;
    type Future = Boxed<Result<Response<R>, Status>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let answer = self.0.take().map(|answer| answer(request.into_inner()));
        Box::pin(async move {
            match answer {
                Some(answer) => answer.await.map(Response::new),
                None => Err(Status::internal("a call is answered once")),
            }
        })
    }
}
