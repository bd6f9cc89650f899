//! A pool in containers of an image: each worker is a container of its own, which is gone when the worker is.

use snakepit::{PoolConfig, snakepit_pools};

// `build.rs` reads this file whatever the features are, and looks only for pools whose condition holds.
#[cfg(feature = "docker")]
#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(
        environment = docker(image = "snakepit-example"),
        adapter = "service",
        python_path = ["/srv/python"],
        env(GREETING = "hello"),
        size = 2,
    )]
    service: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = &AppConfig::SERVICE.metadata;
    println!(
        "the image has {} {}",
        found.implementation, found.python_version
    );

    let pools = AppConfig::default().start_pools().await?;
    let greeting: String = pools.service.execute("greet", &("world",)).await?;
    println!("{greeting}");
    let (system, host): (String, String) = pools.service.execute("surroundings", &()).await?;
    println!("a worker runs on {system}, in the container {host}");
    pools.shutdown().await;
    Ok(())
}
