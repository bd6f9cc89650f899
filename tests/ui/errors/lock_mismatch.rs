use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub numbers: PoolConfig,
}

fn main() {
    let _ = AppConfig::NUMBERS;
}
