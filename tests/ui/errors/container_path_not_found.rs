use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker(container_name = "ml", cwd = "/srv"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
