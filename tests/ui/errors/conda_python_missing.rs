use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = conda(prefix = "env"))]
    pub bare: PoolConfig,
}

fn main() {
    let _ = AppConfig::BARE;
}
