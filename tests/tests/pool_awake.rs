//! Short calls one after the other, whose callers stay awake for the replies, and everything that may come between.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use snakepit::{Affinity, CallOptions, Error, HostTools, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{start, until};
use tokio::task::JoinHandle;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "short", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "short", python_path = ["python"], size = 2)]
    pub two: PoolConfig,
    #[pool(environment = system, adapter = "short", python_path = ["python"], max_requests = 50)]
    pub recycled: PoolConfig,
}

/// Calls often enough for the pool to learn that the calls are short.
async fn short_calls(pool: &Pool, count: u64) {
    for number in 0..count {
        let sum: u64 = pool.execute("add", &(number, 1)).await.unwrap();
        assert_eq!(sum, number + 1);
    }
}

#[tokio::test]
async fn two_calls_at_once_run_at_once_also_after_many_that_were_alone() {
    let pool = start(Pools::TWO).await;
    for _ in 0..20 {
        short_calls(&pool, 100).await;
        let folder = tempfile::tempdir().unwrap();
        // Each waits for the other: one after the other they would never return.
        let meet = || pool.execute::<_, u32>("meet", folder.path());
        let (one, other) = tokio::join!(meet(), meet());
        assert_ne!(one.unwrap(), other.unwrap());
    }
}

/// Another task of the same thread, which is there whenever nobody else is.
struct Other {
    turns: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Other {
    fn begin() -> Self {
        let turns = Arc::<AtomicUsize>::default();
        let counts = turns.clone();
        let task = tokio::spawn(async move {
            loop {
                counts.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        Self { turns, task }
    }

    /// Calls these one after the other, with work of so long behind each: how many calls were over, in the longest row,
    /// before this task had a turn.
    async fn longest_row(&self, pools: &[&Pool], count: usize, work: Duration) -> usize {
        let (mut row, mut longest) = (0, 0);
        for pool in pools.iter().cycle().take(count) {
            let before = self.turns.load(Ordering::Relaxed);
            short_calls(pool, 1).await;
            let is_alone = self.turns.load(Ordering::Relaxed) == before;
            row = if is_alone { row + 1 } else { 0 };
            longest = longest.max(row);
            std::thread::sleep(work);
        }
        longest
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// On one thread, which a caller that never sleeps must not keep for itself.
#[tokio::test]
async fn callers_stay_awake_and_other_tasks_go_on() {
    let pool = start(Pools::ONE).await;
    let other = Other::begin();
    // On a machine that has much else to do hardly a call is short.
    until(async || other.longest_row(&[&pool], 500, Duration::ZERO).await > 2).await;
    let longest = other.longest_row(&[&pool], 10_000, Duration::ZERO).await;
    assert!(longest < 30, "{longest}");
}

/// Calls are short, and what the program does with their values is not, whichever worker it calls.
#[tokio::test]
async fn other_tasks_go_on_while_one_works_between_its_calls() {
    let (one, other) = (start(Pools::ONE).await, start(Pools::ONE).await);
    for pools in [&[&one][..], &[&one, &other]] {
        for pool in pools {
            short_calls(pool, 100).await;
        }
        let beside = Other::begin();
        let work = Duration::from_millis(2);
        let longest = beside.longest_row(pools, 300, work).await;
        assert!(longest < 2, "{longest}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_of_the_worker_is_answered_between_short_calls_and_after_them() {
    const CALLS: usize = 200;
    let tools = HostTools::new().tool("double", async |number: i64| Ok::<_, String>(2 * number));
    let builder = Pool::builder(Pools::ONE).host_tools(tools);
    let pool = builder.start(&PoolConfig::default()).await.unwrap();
    short_calls(&pool, 200).await;
    for round in 1..=3 {
        pool.execute::<_, ()>("ask_aside", &CALLS).await.unwrap();
        // Its calls come between the replies ...
        while pool.execute::<_, usize>("answered", &()).await.unwrap() < round * CALLS - CALLS / 2 {
        }
        // ... and while nobody waits for one.
        until(async || {
            tokio::time::sleep(Duration::from_millis(50)).await;
            pool.execute::<_, usize>("answered", &()).await.unwrap() == round * CALLS
        })
        .await;
    }
}

#[tokio::test]
async fn a_long_call_after_short_ones_is_over_at_its_limit_and_holds_up_no_other() {
    let pool = start(Pools::TWO).await;
    short_calls(&pool, 200).await;
    let limit = CallOptions::new().time_limit(Duration::from_millis(200));
    let long = pool.execute_with::<_, ()>("nap", &60, limit);
    let (long, ()) = tokio::join!(long, short_calls(&pool, 200));
    let error = long.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    short_calls(&pool, 200).await;
}

#[tokio::test]
async fn the_end_of_a_worker_after_short_calls_is_told() {
    let pool = start(Pools::ONE).await;
    for _ in 0..3 {
        short_calls(&pool, 200).await;
        let error = pool.execute::<_, ()>("leave", &3).await.unwrap_err();
        assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }
    short_calls(&pool, 200).await;
    let stats = pool.stats();
    assert_eq!((stats.in_flight, stats.errors), (0, 3), "{stats:?}");
}

#[tokio::test]
async fn a_worker_that_has_answered_enough_is_replaced_amid_short_calls() {
    let pool = start(Pools::RECYCLED).await;
    let mut workers = HashSet::new();
    until(async || {
        short_calls(&pool, 20).await;
        workers.insert(pool.workers()[0].pid);
        workers.len() == 5
    })
    .await;
    let stats = pool.stats();
    assert_eq!(stats.errors, 0, "{stats:?}");
    pool.shutdown().await;
}

#[tokio::test]
async fn a_session_has_its_short_calls_from_its_own_worker() {
    let pool = start(Pools::TWO).await;
    let session = pool.session("user-42").affinity(Affinity::StrictQueue);
    for number in 0..500_u64 {
        let sum: u64 = session.execute("add", &(number, 1)).await.unwrap();
        assert_eq!(sum, number + 1);
    }
    session.end().await.unwrap();
    let answered = pool.workers().iter().map(|worker| worker.requests).max();
    assert!(answered >= Some(500), "{:?}", pool.workers());
}

#[tokio::test]
async fn a_pool_ends_right_after_a_short_call() {
    for _ in 0..10 {
        let pool = start(Pools::ONE).await;
        short_calls(&pool, 100).await;
        pool.shutdown().await;
        let error = pool.execute::<_, u64>("add", &(1, 1)).await.unwrap_err();
        assert!(matches!(error, Error::ShutDown { .. }), "{error:?}");
    }
}

#[test]
fn threads_that_block_share_a_worker() {
    let pool = snakepit::blocking::Pool::start(Pools::ONE, &PoolConfig::default()).unwrap();
    let call = |count: u64| {
        for number in 0..count {
            let sum: u64 = pool.execute("add", &(number, 1)).unwrap();
            assert_eq!(sum, number + 1);
        }
    };
    call(2000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| call(500));
        }
    });
    call(2000);
    assert_eq!(pool.stats().requests, 6000);
    pool.shutdown();
}
