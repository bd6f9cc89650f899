use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(transport = grpc, server = "python/grpc_server.py")]
    pub ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::ML;
}
