// Another name of the crate, words that need `r#`, attributes and fields of others.
mod renamed {
    pub use snakepit::*;
}

#[renamed::snakepit_pools(crate = crate::renamed)]
#[derive(Debug, Clone, Default)]
struct AppConfig {
    #[allow(dead_code)]
    listen: String,
    #[pool(environment = custom("frozen"))]
    #[allow(dead_code)]
    r#type: renamed::PoolConfig,
}

async fn start(config: &AppConfig) -> Result<AppConfigPools, renamed::Error> {
    let pools = config.start_pools().await?;
    let _ = &pools.r#type;
    Ok(pools)
}

fn main() {
    let _ = start(&AppConfig::default());
    assert_eq!(AppConfig::TYPE.pool, "type");
    assert_eq!(AppConfig::POOLS.len(), 1);
}
