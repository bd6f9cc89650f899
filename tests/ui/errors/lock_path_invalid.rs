use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub letters: PoolConfig,
}

fn main() {
    let _ = AppConfig::LETTERS;
}
