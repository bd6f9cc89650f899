// What comes from another notation.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(environment = venv(".venv"), execute_timeout = 30)]
    a: PoolConfig,
    #[pool(environment: venv, size = 2)]
    b: PoolConfig,
}

fn main() {}
