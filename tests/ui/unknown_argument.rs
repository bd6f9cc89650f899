// The attribute itself has keys, too.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools(crat = ::snakepit)]
struct AppConfig {
    #[pool(environment = custom("frozen"))]
    ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::POOLS;
}
