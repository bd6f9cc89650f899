use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = uv)]
    pub synced: PoolConfig,
}

fn main() {
    let _ = AppConfig::SYNCED;
}
