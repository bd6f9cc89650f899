use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(environment = venv(venv_pth = ".venv"))]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
