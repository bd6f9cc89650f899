use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker)]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
