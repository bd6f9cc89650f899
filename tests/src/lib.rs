//! Tests across the crates; see `tests/`. Here is what several of them need.

mod host_package;
pub mod process;

pub use host_package::{HostPackage, Outcome};
