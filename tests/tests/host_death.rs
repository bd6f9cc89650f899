//! No worker outlives its host, however the host dies.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use snakepit::{PoolConfig, snakepit_pools};
use snakepit_tests::process::exists;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 2)]
    pub tools: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

/// Set for the run of this program that plays the host.
const HOST: &str = "SNAKEPIT_TESTS_PLAY_HOST";

/// The host's part: starts workers, keeps one of every profile busy, says who they are, and waits to be killed.
fn play_host() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let pools = Pools::default().start_pools().await.unwrap();
        let pool = pools.tools;
        // Both are asked at the same time, and so each is asked once.
        let (first, other) = tokio::join!(
            pool.execute::<_, u32>("sleep", &0.2),
            pool.execute::<_, u32>("sleep", &0.2),
        );
        let (first, other) = (first.unwrap(), other.unwrap());
        let thread: u32 = pools.threads.execute("pid", &()).await.unwrap();
        let on_a_loop: u32 = pools.loops.execute("pid", &()).await.unwrap();
        for pool in [&pool, &pools.threads, &pools.loops] {
            let busy = pool.clone();
            tokio::spawn(async move { busy.execute::<_, ()>("spin", &60).await });
            while pool.stats().in_flight == 0 {
                tokio::task::yield_now().await;
            }
        }
        println!("\nworkers {first} {other} {thread} {on_a_loop}");
        std::future::pending::<()>().await;
    });
}

#[test]
fn killing_the_host_ends_its_workers_busy_or_not() {
    if std::env::var_os(HOST).is_some() {
        return play_host();
    }
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("killing_the_host_ends_its_workers_busy_or_not")
        .env(HOST, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let workers = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("workers ").map(str::to_owned))
        .expect("the host says who its workers are");
    let workers: Vec<u32> = workers.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(workers.iter().all(|pid| exists(*pid)), "{workers:?}");
    host.kill().unwrap();
    host.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(1);
    while workers.iter().any(|pid| exists(*pid)) {
        assert!(
            Instant::now() < end,
            "still there after a second: {workers:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
