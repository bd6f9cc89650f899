//! The pool for programs without an async runtime.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use snakepit::blocking::Pool;
use snakepit::{CallOptions, Error, Health, HostTools, PoolConfig, snakepit_pools};
use snakepit_tests::process::exists;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 2)]
    pub tools: PoolConfig,
    #[pool(environment = system, adapter = "flowing", python_path = ["python"])]
    pub flowing: PoolConfig,
}

fn start() -> Pool {
    Pool::start(Pools::TOOLS, &PoolConfig::default()).unwrap()
}

fn gone(pid: u32) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while exists(pid) && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
    }
    !exists(pid)
}

#[test]
fn calls_wait_for_their_value_their_error_or_their_limit() {
    let pool = start();
    assert_eq!(pool.execute::<_, i64>("add", &(1, 2)).unwrap(), 3);
    let error = pool.execute::<_, ()>("fail", "no such row").unwrap_err();
    assert!(matches!(error, Error::Python { .. }), "{error:?}");
    let short = CallOptions::new().time_limit(Duration::from_millis(100));
    let error = pool.execute_with::<_, ()>("spin", &60, short).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(pool.tools().iter().any(|tool| tool == "add"));
    assert_eq!(pool.stats().failed.timed_out, 1);
    assert_eq!(pool.workers().len(), 2);
    let pid: u32 = pool.execute("pid", &()).unwrap();
    pool.shutdown();
    assert!(!exists(pid));
    assert_eq!(pool.health(), Health::ShutDown);
    let error = pool.execute::<_, u32>("pid", &()).unwrap_err();
    assert!(matches!(error, Error::ShutDown { .. }), "{error:?}");
}

#[test]
fn many_threads_share_a_pool_and_each_gets_its_own_answer() {
    let pool = start();
    thread::scope(|scope| {
        for number in 0..32_i64 {
            let pool = &pool;
            scope.spawn(move || {
                for call in 0..50 {
                    let sum: i64 = pool.execute("add", &(number, call)).unwrap();
                    assert_eq!(sum, number + call);
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.requests, stats.in_flight), (1600, 0));
}

#[test]
fn streams_and_map_are_iterators() {
    let pool = Pool::start(Pools::FLOWING, &PoolConfig::default()).unwrap();
    let numbers: Result<Vec<u32>, Error> = pool.execute_stream("numbers", &100).collect();
    assert_eq!(numbers.unwrap(), (0..100).collect::<Vec<u32>>());
    let squares: Result<Vec<u64>, Error> = start()
        .map("add", (0..200_u64).map(|number| (number, number)))
        .collect();
    let wanted: Vec<u64> = (0..200).map(|number| 2 * number).collect();
    assert_eq!(squares.unwrap(), wanted);
}

#[test]
fn a_session_keeps_its_worker() {
    let pool = start();
    let session = pool.session("user-42");
    let pids: HashSet<u32> = (0..10)
        .map(|_| session.execute("pid", &()).unwrap())
        .collect();
    assert_eq!((session.id(), pids.len()), ("user-42", 1));
    session.end().unwrap();
}

#[test]
fn the_pools_of_a_struct_start_and_end_together() {
    let tools = HostTools::new().tool("twice", async |number: u32| Ok::<_, String>(2 * number));
    let pools = Pools::default().start_pools_blocking_with(tools).unwrap();
    let pid: u32 = pools.tools.execute("pid", &()).unwrap();
    pools.shutdown();
    assert!(!exists(pid));
    let pools = Pools::default().start_pools_blocking().unwrap();
    let pid: u32 = pools.tools.execute("pid", &()).unwrap();
    drop(pools);
    assert!(gone(pid));
}

#[test]
fn inside_an_async_runtime_it_holds_up_its_thread_and_still_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pid: u32 = runtime.block_on(async {
        let pool = start();
        // More than one task may do without giving way.
        for number in 0..500_i64 {
            assert_eq!(pool.execute::<_, i64>("add", &number).unwrap(), number);
        }
        let inside = pool.clone();
        let blocking = tokio::task::spawn_blocking(move || inside.execute::<_, u32>("pid", &()));
        let pid = blocking.await.unwrap().unwrap();
        assert_eq!(
            tokio::spawn(async move { pool.execute::<_, i64>("add", &(1, 2)) })
                .await
                .unwrap()
                .unwrap(),
            3
        );
        pid
    });
    assert!(gone(pid));
}
