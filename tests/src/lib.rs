//! Tests across the crates; see `tests/`. Here is what several of them need.

mod hold;
mod host_package;
mod pool;
pub mod process;
mod root;
mod scene;
mod spec;
mod stage;
mod wait;

pub use hold::Hold;
pub use host_package::{HostPackage, Outcome};
pub use pool::start;
pub use root::Root;
pub use scene::Scene;
pub use spec::{BRIDGE_OVER_GRPC, copy, with_package};
pub use stage::{PACKAGE, Stage};
pub use wait::{blocking_until, until};
