// An option of another kind.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig {
    #[pool(environment = venv(venv_pth = ".venv"))]
    ml: PoolConfig,
}

fn main() {}
