use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
pub struct AppConfig {
    #[pool(transport = grpc, server = "python/grpc_server.py")]
    pub served: PoolConfig,
    #[pool(transport = grpc, server_args = ["--max"])]
    pub unsaid: PoolConfig,
    #[pool(server = "python/grpc_server.py")]
    pub sockets: PoolConfig,
}

fn main() {
    let _ = AppConfig::SERVED;
}
