use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker(image = "ml:latest"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
