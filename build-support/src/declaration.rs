//! What one `#[snakepit_pools]` struct asks for, as data. The parser that makes it is `declare`; nothing here
//! looks at the machine.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::Span;
use syn::{Attribute, Ident};

use crate::declare::Mistake;
use crate::json::Value;
use crate::wire::{Written, holding, written};

/// One annotated struct.
#[derive(Clone)]
pub struct Declaration {
    /// The struct's name.
    pub name: String,
    /// Its pools, in the order of the fields.
    pub pools: Vec<PoolDeclaration>,
    /// The constants of all its pools, those with mistakes too; one whose name was taken already is left out.
    pub constants: Vec<Constant>,
    /// The fields whose `#[pool]` has a mistake: they are none of the pools.
    pub unread: Vec<Ident>,
    /// What is wrong with the struct and its attributes.
    pub mistakes: Vec<Mistake>,
}

/// The constant of a field that carries `#[pool]`.
#[derive(Clone)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Which of the struct's fields it belongs to.
    pub field: usize,
    /// The field's own attributes `#[cfg(...)]`.
    pub conditions: Vec<Attribute>,
}

/// One field that carries `#[pool]`.
#[derive(Clone)]
pub struct PoolDeclaration {
    /// The field's name, without `r#`.
    pub name: String,
    /// Which of the struct's fields it is.
    pub field: usize,
    /// Its attributes `#[cfg(...)]` and those of the struct.
    pub conditions: Vec<Attribute>,
    /// Everything that decides what the pool is; its JSON is the pool's key in the manifest.
    pub request: Request,
    /// Where each part stands in the source; the last resort is the field's attribute.
    pub spans: BTreeMap<String, Span>,
}

/// Everything about a pool that a build script resolves or that the macro writes into the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The pool's name: errors and specs carry it.
    pub pool: String,
    /// `auto`, `system`, `uv`, ..., or `custom`.
    pub kind: String,
    /// For `custom("name", ...)`: the registered name.
    pub custom: Option<String>,
    /// The kind's options, as text.
    pub options: BTreeMap<String, String>,
    /// `launch = manager` instead of `direct`.
    pub manager_launch: bool,
    /// A version specifier such as `>=3.11`, which the interpreter must meet.
    pub python: Option<String>,
    /// Requirement strings such as `numpy>=2`.
    pub requires: Vec<String>,
    /// The user's Python module.
    pub adapter: Option<Adapter>,
    /// Folders put before `sys.path`, relative to the package.
    pub python_path: Vec<String>,
    /// How the program and its workers talk.
    pub transport: Transport,
    /// The script of a gRPC server, relative to the package.
    pub server: Option<String>,
    /// Its arguments, behind those that every server gets.
    pub server_args: Vec<String>,
    /// Environment variables of the worker.
    pub env: BTreeMap<String, String>,
    /// How one worker runs its requests.
    pub profile: Profile,
    /// Workers.
    pub size: u32,
    /// Longest wait for a worker's ready message, in milliseconds.
    pub startup_timeout_ms: u64,
    /// Longest run of one request, in milliseconds.
    pub execute_timeout_ms: u64,
    /// Longest time that a cancelled tool may take to stop, in milliseconds.
    pub cancel_timeout_ms: u64,
    /// What the calls of a session do when its worker is busy or gone.
    pub affinity: Affinity,
    /// Whether values that cannot be sent are replaced by a marker with their type.
    pub lenient: bool,
    /// Time without a call after which a session ends, in milliseconds.
    pub session_timeout_ms: u64,
    /// Longest wait for a worker to leave at shutdown, in milliseconds.
    pub shutdown_timeout_ms: u64,
    /// Requests that may wait before `QueueFull`.
    pub queue_limit: u32,
    /// When workers are replaced, and how they are ended.
    pub supervision: Supervision,
}

written!(Request {
    pool,
    kind,
    custom,
    options,
    manager_launch,
    python,
    requires,
    adapter,
    python_path,
    transport,
    server,
    server_args,
    env,
    profile,
    size,
    startup_timeout_ms,
    execute_timeout_ms,
    cancel_timeout_ms,
    affinity,
    lenient,
    session_timeout_ms,
    shutdown_timeout_ms,
    queue_limit,
    supervision
});

/// When workers are replaced, and how they are ended. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// Pause before a failed start is tried again; each further one is twice as long.
    pub restart_delay_ms: u64,
    /// The longest of these pauses.
    pub max_restart_delay_ms: u64,
    /// Failures of one worker within the window before it is `Degraded`.
    pub max_restarts: u32,
    /// How far back failures count.
    pub restart_window_ms: u64,
    /// Requests after which a worker is replaced.
    pub max_requests: Option<u32>,
    /// Age at which a worker is replaced.
    pub max_age_ms: Option<u64>,
    /// Resident memory, in bytes, above which a worker is replaced.
    pub max_memory: Option<u64>,
    /// How long a worker may give no sign of life.
    pub heartbeat_timeout_ms: Option<u64>,
    /// Time between `SIGTERM` and `SIGKILL`.
    pub kill_timeout_ms: u64,
}

written!(Supervision {
    restart_delay_ms,
    max_restart_delay_ms,
    max_restarts,
    restart_window_ms,
    max_requests,
    max_age_ms,
    max_memory,
    heartbeat_timeout_ms,
    kill_timeout_ms
});

