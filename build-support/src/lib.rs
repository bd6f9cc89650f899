//! The build script's side of Snakepit: finds the Python environment of every declared pool, checks it and writes
//! what the macro turns into constants. Nothing here runs a worker.
//!
//! [`emit`] is all that most programs need. [`Builder`] takes further source files, and environments of the program's
//! own: these implement [`PythonEnvironment`] and look at the machine through a [`Host`]. The modules that are public
//! and hidden are for the macro, the command line and this project's own tests: they change without notice.
//!
//! ```no_run
//! // in the `main` of build.rs
//! snakepit_build::emit();
//! ```
#![deny(missing_docs)]

mod adapter;
#[doc(hidden)]
pub mod anchor;
mod builder;
#[doc(hidden)]
pub mod cache;
mod catalogue;
#[doc(hidden)]
pub mod choice;
#[doc(hidden)]
pub mod declaration;
#[doc(hidden)]
pub mod declare;
mod demand;
#[doc(hidden)]
pub mod detector;
mod diagnostic;
mod digest;
mod distribution;
mod document;
mod elsewhere;
mod environment;
mod fingerprint;
#[doc(hidden)]
pub mod host;
mod json;
#[doc(hidden)]
pub mod known;
mod lock;
mod machine;
#[doc(hidden)]
pub mod manifest;
mod marker;
mod memo;
#[doc(hidden)]
pub mod named;
mod offline;
mod ordered;
mod origin;
#[doc(hidden)]
pub mod outcome;
#[doc(hidden)]
pub mod package;
#[doc(hidden)]
pub mod probe;
mod recorder;
mod remedy;
mod replace;
mod requirement;
#[doc(hidden)]
pub mod resolver;
mod said;
mod script;
mod search_path;
mod shell;
mod specifier;
#[doc(hidden)]
pub mod sysroot;
mod tilde;
mod upgrade;
mod validator;
mod version;
mod wire;
mod written;

#[doc(hidden)]
pub use adapter::FOREIGN;
pub use builder::{Builder, Refused, emit};
pub use catalogue::Code;
pub use diagnostic::Diagnostic;
pub use environment::{Config, Elsewhere, ExtraMetadata, Launch, PythonEnvironment};
pub use host::{Answer, FileInfo, Host, Program};
pub use lock::{Difference, Lock};
pub use machine::Machine;
pub use manifest::EnvOp;
pub use probe::Interpreter;
#[doc(hidden)]
pub use shell::quoted;
