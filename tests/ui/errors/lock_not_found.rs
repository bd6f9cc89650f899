use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub ranking: PoolConfig,
}

fn main() {
    let _ = AppConfig::RANKING;
}
