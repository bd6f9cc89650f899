use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = system)]
    pub sensor: PoolConfig,
}

fn main() {
    let _ = AppConfig::SENSOR;
}
