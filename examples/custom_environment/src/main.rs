//! A pool whose environment is of a kind that only this program knows: `build.rs` implements it.

use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(
        environment = custom("toolchain", dir = "toolchain"),
        adapter = embed("python/units.py"),
    )]
    units: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let found = &AppConfig::UNITS.metadata;
    println!("environment: {}", found.environment);
    // What the environment's `metadata` told the build is a constant of the program.
    for (name, value) in found.extra {
        println!("{name}: {value}");
    }

    let pools = AppConfig::default().start_pools().await?;
    let metres: f64 = pools.units.execute("metres", &(26.2, "mile")).await?;
    println!("26.2 miles are {metres:.1} metres");
    let home: String = pools.units.execute("home", &()).await?;
    println!("the worker's toolchain is {home}");
    pools.shutdown().await;
    Ok(())
}
