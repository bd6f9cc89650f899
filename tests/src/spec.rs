//! Specs like those of the macro, with something else in them.

use snakepit::{Defaults, Grpc, Memo, SpawnSpec, Transport};

/// Our own bridge as a gRPC server.
pub const BRIDGE_OVER_GRPC: Transport = Transport::Grpc(Grpc {
    script: None,
    args: &[],
});

/// A copy without the facts that the build saw, for a test to change.
pub fn copy(spec: &SpawnSpec) -> SpawnSpec {
    SpawnSpec {
        pool: spec.pool,
        anchor: None,
        command: spec.command,
        args: spec.args,
        env: spec.env,
        cwd: spec.cwd,
        metadata: spec.metadata,
        checks: &[],
        fingerprint: spec.fingerprint,
        adapter: spec.adapter,
        embedded: spec.embedded,
        tools: spec.tools,
        python_path: spec.python_path,
        transport: spec.transport,
        defaults: Defaults { ..spec.defaults },
        memo: Memo::new(),
    }
}

/// The same pool on a Python that has a package of the package index; `None`, said aloud, where it cannot be had.
///
/// # Panics
/// Where the path of that Python is no text.
#[track_caller]
pub fn with_package(spec: &SpawnSpec, package: &str) -> Option<&'static SpawnSpec> {
    let python = snakepit_test_tools::tools(package)?.join("python");
    let command = python.into_os_string().into_string().expect("it is UTF-8");
    Some(Box::leak(Box::new(SpawnSpec {
        command: command.leak(),
        ..copy(spec)
    })))
}
