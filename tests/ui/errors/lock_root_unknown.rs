use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub sounds: PoolConfig,
}

fn main() {
    let _ = AppConfig::SOUNDS;
}
