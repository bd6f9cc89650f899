// Constants have no parameters.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig<T> {
    other: T,
    #[pool(environment = custom("frozen"))]
    ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::<u8>::ML;
}
