use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = system(python_executable = "tools/python"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
