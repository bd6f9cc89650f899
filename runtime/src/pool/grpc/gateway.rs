//! Between the frames of the pool and the calls of a server: to the pool it is a worker like any other, that begins its
//! requests in order, at most `room` at a time, and answers every one.

use std::collections::{HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, Semaphore};
use tonic::{Code, Status};

use super::super::connection::Arrival;
use super::super::frame::{Frame, Kind, Message};
use super::super::passage::TaskEnd;
use super::client::{Client, in_words, is_lost, method};
use super::message::{
    CleanupSessionRequest, CleanupSessionResponse, ExecuteToolRequest, InitializeSessionRequest,
    InitializeSessionResponse, PingRequest, PingResponse,
};
use super::service::Callbacks;
use super::value::{self, Asked};
use super::whole;

/// Serves the pool with one server.
pub(super) struct Gateway {
    pub(super) passage: Arc<TaskEnd>,
    pub(super) client: Client,
    pub(super) callbacks: Arc<Callbacks>,
    /// The session of requests that belong to none.
    pub(super) home: Arc<str>,
    pub(super) room: usize,
    /// It is our own bridge, which takes requests as they are.
    pub(super) takes_whole: bool,
}

/// A request that the server does not have yet.
struct Waiting {
    message: Message,
    /// Nobody wants it any more. It is answered in its turn: to the pool only what is next can have been answered.
    is_cancelled: bool,
}

/// A request that the server has.
#[derive(Debug, Default)]
struct Running {
    /// Nobody wants it any more.
    cancel: Notify,
    /// Items that the pool has room for.
    credit: Option<Semaphore>,
}

/// The connection to the server has gone, and what was seen of it.
pub(super) struct Lost(pub(super) String);

impl Lost {
    fn of(status: &Status) -> Self {
        let (name, message) = in_words(status);
        Self(format!("{name}: {message}"))
    }
}

/// Calls of the server that are under way; each ends with the request that it was for, if it was for one. They run in
/// the task of the gateway: as tasks of their own they would have threads woken that find nothing to do. One that panics
/// takes the gateway with it, and the pool takes the worker for one that has gone.
type Calls = FuturesUnordered<Pin<Box<dyn Future<Output = Result<Option<u32>, Lost>> + Send>>>;

impl Gateway {
    /// Until the pool says that nothing follows and all is answered, or the server is lost.
    ///
    /// # Errors
    /// The server is lost.
    pub(super) async fn run(self) -> Result<(), Lost> {
        let mut waiting = VecDeque::new();
        let mut running: HashMap<u32, Arc<Running>> = HashMap::new();
        let mut calls = Calls::new();
        let mut is_open = true;
        while is_open || !running.is_empty() || !waiting.is_empty() {
            tokio::select! {
                () = self.passage.readable(), if is_open => {
                    let arrival = self.passage.receive(&mut |message| {
                        self.hear(message, &mut waiting, &running, &calls);
                    });
                    is_open = !matches!(arrival, Arrival::End);
                }
                Some(ended) = calls.next() => {
                    if let Some(request) = ended? {
                        running.remove(&request);
                    }
                }
            }
            while running.len() < self.room {
                let Some(next) = waiting.pop_front() else {
                    break;
                };
                if next.is_cancelled {
                    let answer = value::error(next.message.request(), value::cancelled());
                    self.passage.send([answer]);
                } else {
                    self.begin(&next.message, &mut running, &calls);
                }
            }
        }
        Ok(())
    }

