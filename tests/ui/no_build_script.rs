// No `build.rs`, or one that does not call the helper.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool]
    ml: PoolConfig,
}

async fn start(config: &AppConfig) {
    let _ = config.start_pools().await;
}

fn main() {
    let _ = AppConfig::ML;
}
