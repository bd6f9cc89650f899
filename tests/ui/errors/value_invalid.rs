use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(execute_timeout = "soon")]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
