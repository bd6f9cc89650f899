//! Workers that die, hang, grow old and leave others behind, on this machine's own Python.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use snakepit::{Affinity, Error, Health, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{process::exists, start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"],
        env(UNRULY = "one"), restart_delay = "10ms", max_restart_delay = "100ms", max_restarts = 3,
        restart_window = "1h",
    )]
    pub one: PoolConfig,
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"], size = 2,
        max_restarts = 1, max_restart_delay = "1h", restart_window = "1h",
    )]
    pub two: PoolConfig,
    #[pool(environment = system, adapter = "unruly", python_path = ["python"], size = 2, max_requests = 40)]
    pub processes: PoolConfig,
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"], size = 2, max_requests = 40,
        profile = thread(threads = 3),
    )]
    pub threads: PoolConfig,
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"], size = 2, max_requests = 40,
        profile = async(concurrency = 8),
    )]
    pub tasks: PoolConfig,
    #[pool(environment = system, adapter = "unruly", python_path = ["python"], heartbeat_timeout = "2s")]
    pub watched: PoolConfig,
    #[pool(
        environment = system, adapter = "unruly", python_path = ["python"], kill_timeout = "200ms",
        shutdown_timeout = "200ms",
    )]
    pub plain: PoolConfig,
}

/// While it lives, no worker of the pool starts.
struct Cause(PathBuf);

impl Cause {
    fn of(pool: &str) -> Self {
        let name = format!("snakepit-unruly-{}-{pool}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "").unwrap();
        Self(path)
    }
}

impl Drop for Cause {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

async fn pid(pool: &Pool) -> Result<u32, Error> {
    pool.execute("pid", &()).await
}

async fn crash(pool: &Pool) {
    let error = pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_worker_that_cannot_start_makes_the_pool_degraded_until_it_can() {
    let pool = start(Pools::ONE).await;
    assert_eq!(pool.health(), Health::Healthy);
    let cause = Cause::of("one");
    crash(&pool).await;
    // This one waits for the next worker; when there is none to be had, it does not wait any longer.
    let waiting = pid(&pool).await.unwrap_err();
    assert!(matches!(waiting, Error::Degraded { .. }), "{waiting:?}");
    let Health::Degraded {
        workers,
        exception: Some(exception),
        stderr,
        ..
    } = pool.health()
    else {
        panic!("{:?}", pool.health());
    };
    assert_eq!((workers, pool.stats().degraded), (1, 1));
    assert_eq!(exception.type_name, "ConnectionError");
    assert!(stderr.contains("the database is not there"), "{stderr}");
    let at_once = pid(&pool).await.unwrap_err();
    let Error::Degraded { reason, stderr, .. } = &at_once else {
        panic!("{at_once:?}");
    };
    assert!(
        reason.contains("no database") && stderr.contains("the database is not there"),
        "{at_once}"
    );
    drop(cause);
    until(async || match pid(&pool).await {
        Ok(_) => true,
        Err(Error::Degraded { .. }) => false,
        Err(other) => panic!("{other:?}"),
    })
    .await;
    assert_eq!(pool.health(), Health::Healthy);
    assert_eq!((pool.stats().degraded, pool.stats().queued), (0, 0));
    pool.shutdown().await;
    assert_eq!(pool.health(), Health::ShutDown);
}

#[tokio::test]
async fn a_worker_that_dies_now_and_then_is_replaced() {
    let pool = start(Pools::ONE).await;
    for restarts in 1..=3 {
        crash(&pool).await;
        pid(&pool).await.unwrap();
        assert_eq!(pool.stats().restarts, restarts);
        assert_eq!(pool.health(), Health::Healthy);
    }
}

#[tokio::test]
async fn the_others_go_on_when_one_worker_failed_too_often() {
    let config = PoolConfig {
        max_restarts: Some(0),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::TWO, &config).await.unwrap();
    crash(&pool).await;
    until(async || pool.stats().degraded == 1).await;
    for _ in 0..20 {
        pid(&pool).await.unwrap();
    }
    assert!(matches!(pool.health(), Health::Degraded { workers: 1, .. }));
    crash(&pool).await;
    until(async || pool.stats().degraded == 2).await;
    let error = pid(&pool).await.unwrap_err();
    let Error::Degraded { reason, stderr, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(reason.contains("exit status: 7"), "{error}");
    assert_eq!(stderr, "about to go");
}

#[tokio::test]
async fn workers_are_replaced_under_load_and_no_request_is_lost() {
    for spec in [Pools::PROCESSES, Pools::THREADS, Pools::TASKS] {
        let pool = start(spec).await;
        let end = Instant::now() + Duration::from_secs(60);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let (mut calls, mut pids) = (0, HashSet::new());
                    while pool.stats().recycles < 4 && Instant::now() < end {
                        pids.insert(pid(&pool).await.unwrap());
                        calls += 1;
                    }
                    (calls, pids)
                })
            })
            .collect();
        let (mut calls, mut pids) = (0, HashSet::new());
        for task in tasks {
            let (more, others) = task.await.unwrap();
            calls += more;
            pids.extend(others);
        }
        let stats = pool.stats();
        assert_eq!(
            (stats.requests, stats.errors, stats.restarts),
            (calls, 0, 0)
        );
        assert!(stats.recycles >= 4 && pids.len() > 2, "{stats:?} {pids:?}");
        until(async || pids.iter().filter(|pid| exists(**pid)).count() <= 2).await;
        assert_eq!(pool.health(), Health::Healthy);
        pool.shutdown().await;
        assert!(!pids.iter().any(|pid| exists(*pid)), "{pids:?}");
    }
}

