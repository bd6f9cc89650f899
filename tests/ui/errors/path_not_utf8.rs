use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = system)]
    pub renamed: PoolConfig,
}

fn main() {
    let _ = AppConfig::RENAMED;
}
