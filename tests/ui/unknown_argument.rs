// The attribute itself has keys, too.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools(crat = ::snakepit)]
struct AppConfig {
    #[pool(environment = system)]
    ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::POOLS;
}
