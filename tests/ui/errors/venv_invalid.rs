use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv)]
    pub broken: PoolConfig,
}

fn main() {
    let _ = AppConfig::BROKEN;
}
