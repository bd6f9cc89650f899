use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = poetry)]
    pub unlocked: PoolConfig,
}

fn main() {
    let _ = AppConfig::UNLOCKED;
}
