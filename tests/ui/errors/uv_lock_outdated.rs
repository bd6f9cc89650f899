use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = uv)]
    pub outdated: PoolConfig,
}

fn main() {
    let _ = AppConfig::OUTDATED;
}
