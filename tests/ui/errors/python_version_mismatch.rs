use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(python = ">=3.13")]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
