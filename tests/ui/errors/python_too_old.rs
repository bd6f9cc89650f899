use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = system(python_executable = "/opt/python3.6"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