impl Default for Supervision {
    fn default() -> Self {
        Self {
            restart_delay_ms: 100,
            max_restart_delay_ms: 10_000,
            max_restarts: 5,
            restart_window_ms: 60_000,
            max_requests: None,
            max_age_ms: None,
            max_memory: None,
            // A long computation in C that holds the GIL looks the same as a hang, and what hangs while it runs a
            // request is ended by the time limits. So it is for the user to say that there is no such computation.
            heartbeat_timeout_ms: None,
            kill_timeout_ms: 1_000,
        }
    }
}

/// The user's Python module, or a class in it, and where its source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adapter {
    /// The dotted name of a module that the interpreter finds: `package.module`, or `package.module:Class`.
    Module(String),
    /// A Python file, relative to the package, whose source is compiled into the program: `tools.py`, or
    /// `tools.py:Class`.
    Embed(String),
}

impl Written for Adapter {
    fn tree(&self) -> Value {
        match self {
            Self::Module(name) => holding("module", name.tree()),
            Self::Embed(path) => holding("embed", path.tree()),
        }
    }
}

impl Adapter {
    /// Whether its source is compiled into the program.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Embed(_))
    }

    /// The name that it is imported by; that of an embedded file is its stem.
    pub fn module(&self) -> &str {
        let (place, _) = self.parts();
        match self {
            Self::Module(_) => place,
            Self::Embed(_) => {
                let stem = Path::new(place).file_stem().and_then(|stem| stem.to_str());
                stem.unwrap_or_default()
            }
        }
    }

    /// The class whose methods are the tools, where it is not the functions of the module.
    pub fn class(&self) -> Option<&str> {
        self.parts().1
    }

    /// The file to embed.
    pub fn file(&self) -> Option<&str> {
        self.is_embedded().then(|| self.parts().0)
    }

    /// As a worker is told it: `module` or `module:Class`.
    pub fn name(&self) -> String {
        let class = self.class().map(|class| format!(":{class}"));
        format!("{}{}", self.module(), class.unwrap_or_default())
    }

    /// What stands before the colon, and behind it.
    fn parts(&self) -> (&str, Option<&str>) {
        let (Self::Module(text) | Self::Embed(text)) = self;
        let colon = match self {
            Self::Module(_) => text.find(':'),
            // The folder of a file may have one, too.
            Self::Embed(_) => text.rfind(".py:").map(|dot| dot + 3),
        };
        match colon {
            Some(colon) => (&text[..colon], Some(&text[colon + 1..])),
            None => (text, None),
        }
    }
}

/// How the program and its workers talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Through two sockets of their own.
    Sockets,
    /// Workers are gRPC servers.
    Grpc,
}

impl Written for Transport {
    fn tree(&self) -> Value {
        Value::from(match self {
            Self::Sockets => "sockets",
            Self::Grpc => "grpc",
        })
    }
}

/// How a worker runs its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// One at a time.
    Process,
    /// So many at a time, each in a thread.
    Thread(u32),
    /// So many at a time, on one event loop.
    Async(u32),
}

impl Written for Profile {
    fn tree(&self) -> Value {
        match self {
            Self::Process => Value::from("process"),
            Self::Thread(threads) => holding("thread", threads.tree()),
            Self::Async(concurrency) => holding("async", concurrency.tree()),
        }
    }
}

/// What the calls of a session do when its worker is busy or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// They go to another worker.
    Hint,
    /// They wait for it while it is busy.
    StrictQueue,
    /// They fail while it is busy.
    StrictFailFast,
}

impl Written for Affinity {
    fn tree(&self) -> Value {
        Value::from(match self {
            Self::Hint => "hint",
            Self::StrictQueue => "strict_queue",
            Self::StrictFailFast => "strict_fail_fast",
        })
    }
}

impl Request {
    /// What a bare `#[pool]` asks for.
    pub fn new(pool: impl Into<String>) -> Self {
        Self {
            pool: pool.into(),
            kind: "auto".to_owned(),
            custom: None,
            options: BTreeMap::new(),
            manager_launch: false,
            python: None,
            requires: Vec::new(),
            adapter: None,
            python_path: Vec::new(),
            transport: Transport::Sockets,
            server: None,
            server_args: Vec::new(),
            env: BTreeMap::new(),
            profile: Profile::Process,
            size: 1,
            startup_timeout_ms: 30_000,
            execute_timeout_ms: 30_000,
            cancel_timeout_ms: 1_000,
            affinity: Affinity::Hint,
            lenient: false,
            session_timeout_ms: 3_600_000,
            shutdown_timeout_ms: 5_000,
            queue_limit: 1024,
            supervision: Supervision::default(),
        }
    }

    /// The key of what is asked for: canonical JSON, not the source text.
    pub fn key(&self) -> String {
        self.tree().to_string()
    }
}

impl PoolDeclaration {
    /// The pool's key in the manifest.
    pub fn key(&self) -> String {
        self.request.key()
    }

    /// The span of a part (`environment`, `option:venv_path`, `python`, `requires:0`, `adapter`). An option that is
    /// not written down belongs to its environment, and everything else to the pool.
    pub fn span(&self, place: &str) -> Span {
        let around = match place.split_once(':') {
            Some(("option", _)) => "environment",
            Some((key, _)) => key,
            None => "pool",
        };
        [place, around, "pool"]
            .iter()
            .find_map(|place| self.spans.get(*place))
            .copied()
            .unwrap_or_else(Span::call_site)
    }
}

/// The name of a pool's constant.
pub fn constant(pool: &str) -> String {
    pool.to_uppercase()
}
