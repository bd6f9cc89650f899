//! Functions of the program that Python may call, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_core::Serialize;
use serde_core::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::frame::{Kind, Message, encode};
use super::tail::Body;

/// What is sent back: the value, or what went wrong.
type Answer = Pin<Box<dyn Future<Output = Message> + Send>>;

/// Makes the answer to a call with this number and these arguments.
type Function = dyn Fn(u32, Body) -> Answer + Send + Sync;

/// Functions of the program that the Python of a pool may call, also while a call of the pool is running.
///
/// ```
/// use snakepit::HostTools;
///
/// let tools = HostTools::new()
///     .tool("rate", async |currency: String| match &*currency {
///         "EUR" => Ok(1.0),
///         other => Err(format!("no rate of {other}")),
///     })
///     .tool("add", async |(a, b): (i64, i64)| Ok::<_, String>(a + b));
/// # let _ = tools;
/// ```
///
/// In Python:
///
/// ```python
/// from snakepit_bridge import HostError, host
///
/// host.rate("EUR")        # 1.0
/// host.add(1, 2)          # 3
/// host.list()             # ["add", "rate"]
/// await host.add(1, 2)    # on an event loop
/// ```
#[derive(Clone, Default)]
pub struct HostTools {
    functions: BTreeMap<String, Arc<Function>>,
    /// The first name that will not do, and why.
    fault: Option<String>,
}

impl fmt::Debug for HostTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.functions.keys()).finish()
    }
}

impl HostTools {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function. It gets what Python calls it with: no argument as `()`, one as itself, several as a tuple, and
    /// keyword arguments as a map or struct. Its error becomes the text of a `HostError` in Python.
    ///
    /// It runs as a task of the runtime in which the pool was started, beside the others, and goes on to its end when
    /// the tool that called it is cancelled; when the worker ends, it is dropped. A name that is no Python name, that
    /// begins with `_`, that is `list`, or that is there already is an [`Error::Config`](crate::Error::Config) when the
    /// pool starts.
    #[must_use]
    pub fn tool<A, R, E, F>(
        mut self,
        name: impl Into<String>,
        function: impl Fn(A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned,
        R: Serialize,
        E: fmt::Display,
        F: Future<Output = Result<R, E>> + Send + 'static,
    {
        let name = name.into();
        let fault = fault_of(&name).or_else(|| {
            let twice = self.functions.contains_key(&name);
            twice.then(|| format!("there are two host tools `{name}`"))
        });
        self.fault = self.fault.or(fault);
        let function = move |call: u32, args: Body| -> Answer {
            match args.decode() {
                Ok(args) => {
                    let future = function(args);
                    Box::pin(async move {
                        match future.await {
                            Ok(value) => encode(call, Kind::HostReply, &value, None)
                                .unwrap_or_else(|message| refusal(call, &message)),
                            Err(error) => refusal(call, &error.to_string()),
                        }
                    })
                }
                Err(error) => {
                    let message = format!("its arguments are not what it takes: {error}");
                    Box::pin(std::future::ready(refusal(call, &message)))
                }
            }
        };
        self.functions.insert(name, Arc::new(function));
        self
    }

    /// Why they cannot be used.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// Answers a call of a worker.
    pub(super) async fn answer(&self, call: u32, body: Body) -> Message {
        let (name, args) = match serde_json::from_slice::<(String, Box<RawValue>)>(&body.json) {
            Ok(asked) => asked,
            Err(error) => return refusal(call, &format!("the call cannot be read: {error}")),
        };
        let Some(function) = self.functions.get(&name) else {
            let known: Vec<&str> = self.names().collect();
            let message = format!("the host has no tool `{name}`; it has {known:?}");
            return refusal(call, &message);
        };
        let args = Body {
            json: Box::<str>::from(args).into_boxed_bytes().into_vec(),
            buffers: body.buffers,
        };
        function(call, args).await
    }
}

/// What Python raises as a `HostError`.
pub(super) fn refusal(call: u32, message: &str) -> Message {
    // One too long to be sent is cut.
    let end = message.floor_char_boundary(1 << 20);
    encode(call, Kind::HostError, &message[..end], None).expect("a text has a JSON form")
}

fn fault_of(name: &str) -> Option<String> {
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first == '_' || first.is_ascii_digit())
        && name.chars().all(|c| c == '_' || c.is_alphanumeric());
    if !is_name {
        Some(format!(
            "a host tool cannot be named `{name}`: it is called as `host.NAME` in Python"
        ))
    } else if name == "list" {
        Some("a host tool cannot be named `list`: `host.list()` lists them".to_owned())
    } else {
        None
    }
}
