//! An array through shared memory: sends one to Python, takes what comes back, and tells how long both took.
//!
//! `cargo run --release --example shared_array -- 64` (MiB)

use std::time::{Duration, Instant};

use snakepit::{Buffer, PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(environment = system, adapter = embed("arrays.py"))]
    arrays: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size = std::env::args()
        .nth(1)
        .map_or(Ok(64), |text| text.parse())?;
    let bytes: usize = size << 20;
    let pools = AppConfig::default().start_pools().await?;

    let signal: Vec<f32> = (0..bytes / 4).map(|index| (index % 1000) as f32).collect();
    let signal = Buffer::from_vec(signal).with_shape(&[1024, bytes / 4096])?;
    let mut best = Duration::MAX;
    for _ in 0..8 {
        let start = Instant::now();
        let back: Buffer = pools.arrays.execute("turn", &signal).await?;
        best = best.min(start.elapsed());
        assert_eq!(back.shape(), signal.shape());
        assert_eq!(back.as_slice::<f32>()?, signal.as_slice::<f32>()?);
    }

    let (mut copy, mut one) = (vec![0_u8; bytes], Duration::MAX);
    for _ in 0..8 {
        let start = Instant::now();
        copy.copy_from_slice(signal.as_bytes());
        one = one.min(start.elapsed());
    }
    assert_eq!(copy, signal.as_bytes());
    let rate = 2.0 * bytes as f64 / best.as_secs_f64() / 1e9;
    println!("{size} MiB there and back in {best:.1?}: {rate:.1} GB/s");
    println!(
        "one copy of it in memory takes {one:.1?}: {:.1} of them",
        best.as_secs_f64() / one.as_secs_f64()
    );
    pools.shutdown().await;
    Ok(())
}