    fn hear(
        &self,
        message: Message,
        waiting: &mut VecDeque<Waiting>,
        running: &HashMap<u32, Arc<Running>>,
        calls: &Calls,
    ) {
        let request = message.request();
        match message.kind() {
            Some(Kind::Request) => waiting.push_back(Waiting {
                message,
                is_cancelled: false,
            }),
            Some(Kind::Cancel) => {
                let mut unbegun = waiting.iter_mut();
                if let Some(found) = unbegun.find(|unbegun| unbegun.message.request() == request) {
                    found.is_cancelled = true;
                } else if let Some(running) = running.get(&request) {
                    running.cancel.notify_one();
                }
            }
            Some(Kind::Credit) => {
                let credit = running.get(&request);
                let credit = credit.and_then(|running| running.credit.as_ref());
                let count = serde_json::from_slice::<u32>(message.json());
                if let (Some(credit), Ok(count)) = (credit, count) {
                    credit.add_permits(count as usize);
                }
            }
            Some(Kind::HostReply | Kind::HostError) => self.callbacks.answered(message),
            Some(Kind::Ping) => {
                let (client, passage) = (self.client.clone(), self.passage.clone());
                calls.push(Box::pin(async move {
                    match ping(&client).await {
                        Err(status) if is_lost(&status) => return Err(Lost::of(&status)),
                        Err(_) => {}
                        Ok(_) => {
                            passage.send([value::frame(request, Kind::Pong, "null")]);
                        }
                    }
                    Ok(None)
                }));
            }
            // What a server behind this protocol is never told.
            _ => {}
        }
    }

    fn begin(&self, message: &Message, running: &mut HashMap<u32, Arc<Running>>, calls: &Calls) {
        let request = message.request();
        let asked = if self.takes_whole {
            whole::asked(message)
        } else {
            let body = message.body().map_err(|error| value::unfit(&error));
            body.and_then(|body| Asked::read(body, &self.home))
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(fault) => return self.passage.send([value::error(request, fault)]),
        };
        let credit = match &asked {
            Asked::Stream(_, credit) => {
                Some(Semaphore::new((*credit).min(Semaphore::MAX_PERMITS / 2)))
            }
            _ => None,
        };
        let state = Arc::new(Running {
            credit,
            ..Running::default()
        });
        running.insert(request, state.clone());
        let call = Call {
            request,
            state,
            client: self.client.clone(),
            passage: self.passage.clone(),
            takes_whole: self.takes_whole,
        };
        let is_end = matches!(asked, Asked::End(_));
        let session = asked.session();
        let begins =
            !is_end && !self.takes_whole && self.callbacks.begin(session, Default::default());
        let begins = begins.then(|| session.to_owned());
        let knew = !is_end || self.callbacks.end(session);
        calls.push(Box::pin(async move {
            let outcome = match asked {
                // Its calls were cancelled before they began.
                Asked::End(_) if !knew => Ok(value::nothing(request)),
                asked => call.run(asked, begins).await,
            };
            match outcome {
                Ok(last) => {
                    call.passage.send([last]);
                    Ok(Some(request))
                }
                Err(status) if is_lost(&status) || call.is_deaf(&status).await => {
                    Err(Lost::of(&status))
                }
                Err(status) => {
                    let (name, message) = in_words(&status);
                    let told = value::exception(&name, &message, "");
                    call.passage.send([value::error(request, told)]);
                    Ok(Some(request))
                }
            }
        }));
    }
}

/// One request on its way.
struct Call {
    request: u32,
    state: Arc<Running>,
    client: Client,
    passage: Arc<TaskEnd>,
    takes_whole: bool,
}

type Last = Result<Frame, Status>;

impl Call {
    /// Whether it is the server as a whole that is not available, and not what this call is about.
    async fn is_deaf(&self, status: &Status) -> bool {
        status.code() == Code::Unavailable && ping(&self.client).await.is_err()
    }

    /// The last frame of the request. `begins` is a session that the server does not know yet.
    async fn run(&self, asked: Asked, begins: Option<String>) -> Last {
        if let Some(session) = begins {
            initialize(&self.client, &session).await?;
        }
        match asked {
            Asked::Call(request) if self.takes_whole => {
                let mut call = pin!(self.client.execute(request));
                let response = tokio::select! {
                    response = &mut call => response?,
                    () = self.state.cancel.notified() => {
                        self.cancel().await?;
                        call.await?
                    }
                };
                Ok(whole::answer(self.request, response))
            }
            Asked::Stream(request, _) if self.takes_whole => self.whole_stream(request).await,
            // Nothing in the protocol interrupts a tool. To tear the call down would leave it running unseen: it keeps
            // its place, and the pool ends a server that takes too long.
            Asked::Call(request) => {
                let response = self.client.execute(request).await?;
                Ok(value::answer(self.request, response))
            }
            Asked::Stream(request, _) => self.stream(request).await,
            Asked::End(session_id) => {
                let asked = CleanupSessionRequest {
                    session_id,
                    force: false,
                };
                let _: CleanupSessionResponse =
                    self.client.call(method!("CleanupSession"), asked).await?;
                Ok(value::nothing(self.request))
            }
        }
    }

