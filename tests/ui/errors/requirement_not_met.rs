use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(requires = ["numpy>=2"])]
    pub older: PoolConfig,
}

fn main() {
    let _ = AppConfig::OLDER;
}
