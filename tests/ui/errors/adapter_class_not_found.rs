use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(adapter = "service.tools:Predictor", python_path = ["python"])]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
