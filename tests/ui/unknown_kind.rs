// A kind that does not exist, and one that is not built yet.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(environment = vnev)]
    typo: PoolConfig,
    #[pool(environment = docker(image = "python"))]
    later: PoolConfig,
}

fn main() {}
