use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = poetry)]
    pub edited: PoolConfig,
}

fn main() {
    let _ = AppConfig::EDITED;
}
