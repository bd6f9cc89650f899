use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub vision: PoolConfig,
}

fn main() {
    let _ = AppConfig::VISION;
}
