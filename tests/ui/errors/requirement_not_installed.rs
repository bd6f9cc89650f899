use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(requires = ["numpy>=2"])]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
