use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub search: PoolConfig,
}

fn main() {
    let _ = AppConfig::SEARCH;
}