#[tokio::test]
async fn a_stream_is_finished_by_the_worker_that_began_it() {
    let config = PoolConfig {
        size: Some(1),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::THREADS, &config).await.unwrap();
    let mut numbers = pool.execute_stream::<_, (u32, u32)>("count", &200);
    let (_, old) = numbers.next().await.unwrap().unwrap();
    until(async || {
        pid(&pool).await.unwrap();
        pool.stats().recycles > 0
    })
    .await;
    assert_ne!(pid(&pool).await.unwrap(), old);
    let mut wanted = 1;
    while let Some(item) = numbers.next().await {
        assert_eq!(item.unwrap(), (wanted, old));
        wanted += 1;
    }
    assert_eq!(wanted, 200);
    until(async || !exists(old)).await;
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn a_worker_that_is_replaced_sees_to_the_end_of_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("why");
    let pool = start(Pools::PROCESSES).await;
    let strict = pool.session("user").affinity(Affinity::StrictQueue);
    let old: u32 = strict
        .execute("remember", path.to_str().unwrap())
        .await
        .unwrap();
    until(async || {
        let same = strict.execute::<_, u32>("pid", &()).await;
        same.inspect(|same| assert_eq!(*same, old)).is_err()
    })
    .await;
    let error = strict.execute::<_, u32>("pid", &()).await.unwrap_err();
    assert!(
        matches!(error, Error::SessionWorkerUnavailable { .. }),
        "{error:?}"
    );
    until(async || path.exists() && !exists(old)).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "replaced");
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn an_old_worker_and_a_large_one_are_replaced() {
    let aged = PoolConfig {
        max_age: Some(Duration::from_millis(100)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::PLAIN, &aged).await.unwrap();
    until(async || pool.stats().recycles > 1).await;
    pid(&pool).await.unwrap();
    let small = PoolConfig {
        max_memory: Some(100 << 20),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::PLAIN, &small).await.unwrap();
    let first: u32 = pool.execute("hoard", &1).await.unwrap();
    let second: u32 = pool.execute("hoard", &200).await.unwrap();
    assert_eq!(first, second);
    until(async || pool.stats().recycles == 1).await;
    assert_ne!(pid(&pool).await.unwrap(), first);
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn an_interpreter_that_is_stopped_or_never_gives_back_its_gil_is_noticed() {
    let pool = start(Pools::WATCHED).await;
    for tool in ["stop", "hold_the_gil"] {
        let error = pool.execute::<_, ()>(tool, &()).await.unwrap_err();
        let Error::WorkerCrashed { status, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(status.contains("no sign of life for 2s"), "{status}");
        pid(&pool).await.unwrap();
    }
    assert_eq!(pool.stats().restarts, 2);
}

#[tokio::test]
async fn a_tool_that_only_takes_long_is_not_hung() {
    let pool = start(Pools::WATCHED).await;
    let busy: u32 = pool.execute("spin", &5).await.unwrap();
    assert_eq!(pid(&pool).await.unwrap(), busy);
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn what_a_worker_started_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("to be cleaned up");
    let pool = start(Pools::PLAIN).await;
    for ends_by_crash in [true, false] {
        std::fs::write(&path, "").unwrap();
        let polite: u32 = pool
            .execute("start_child_that_cleans_up", path.to_str().unwrap())
            .await
            .unwrap();
        let stubborn: u32 = pool.execute("start_stubborn_child", &()).await.unwrap();
        let plain: u32 = pool.execute("start_child", &()).await.unwrap();
        let children = [polite, stubborn, plain];
        assert!(children.iter().all(|pid| exists(*pid)), "{children:?}");
        if ends_by_crash {
            crash(&pool).await;
            until(async || !children.iter().any(|pid| exists(*pid))).await;
        } else {
            pool.shutdown().await;
            assert!(!children.iter().any(|pid| exists(*pid)), "{children:?}");
        }
        assert!(!path.exists(), "it had no time to clean up");
    }
}

#[tokio::test]
async fn a_worker_that_refuses_to_go_is_killed() {
    let pool = start(Pools::PLAIN).await;
    let stubborn: u32 = pool.execute("refuse_to_go", &()).await.unwrap();
    let busy = pool.clone();
    let call = tokio::spawn(async move { busy.execute::<_, u32>("spin", &600).await });
    until(async || pool.stats().in_flight == 1).await;
    pool.shutdown().await;
    assert!(!exists(stubborn));
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::ShutDown { .. }), "{error:?}");
}
