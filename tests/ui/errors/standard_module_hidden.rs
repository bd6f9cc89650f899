use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(adapter = "tools", python_path = ["python"])]
    pub hiding: PoolConfig,
}

fn main() {
    let _ = AppConfig::HIDING;
}
