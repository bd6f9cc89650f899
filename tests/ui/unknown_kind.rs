// A kind that does not exist.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(environment = vnev)]
    typo: PoolConfig,
}

fn main() {}
