use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    pub ml: PoolConfig,
}

fn main() {}
