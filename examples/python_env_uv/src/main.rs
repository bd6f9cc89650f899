//! A pool in the environment of a uv project: what `uv sync` installed is held to `uv.lock` when the program is built.

use serde::Deserialize;
use snakepit::{PoolConfig, snakepit_pools};

// `build.rs` reads this file whatever the features are, and looks only for pools whose condition holds.
#[cfg(feature = "uv")]
#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(
        environment = uv(project_dir = "python"),
        requires = ["readability"],
        adapter = "service",
        python_path = ["python"],
    )]
    texts: PoolConfig,
}

/// What the adapter answers.
#[derive(Deserialize)]
struct Report {
    sentences: u32,
    words: u32,
    package: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = &AppConfig::TEXTS.metadata;
    println!("environment: {} {}", found.environment, found.prefix);

    let pools = AppConfig::default().start_pools().await?;
    let text = "Snakes are reptiles. Do they read? They do not.";
    let Report {
        sentences,
        words,
        package,
    } = pools.texts.execute("report", &(text,)).await?;
    println!("{sentences} sentences, {words} words, says readability {package}");
    pools.shutdown().await;
    Ok(())
}
