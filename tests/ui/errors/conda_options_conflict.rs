use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = conda(environment_name = "ml", prefix = "env"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
