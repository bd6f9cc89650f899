use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = pyenv(python_version = "3.13"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
