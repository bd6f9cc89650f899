//! Tests across the crates; see `tests/`. Here is what several of them need.

mod host_package;
pub mod process;
mod pythons;

pub use host_package::{HostPackage, Outcome};
pub use pythons::{Python, pythons, skip};
