use snakepit::snakepit_pools;

#[snakepit_pools]
pub enum AppConfig {
    Ml,
}

fn main() {}
