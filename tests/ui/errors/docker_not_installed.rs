use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker(image = "python:3.13"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
