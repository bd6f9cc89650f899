//! Shows which Python environment `cargo build` detects, and runs a worker of it.
//!
//! ```sh
//! cargo run -p python_env_auto
//! ```
//!
//! `auto` looks into this package's folder and those above it, up to the workspace's. None holds a `.venv` or a lock
//! file, so that the machine's own Python is taken; after `python3 -m venv examples/python_env_auto/.venv` and
//! `touch examples/python_env_auto/build.rs`, the next build takes that one.

use serde::Deserialize;
use serde_json::Value;
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    // The same as `#[pool(environment = auto)]`.
    #[pool]
    demo: PoolConfig,
}

/// What this program wants to know of all that `get_stats` answers.
#[derive(Deserialize)]
struct Worker {
    pid: u32,
    python_version: String,
    executable: String,
    prefix: String,
    base_prefix: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // All of this is a constant: the build has found it, and the program does not search.
    let found = &AppConfig::DEMO.metadata;
    println!("Detected by the build:");
    println!("  environment     {}", found.environment);
    println!("  because of      {}", found.detected_by);
    for (name, value) in found.extra {
        if *name == "detected_why" {
            println!("  looked          {value}");
        }
    }
    println!(
        "  python          {} {}",
        found.implementation, found.python_version
    );
    println!("  command         {}", AppConfig::DEMO.command);

    println!("\nStarting a pool of it...");
    let pools = AppConfig::default().start_pools().await?;

    let reply: Value = pools.demo.execute("ping", &()).await?;
    println!("ping: {reply}");

    let worker: Worker = pools.demo.execute("get_stats", &()).await?;
    println!("\nThe worker's own view:");
    println!("  python          {}", worker.python_version);
    println!("  executable      {}", worker.executable);
    println!("  prefix          {}", worker.prefix);
    println!("  base prefix     {}", worker.base_prefix);
    println!("  process         {}", worker.pid);

    pools.shutdown().await;
    Ok(())
}
