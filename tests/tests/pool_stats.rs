//! What can be seen of a pool from outside: its numbers, its workers.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::time::Duration;

use snakepit::{CallOptions, Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{process::exists, start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 2)]
    pub two: PoolConfig,
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"], profile = thread(threads = 2),
        max_requests = 5,
    )]
    pub short: PoolConfig,
}

#[tokio::test]
async fn what_calls_end_with_is_counted_by_kind() {
    let config = PoolConfig {
        queue_limit: Some(0),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::ONE, &config).await.unwrap();
    pool.execute::<_, i64>("add", &(1, 2)).await.unwrap();
    pool.execute::<_, ()>("fail", "no such row")
        .await
        .unwrap_err();
    pool.execute::<_, ()>("no_such_tool", &())
        .await
        .unwrap_err();
    pool.execute_stream::<_, ()>("add", &(1, 2))
        .next()
        .await
        .unwrap()
        .unwrap_err();
    pool.execute::<_, String>("add", &(1, 2)).await.unwrap_err();
    let short = CallOptions::new().time_limit(Duration::from_millis(100));
    let late = pool.execute_with::<_, ()>("spin", &60, short).await;
    assert!(matches!(late, Err(Error::TimedOut { .. })), "{late:?}");
    until(async || pool.stats().in_flight == 0).await;
    {
        let mut dropped = std::pin::pin!(pool.execute::<_, ()>("spin", &60));
        tokio::select! {
            biased;
            _ = &mut dropped => panic!("it runs for a minute"),
            () = std::future::ready(()) => {}
        }
        let full = pool.execute::<_, u32>("pid", &()).await;
        assert!(matches!(full, Err(Error::QueueFull { .. })), "{full:?}");
    }
    until(async || pool.stats().in_flight == 0).await;
    pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    pool.shutdown().await;
    pool.execute::<_, u32>("pid", &()).await.unwrap_err();

    let failed = pool.stats().failed;
    let counts = [
        failed.python,
        failed.misuse,
        failed.codec,
        failed.timed_out,
        failed.refused,
        failed.dropped,
        failed.worker_crashed,
        failed.shut_down,
        failed.unavailable,
    ];
    assert_eq!(counts, [1, 2, 1, 1, 1, 1, 1, 1, 0], "{failed:?}");
}

#[tokio::test]
async fn latencies_are_those_of_the_calls() {
    let pool = start(Pools::ONE).await;
    assert_eq!(pool.stats().latency.count, 0);
    for _ in 0..9 {
        pool.execute::<_, i64>("add", &(1, 2)).await.unwrap();
    }
    pool.execute::<_, u32>("sleep", &1).await.unwrap();
    let latency = pool.stats().latency;
    assert_eq!(latency.count, 10);
    assert!(latency.max >= Duration::from_millis(990), "{latency:?}");
    assert!(
        latency.p50 < latency.max && latency.p99 == latency.p999,
        "{latency:?}"
    );
    assert!(latency.mean >= Duration::from_millis(99), "{latency:?}");
}

#[tokio::test]
async fn each_worker_is_seen_with_its_process_its_memory_and_its_work() {
    let pool = start(Pools::TWO).await;
    let (first, second) = tokio::join!(
        pool.execute::<_, u32>("sleep", &0.2),
        pool.execute::<_, u32>("sleep", &0.2),
    );
    let mut pids = [first.unwrap(), second.unwrap()];
    let workers = pool.workers();
    let mut seen: Vec<u32> = workers.iter().filter_map(|worker| worker.pid).collect();
    pids.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, pids);
    for (number, worker) in workers.iter().enumerate() {
        assert_eq!((worker.worker, worker.requests), (number, 1));
        assert!(worker.ready && !worker.draining, "{worker:?}");
        assert!(worker.memory.unwrap() > 1 << 20, "{worker:?}");
        assert!(worker.age >= Duration::from_millis(190), "{worker:?}");
    }
    let memory: u64 = workers.iter().filter_map(|worker| worker.memory).sum();
    let together = pool.stats().memory;
    assert!(
        memory / 2 < together && together < memory * 2,
        "{memory} {together}"
    );

    pool.execute::<_, ()>("fail", "x").await.unwrap_err();
    pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    until(async || pool.stats().ready == 2).await;
    let workers = pool.workers();
    let restarts: u64 = workers.iter().map(|worker| worker.restarts).sum();
    let errors: u64 = workers.iter().map(|worker| worker.errors).sum();
    assert_eq!((restarts, pool.stats().restarts), (1, 1));
    // That of the worker that crashed, if it was the same, is forgotten with it.
    assert!(errors <= 1, "{workers:?}");
    assert_eq!(workers.iter().filter(|worker| worker.ready).count(), 2);
}

#[tokio::test]
async fn a_worker_that_finishes_what_it_has_is_seen_beside_its_replacement() {
    let pool = start(Pools::SHORT).await;
    let mut numbers = pool.execute_stream::<_, (u32, u32)>("count", &100);
    let (_, old) = numbers.next().await.unwrap().unwrap();
    while pool.stats().recycles == 0 {
        pool.execute::<_, u32>("pid", &()).await.unwrap();
    }
    let workers = pool.workers();
    let draining: Vec<_> = workers.iter().filter(|worker| worker.draining).collect();
    assert!(
        draining.iter().any(|worker| worker.pid == Some(old)),
        "{workers:?}"
    );
    assert!(workers[0].ready && workers[0].recycles >= 1, "{workers:?}");
    while let Some(item) = numbers.next().await {
        item.unwrap();
    }
    until(async || !exists(old)).await;
    until(async || !pool.workers().iter().any(|worker| worker.pid == Some(old))).await;
}
