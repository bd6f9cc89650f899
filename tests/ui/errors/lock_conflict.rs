use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub speech: PoolConfig,
}

fn main() {
    let _ = AppConfig::SPEECH;
}
