//! A function of the program that Python calls while its own call runs: the rates stay in Rust, the arithmetic is
//! Python's.
//!
//! `cargo run -p host_tool`

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;
use snakepit::{Error, HostTools, PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(adapter = embed("python/invoices.py"))]
    invoices: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let rates = Arc::new(HashMap::from([("EUR", 1.0), ("USD", 1.25), ("CHF", 0.5)]));
    let tools = HostTools::new().tool("rate", move |currency: String| {
        let rates = rates.clone();
        async move {
            let rate = rates.get(currency.as_str()).copied();
            rate.ok_or_else(|| format!("no rate of {currency}"))
        }
    });
    let pools = AppConfig::default().start_pools_with(tools).await?;

    let items = json!([["paper", 3, 4.5], ["ink", 1, 20.0]]);
    for currency in ["EUR", "USD", "XYZ"] {
        let total: Result<f64, Error> = pools.invoices.execute("total", &(&items, currency)).await;
        match total {
            Ok(total) => println!("{total:.2} {currency}"),
            Err(error) => println!("{error}"),
        }
    }
    let known: Vec<String> = pools.invoices.execute("known", &()).await?;
    println!("Python may call: {}", known.join(", "));
    pools.shutdown().await;
    Ok(())
}
