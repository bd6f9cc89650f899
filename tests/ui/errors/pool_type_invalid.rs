use snakepit::snakepit_pools;

#[snakepit_pools]
pub struct AppConfig {
    #[pool]
    pub ml: String,
}

fn main() {
    let _ = AppConfig::ML;
}
