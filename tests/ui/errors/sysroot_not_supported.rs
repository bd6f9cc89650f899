use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker(image = "python:3.12"))]
    pub container: PoolConfig,
}

fn main() {
    let _ = AppConfig::CONTAINER;
}
