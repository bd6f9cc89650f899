//! Arrays through shared memory: an image that Python brightens, and how fast a large array goes there and back.
//!
//! `cargo run --release -p data_arrays -- 64` (MiB)

use std::time::{Duration, Instant};

use snakepit::{Buffer, Pool, PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(adapter = embed("python/arrays.py"))]
    arrays: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let size: usize = std::env::args()
        .nth(1)
        .map_or(Ok(64), |text| text.parse())?;
    let pools = AppConfig::default().start_pools().await?;

    let image = Buffer::from_vec(vec![0.25_f32; 480 * 640]).with_shape(&[480, 640])?;
    let kind: String = pools.arrays.execute("kind", &image).await?;
    println!("an image arrives as {kind}");
    let brighter: Buffer = pools.arrays.execute("brighten", &(&image, 2.0)).await?;
    let [first, ..] = brighter.as_slice::<f32>()? else {
        return Err("an image has pixels".into());
    };
    println!("brightened: {:?} of {first}", brighter.shape());

    measure(&pools.arrays, size).await?;
    pools.shutdown().await;
    Ok(())
}

/// Tells how fast an array of so many MiB goes there and back, beside what copying it within the program takes.
async fn measure(arrays: &Pool, size: usize) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = size << 20;
    let signal: Vec<f32> = (0..bytes / 4).map(|index| (index % 1000) as f32).collect();
    let signal = Buffer::from_vec(signal).with_shape(&[1024, bytes / 4096])?;
    let mut best = Duration::MAX;
    for _ in 0..8 {
        let start = Instant::now();
        let back: Buffer = arrays.execute("turn", &signal).await?;
        best = best.min(start.elapsed());
        assert_eq!(back, signal);
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
    Ok(())
}
