// Every fault of the struct at once, each at its token.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(size = 0, startup_timeout = "soon")]
    default: PoolConfig,
    #[pool(environment = "venv", adapter = "a-b")]
    ml: PoolConfig,
}

async fn start(config: &AppConfig) {
    let _ = config.start_pools().await;
}

fn main() {
    let _ = (AppConfig::DEFAULT, AppConfig::ML);
}
