use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(adapter = "latin", python_path = ["python"])]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
