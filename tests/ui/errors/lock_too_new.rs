use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub images: PoolConfig,
}

fn main() {
    let _ = AppConfig::IMAGES;
}
