//! Workers for a program without an async runtime: calls that wait, from several threads, and a stream as an iterator.

use std::thread;

use snakepit::{Error, PoolConfig, snakepit_pools};

/// The program's own config struct; a real program would read it from a file.
#[snakepit_pools]
#[derive(Debug, Default)]
struct AppConfig {
    #[pool(adapter = embed("python/primes.py"), size = 2)]
    numbers: PoolConfig,
}

fn main() -> Result<(), Error> {
    let pools = AppConfig::default().start_pools_blocking()?;
    let numbers = &pools.numbers;

    let is_prime: bool = numbers.execute("is_prime", &97)?;
    println!("97 is {}prime", if is_prime { "" } else { "not " });

    // A handle serves many threads; each waits for its own call.
    thread::scope(|scope| {
        for candidate in [1_000_003_u64, 1_000_005] {
            scope.spawn(
                move || match numbers.execute::<_, bool>("is_prime", &candidate) {
                    Ok(is_prime) => println!("{candidate}: {is_prime}"),
                    Err(error) => eprintln!("{candidate}: {error}"),
                },
            );
        }
    });

    for prime in numbers.execute_stream::<_, u64>("primes", &30) {
        print!("{} ", prime?);
    }
    println!();

    let latency = numbers.stats().latency;
    println!(
        "{} calls, half of them within {:?}",
        latency.count, latency.p50
    );
    pools.shutdown();
    Ok(())
}
