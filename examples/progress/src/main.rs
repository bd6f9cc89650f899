//! A stream with a progress bar in the terminal: a generator in Python trains a small model, and each epoch is shown as
//! it comes. The reader has the say: it drops the stream when the model is good enough, and the generator is closed.
//!
//! `cargo run -p progress -- 40` (epochs)

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(adapter = embed("python/training.py:Training"))]
    training: PoolConfig,
}

#[derive(Deserialize)]
struct Epoch {
    number: u64,
    loss: f64,
}

/// A loss that is good enough.
const WANTED: f64 = 0.001;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(40), |text| text.parse())?;
    let pools = AppConfig::default().start_pools().await?;

    let style = "{bar:40} {pos}/{len} epochs, {msg}, {per_sec}";
    let bar = ProgressBar::new(epochs).with_style(ProgressStyle::with_template(style)?);
    let arguments = json!({"epochs": epochs, "rate": 0.4});
    let mut stream = pools.training.execute_stream("train", &arguments);
    let mut last = None;
    while let Some(epoch) = stream.next().await {
        let epoch: Epoch = epoch?;
        bar.set_position(epoch.number);
        bar.set_message(format!("loss {:.5}", epoch.loss));
        let is_good = epoch.loss < WANTED;
        last = Some(epoch);
        if is_good {
            break;
        }
    }
    drop(stream);
    bar.abandon();

    if let Some(Epoch { number, loss }) = last {
        println!("loss {loss:.5} after {number} epochs");
    }
    let (slope, offset): (f64, f64) = pools.training.execute("model", &()).await?;
    println!("y = {slope:.2} x + {offset:.2}");
    pools.shutdown().await;
    Ok(())
}
