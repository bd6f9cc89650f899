//! The program's side of Snakepit: spawn specs as constants, their re-check and their command.

mod spec;

pub use snakepit_macros::snakepit_pools;
pub use spec::{Check, Defaults, Drift, EnvOp, Memo, Metadata, Profile, SpawnSpec};
