use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub summary: PoolConfig,
}

fn main() {
    let _ = AppConfig::SUMMARY;
}
