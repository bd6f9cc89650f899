use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = poetry)]
    pub fresh: PoolConfig,
}

fn main() {
    let _ = AppConfig::FRESH;
}
