use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = poetry)]
    pub behind: PoolConfig,
}

fn main() {
    let _ = AppConfig::BEHIND;
}
