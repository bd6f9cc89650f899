use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub words: PoolConfig,
}

fn main() {
    let _ = AppConfig::WORDS;
}
