//! The build script's side of Snakepit: finds the Python environment of every declared pool, checks it and writes
//! what the macro turns into constants. Nothing here runs a worker.
//!
//! The modules stand in the order of the data: declare, detect, probe, resolve, manifest.
//!
//! ```no_run
//! // in the `main` of build.rs
//! snakepit_build::emit();
//! ```

mod adapter;
mod builder;
mod catalogue;
mod choice;
pub mod declaration;
pub mod declare;
mod demand;
pub mod detector;
mod diagnostic;
mod distribution;
mod document;
mod elsewhere;
pub mod environment;
pub mod host;
pub mod manifest;
mod marker;
mod memo;
mod origin;
pub mod probe;
mod recorder;
mod remedy;
mod requirement;
pub mod resolver;
mod script;
mod search_path;
mod specifier;
mod upgrade;
mod validator;
mod version;
mod wire;
mod written;

pub use builder::{Builder, emit};
pub use catalogue::Code;
pub use diagnostic::Diagnostic;
pub use environment::{Config, Elsewhere, ExtraMetadata, Launch, PythonEnvironment};
pub use host::{Host, Machine};
