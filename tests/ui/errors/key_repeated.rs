use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(size = 2, size = 4)]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
