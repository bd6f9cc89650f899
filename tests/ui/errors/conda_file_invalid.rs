use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = conda)]
    pub unnamed: PoolConfig,
}

fn main() {
    let _ = AppConfig::UNNAMED;
}
