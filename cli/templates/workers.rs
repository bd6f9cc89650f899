//! The program's Python workers.

use snakepit::{PoolConfig, snakepit_pools};

/// The pools of workers; `cargo snakepit check` tells which Python each of them gets.
#[snakepit_pools]
#[derive(Debug, Default)]
pub struct Workers {
    #[pool(adapter = embed("python/tools.py"))]
    pub python: PoolConfig,
}
