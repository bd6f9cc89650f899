use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(profile = thread(threads = 8))]
    pub threads: PoolConfig,
}

fn main() {
    let _ = AppConfig::THREADS;
}
