use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub pools: PoolConfig,
}

fn main() {
    let _ = AppConfig::POOLS;
}
