// The nearest known key is named, and all of them are listed.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(enviroment = venv)]
    ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
