use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = docker(container_name = "ml"))]
    pub web: PoolConfig,
}

fn main() {
    let _ = AppConfig::WEB;
}
