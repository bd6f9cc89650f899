// A struct without a pool is a slip.
use snakepit::snakepit_pools;

#[snakepit_pools]
struct AppConfig {
    listen: String,
}

fn main() {}