    /// Has the bridge interrupt the tool. Its place is free when it has answered.
    async fn cancel(&self) -> Result<(), Status> {
        let mut done = self.client.stream(whole::cancel(self.request)).await?;
        while done.message().await?.is_some() {}
        Ok(())
    }

    /// A stream of the bridge: one that nobody reads any more is cancelled, and read to its end.
    async fn whole_stream(&self, request: ExecuteToolRequest) -> Last {
        let mut chunks = self.client.stream(request).await?;
        let mut is_cancelled = false;
        loop {
            let chunk = tokio::select! {
                chunk = chunks.message() => chunk?,
                () = self.state.cancel.notified(), if !is_cancelled => {
                    is_cancelled = true;
                    self.cancel().await?;
                    continue;
                }
            };
            let Some(chunk) = chunk else {
                let told = value::odd("its stream ended without a final chunk");
                return Ok(value::error(self.request, told));
            };
            let is_final = chunk.is_final;
            let frame = whole::chunk(self.request, chunk);
            if is_final {
                return Ok(frame);
            }
            let Some(credit) = self.state.credit.as_ref().filter(|_| !is_cancelled) else {
                continue;
            };
            tokio::select! {
                // It is never closed, and what is taken is taken for good.
                room = credit.acquire() => {
                    room.expect("nobody closes it").forget();
                    self.passage.send([frame]);
                }
                () = self.state.cancel.notified() => {
                    is_cancelled = true;
                    self.cancel().await?;
                }
            }
        }
    }

    /// A stream that nobody reads any more is torn down, which ends the tool where it next gives an item.
    async fn stream(&self, request: ExecuteToolRequest) -> Last {
        tokio::select! {
            last = self.items(request) => last,
            () = self.state.cancel.notified() => {
                Ok(value::error(self.request, value::cancelled()))
            }
        }
    }

    async fn items(&self, request: ExecuteToolRequest) -> Last {
        let mut chunks = self.client.stream(request).await?;
        let credit = self.state.credit.as_ref();
        loop {
            if let Some(credit) = credit {
                let room = credit.acquire().await;
                // It is never closed, and what is taken is taken for good.
                room.expect("nobody closes it").forget();
            }
            let Some(chunk) = chunks.message().await? else {
                let told = value::odd("its stream ended without a final chunk");
                return Ok(value::error(self.request, told));
            };
            let is_final = chunk.is_final;
            if let Some(failed) = chunk.metadata.get("error") {
                let told = value::exception("Error", failed, "");
                return Ok(value::error(self.request, told));
            }
            if let Some(item) = value::item(self.request, chunk) {
                self.passage.send([item]);
            } else if let (Some(credit), false) = (credit, is_final) {
                credit.add_permits(1);
            }
            if is_final {
                return Ok(value::nothing(self.request));
            }
        }
    }
}

/// Asks the server for a sign of life.
pub(super) async fn ping(client: &Client) -> Result<(), Status> {
    let asked = PingRequest {
        message: "ping".to_owned(),
    };
    let _: PingResponse = client.call(method!("Ping"), asked).await?;
    Ok(())
}

/// Begins a session; the names of the tools that the server says it has.
pub(super) async fn initialize(client: &Client, session: &str) -> Result<Vec<String>, Status> {
    let asked = InitializeSessionRequest {
        session_id: session.to_owned(),
        ..InitializeSessionRequest::default()
    };
    let answer: Result<InitializeSessionResponse, Status> =
        client.call(method!("InitializeSession"), asked).await;
    match answer {
        Ok(answer) if answer.success => Ok(answer.available_tools.into_keys().collect()),
        Ok(answer) => Err(Status::failed_precondition(format!(
            "session `{session}` does not begin: {}",
            answer.error_message
        ))),
        // Many servers have no use for it.
        Err(status) if status.code() == Code::Unimplemented => Ok(Vec::new()),
        Err(status) => Err(status),
    }
}
