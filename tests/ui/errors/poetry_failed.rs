use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = poetry)]
    pub index: PoolConfig,
}

fn main() {
    let _ = AppConfig::INDEX;
}
