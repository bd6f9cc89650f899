//! Pools under test.

use snakepit::{Pool, PoolConfig, SpawnSpec};

/// A pool as its attribute has it.
///
/// # Panics
/// If it does not start.
pub async fn start(spec: &'static SpawnSpec) -> Pool {
    let started = Pool::start(spec, &PoolConfig::default()).await;
    started.expect("its workers become ready")
}
