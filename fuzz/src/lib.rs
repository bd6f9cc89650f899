//! Bad input for every parser of Snakepit. Each target takes one file, answer or text from outside and leads it the
//! way that it goes in a build: nothing may panic, hang or take more memory than its size explains, and what comes
//! out is a whole resolution or clear faults. `fuzz_targets` gives them to libFuzzer, the project's tests the seeds.

mod environments;
mod tree;
mod verdict;

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the runtime's own file, which `frame` needs"
)]
#[path = "../../runtime/src/pool/buffer.rs"]
mod buffer;
mod declare;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the runtime's own file, which `frame` needs"
)]
#[path = "../../runtime/src/pool/finite.rs"]
mod finite;
#[allow(
    dead_code,
    unexpected_cfgs,
    unreachable_pub,
    reason = "the runtime's own file: the decoder is private there and needs nothing else of it, but its features"
)]
#[path = "../../runtime/src/pool/frame.rs"]
mod frame;
mod frames;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the build helper's own files: they are private there and need nothing else of it"
)]
#[path = "../../build-support/src/json/mod.rs"]
mod json;
mod lock;
mod manifest;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the runtime's own file, which `frame` needs"
)]
#[path = "../../runtime/src/pool/mapping.rs"]
mod mapping;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the runtime's own file, which `frame` needs"
)]
#[path = "../../runtime/src/pool/segment.rs"]
mod segment;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the runtime's own file, which `frame` needs"
)]
#[path = "../../runtime/src/pool/tail.rs"]
mod tail;
mod texts;

/// A target: it is given any bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its program and of its folder of seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("adapter", environments::adapter),
    ("build_details", environments::sysroot::build_details),
    ("conda_activation", environments::conda::activation),
    ("conda_names", environments::conda::names),
    ("conda_settings", environments::conda::settings),
    ("conda_state", environments::conda::state),
    ("container", environments::container),
    ("declare", declare::declare),
    ("direct_url", environments::distributions::direct_url),
    ("distribution_names", environments::distributions::names),
    ("frame", frames::frame),
    ("interpreter", environments::sysroot::interpreter),
    ("json", texts::json),
    ("lock", lock::lock),
    ("manifest", manifest::manifest),
    ("metadata", environments::distributions::metadata),
    ("poetry_lock", environments::poetry::lock),
    ("poetry_settings", environments::poetry::settings),
    ("probe", environments::probe),
    ("pyproject", environments::poetry::pyproject),
    ("python_version", environments::python_version),
    ("pyvenv_cfg", environments::pyvenv_cfg),
    ("requirement", environments::distributions::requirement),
    ("sysconfigdata", environments::sysroot::sysconfigdata),
    ("uv_lock", environments::uv_lock),
];

/// Gives a target its input.
///
/// # Panics
/// There is no such target; or what the input found.
pub fn run(target: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, target) = found.unwrap_or_else(|| panic!("no target `{target}`"));
    target(data);
}
