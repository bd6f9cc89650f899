use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv)]
    pub unseen: PoolConfig,
}

fn main() {
    let _ = AppConfig::UNSEEN;
}
