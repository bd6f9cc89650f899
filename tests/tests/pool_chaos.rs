//! Many requests while workers are killed all the time: every request has exactly one outcome, and nothing is left.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use snakepit::{CallOptions, Error, Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_tests::process::{children, exists, kill, resident};
use snakepit_tests::until;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 4, max_restarts = 1000000, restart_delay = "1ms", max_restart_delay = "10ms")]
    pub processes: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = thread(threads = 4), size = 4, max_restarts = 1000000, restart_delay = "1ms", max_restart_delay = "10ms")]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = async(concurrency = 4), size = 4, max_restarts = 1000000, restart_delay = "1ms", max_restart_delay = "10ms")]
    pub loops: PoolConfig,
}

/// How many requests are made, if it is not as many as usual.
const REQUESTS: &str = "SNAKEPIT_TESTS_CHAOS_REQUESTS";
const TASKS: u64 = 64;
const PAUSE: Duration = Duration::from_millis(50);
/// A limit that only a machine comes near that is busy with other things.
const MOST_KILLS: u64 = 800;

fn requests() -> u64 {
    std::env::var(REQUESTS).map_or(200_000, |count| {
        let number = count.parse();
        number.unwrap_or_else(|_| panic!("`{REQUESTS}` is `{count}`, wanted is a number"))
    })
}

/// Kills a worker every 50 ms until it is told to stop; how many. Mostly it is the one that has been ready longest, and
/// every tenth time one that may be about to start.
///
/// A machine that answers fewer than `least` requests between two of them is too busy to start workers as fast as that,
/// and is given time.
fn kill_all_the_time(pool: &Pool, least: u64, done: &AtomicU64, stop: &AtomicBool) -> usize {
    let (mut killed, mut before) = (0, 0);
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        next = (next + PAUSE).max(Instant::now());
        thread::sleep(next - Instant::now());
        let now = done.load(Ordering::Relaxed);
        if now < before + least {
            continue;
        }
        let mut workers = children();
        workers.retain(|worker| exists(*worker));
        let mut ready: Vec<u32> = pool
            .workers()
            .iter()
            .filter_map(|worker| worker.pid)
            .collect();
        ready.retain(|worker| workers.contains(worker));
        workers.sort_unstable();
        ready.sort_unstable();
        let next = match ready.first() {
            Some(_) if killed % 10 == 9 => workers.pop(),
            first => first.copied(),
        };
        if let Some(worker) = next {
            kill(worker);
            killed += 1;
            before = now;
        }
    }
    killed
}

/// What became of the requests of one task.
#[derive(Debug, Default)]
struct Sums {
    right: u64,
    crashed: u64,
    /// Those of them that are idempotent, and had been tried three times.
    unlucky: u64,
}

/// Each request is answered, or ends with its worker; every third one is idempotent, and ends with its third worker.
async fn ask(pool: Pool, first: u64, count: u64, done: Arc<AtomicU64>) -> Sums {
    let mut sums = Sums::default();
    for number in (first..count).step_by(TASKS as usize) {
        let options = CallOptions::new().time_limit(Duration::from_secs(120));
        let is_idempotent = number.is_multiple_of(3);
        let options = if is_idempotent {
            options.idempotent()
        } else {
            options
        };
        let arguments = (number, 1);
        let outcome = pool.execute_with::<_, u64>("add", &arguments, options);
        match outcome.await {
            Ok(sum) => {
                assert_eq!(sum, number + 1);
                sums.right += 1;
            }
            Err(Error::WorkerCrashed { status, .. }) => {
                assert!(status.contains("SIGKILL"), "{status}");
                sums.crashed += 1;
                sums.unlucky += u64::from(is_idempotent);
            }
            Err(other) => panic!("request {number}: {other:?}, {pool:?}"),
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    sums
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn chaos(spec: &'static SpawnSpec, count: u64) {
    let pool = Pool::start(spec, &PoolConfig::default()).await.unwrap();
    let begin = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let killer = thread::spawn({
        let (pool, done, stop) = (pool.clone(), done.clone(), stop.clone());
        move || kill_all_the_time(&pool, count / MOST_KILLS, &done, &stop)
    });
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(ask(pool.clone(), task, count, done.clone())))
        .collect();
    // Once everything has been used that is used: buffers, stacks, arenas.
    while done.load(Ordering::Relaxed) < count / 4 && !tasks.iter().any(|task| task.is_finished()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = resident();
    let mut sums = Sums::default();
    for task in tasks {
        let of_task = task.await.unwrap();
        sums.right += of_task.right;
        sums.crashed += of_task.crashed;
        sums.unlucky += of_task.unlucky;
    }
    let after = resident();
    stop.store(true, Ordering::Relaxed);
    let killed = killer.join().unwrap();
    let took = begin.elapsed();
    let stats = pool.stats();
    println!(
        "{}: {count} requests, {killed} workers killed, {:.1} a second, {sums:?}, {} restarts, host {} KiB and then {} \
         KiB, {:?}",
        spec.pool,
        killed as f64 / took.as_secs_f64(),
        stats.restarts,
        before >> 10,
        after >> 10,
        took
    );
    assert_eq!(sums.right + sums.crashed, count);
    assert_eq!((stats.requests, stats.errors), (count, sums.crashed));
    // They are a third of all, and tried three times; a few may be anything.
    assert!(2 * sums.unlucky <= sums.crashed + 10, "{sums:?}");
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
    assert!(after < before + (8 << 20), "{before} {after}");

    // The last one that was killed may have taken it.
    let again = CallOptions::new().idempotent();
    let sum: i64 = pool.execute_with("add", &(1, 1), again).await.unwrap();
    assert_eq!(sum, 2);
    // One that is about to start is ended as well.
    kill(children()[0]);
    until(async || pool.stats().ready < pool.stats().workers).await;
    pool.shutdown().await;
    // Also none that has ended and is not waited for.
    assert_eq!(children(), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_one_outcome_while_a_worker_is_killed_every_50_ms() {
    let count = requests();
    chaos(Pools::PROCESSES, count).await;
    // The first pool of a program opens what all of them share.
    let open = open_files();
    chaos(Pools::THREADS, count / 10).await;
    chaos(Pools::LOOPS, count / 10).await;
    assert_eq!(open_files(), open);
}
