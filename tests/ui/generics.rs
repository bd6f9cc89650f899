// Constants have no parameters.
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
struct AppConfig<T> {
    other: T,
    #[pool]
    ml: PoolConfig,
}

fn main() {
    let _ = AppConfig::<u8>::ML;
}
