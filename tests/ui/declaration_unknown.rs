// The build script read other files than this one.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(environment = system)]
    unseen: PoolConfig,
}

fn main() {
    let _ = AppConfig::UNSEEN;
}
