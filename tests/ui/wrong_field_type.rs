// The operator's values of a pool have a type of their own.
use snakepit::snakepit_pools;

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(environment = custom("frozen"))]
    ml: String,
}

fn main() {
    let _ = AppConfig::default().ml;
}
