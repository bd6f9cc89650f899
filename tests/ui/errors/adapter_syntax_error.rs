use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(adapter = "broken", python_path = ["python"])]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
