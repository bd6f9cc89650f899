//! No worker outlives its host, however the host dies and whatever its workers do at that moment.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use snakepit::{Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_tests::blocking_until;
use snakepit_tests::process::{children, exists, members};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 5)]
    pub processes: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = thread(threads = 2), size = 5)]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = async(concurrency = 2), size = 5)]
    pub loops: PoolConfig,
}

/// Set for the run of this program that plays the host.
const HOST: &str = "SNAKEPIT_TESTS_PLAY_HOST";

/// What keeps a worker busy when the host dies; as many workers as there is work are busy, and one is idle. The last one
/// holds its interpreter, so that nothing of the bridge runs in it.
const WORK: [&str; 4] = ["sleep", "spin", "length_of", "hang"];

/// Processes that tools of one pool have started: three of them three each.
const STARTED: usize = 9;

/// Gives the workers something to do.
async fn keep_busy(pool: &Pool) {
    // Longer than a socket holds, and so many of them that one is always on its way.
    let text = "x".repeat(4 << 20);
    for tool in WORK {
        let (pool, text) = (pool.clone(), text.clone());
        tokio::spawn(async move {
            if tool == "length_of" {
                while pool.execute::<_, usize>(tool, &text).await.is_ok() {}
            } else {
                let _ = pool.execute::<_, ()>("with_processes", &(tool, 60)).await;
            }
        });
    }
}

/// The host's part: starts workers, keeps most of them busy, says who they are, and waits to be killed.
fn play_host() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut pools = Vec::new();
        for spec in Pools::POOLS {
            let spec: &'static SpawnSpec = spec;
            let pool = Pool::start(spec, &PoolConfig::default()).await.unwrap();
            keep_busy(&pool).await;
            pools.push(pool);
        }
        let workers: Vec<String> = children().iter().map(u32::to_string).collect();
        println!("\nworkers {}", workers.join(" "));
        std::future::pending::<()>().await;
    });
}

#[test]
fn killing_the_host_ends_its_workers_of_every_profile_busy_or_not() {
    if std::env::var_os(HOST).is_some() {
        return play_host();
    }
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("killing_the_host_ends_its_workers_of_every_profile_busy_or_not")
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
    let pools = Pools::POOLS.len();
    assert_eq!(workers.len(), 5 * pools, "{workers:?}");
    assert!(workers.iter().all(|pid| exists(*pid)), "{workers:?}");
    // In the midst of their work.
    blocking_until(|| members(&workers).len() == workers.len() + STARTED * pools);
    std::thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    host.kill().unwrap();
    host.wait().unwrap();
    blocking_until(|| members(&workers).is_empty());
    println!(
        "{} workers and {} processes of theirs were gone {:?} after their host",
        workers.len(),
        STARTED * pools,
        begin.elapsed()
    );
}
