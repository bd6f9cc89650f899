//! A program that brings its own Python: both are moved as one folder, which `bundle.sh` makes.

use snakepit::{PoolConfig, snakepit_pools};

/// The program is in `bundle/bin`, and its paths start one folder above.
#[snakepit_pools(anchor = exe(".."), anchor_root = "bundle")]
#[derive(Default)]
struct AppConfig {
    #[pool(
        environment = system(python_executable = "bundle/python/bin/python3"),
        adapter = "greetings",
        python_path = ["bundle/app"],
    )]
    python: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("built for {}", AppConfig::PYTHON.command);

    let pools = AppConfig::default().start_pools().await?;
    let greeting: String = pools.python.execute("greet", &("world",)).await?;
    let (version, prefix): (String, String) = pools.python.execute("where", &()).await?;
    println!("{greeting} (Python {version} of {prefix})");

    pools.shutdown().await;
    Ok(())
}
