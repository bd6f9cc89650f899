use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = custom("nix", attr = "python3"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
