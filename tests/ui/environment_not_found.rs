// What the build script found missing, each at the token that asked for it, and nothing else.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Debug, Default)]
pub struct AppConfig {
    pub listen: String,
    #[pool(environment = venv)]
    pub default: PoolConfig,
    #[pool(
        environment = venv(venv_path = "ml/.venv"),
        requires = ["numpy>=2"],
        size = 4,
    )]
    pub ml: PoolConfig,
    #[pool(environment = custom("nix", attr = "python3"))]
    pub nix: PoolConfig,
}

async fn start(config: &AppConfig) -> Result<AppConfigPools, snakepit::Error> {
    config.start_pools().await
}

fn main() {
    let _ = (AppConfig::DEFAULT.pool, AppConfig::ML, AppConfig::POOLS);
}
