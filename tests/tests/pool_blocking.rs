//! The pool for programs without an async runtime.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use snakepit::blocking::Pool;
use snakepit::{CallOptions, Error, Health, HostTools, PoolConfig, snakepit_pools};
use snakepit_tests::{blocking_until, process::exists};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 2)]
    pub tools: PoolConfig,
    #[pool(environment = system, adapter = "flowing", python_path = ["python"])]
    pub flowing: PoolConfig,
    #[pool(environment = system, adapter = "asking", python_path = ["python"])]
    pub asking: PoolConfig,
}

fn start() -> Pool {
    Pool::start(Pools::TOOLS, &PoolConfig::default()).unwrap()
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
    let session = pool.session("user-42");
    let options = CallOptions::new().time_limit(Duration::from_secs(60));
    let numbers: Result<Vec<u32>, Error> = session
        .execute_stream_with("numbers", &3, options)
        .collect();
    assert_eq!(numbers.unwrap(), [0, 1, 2]);
    let squares: Result<Vec<u64>, Error> = start()
        .map("add", (0..200_u64).map(|number| (number, number)))
        .collect();
    let wanted: Vec<u64> = (0..200).map(|number| 2 * number).collect();
    assert_eq!(squares.unwrap(), wanted);
}

#[test]
fn what_one_call_gives_is_what_the_next_one_takes_while_both_go_on() {
    let pool = start();
    let flowing = Pool::start(Pools::FLOWING, &PoolConfig::default()).unwrap();
    let numbers = flowing.execute_stream::<_, i64>("numbers", &50);
    let pairs = numbers.map(|number| (number.unwrap(), pool.execute::<_, i64>("add", &1).unwrap()));
    let sums: Result<Vec<i64>, Error> = pool.map("add", pairs).collect();
    assert_eq!(sums.unwrap(), (1..51).collect::<Vec<i64>>());
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
    blocking_until(|| !exists(pid));
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
    blocking_until(|| !exists(pid));
}

/// Where the pools' runtime runs while this thread calls: there run the program's tools.
fn asking() -> (Pool, impl Fn() -> String) {
    let name = async |(): ()| Ok::<_, String>(thread::current().name().map(str::to_owned));
    let builder = snakepit::Pool::builder(Pools::ASKING);
    let builder = builder.host_tools(HostTools::new().tool("thread", name));
    let pool = builder.start_blocking(&PoolConfig::default()).unwrap();
    let asked = pool.clone();
    (pool, move || asked.execute("ask", "thread").unwrap())
}

#[test]
fn who_calls_again_and_again_and_alone_drives_the_runtime_until_it_pauses() {
    let (_pool, driver) = asking();
    let own = thread::current().name().unwrap().to_owned();
    blocking_until(|| (0..1000).any(|_| driver() == own));
    blocking_until(|| driver() == "snakepit-runtime");
    blocking_until(|| (0..1000).any(|_| driver() == own));
}

#[test]
fn a_worker_that_dies_while_nobody_calls_is_replaced() {
    let pool = start();
    for number in 0..100_i64 {
        assert_eq!(pool.execute::<_, i64>("add", &number).unwrap(), number);
    }
    let pid: i32 = pool.execute("pid", &()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    blocking_until(|| pool.stats().restarts == 1);
}

#[test]
fn callers_of_every_kind_side_by_side_get_their_own_answers() {
    let pool = start();
    let flowing = Pool::start(Pools::FLOWING, &PoolConfig::default()).unwrap();
    let call = |number: i64| {
        let sum: i64 = pool.execute("add", &(number, 1)).unwrap();
        assert_eq!(sum, number + 1);
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..2000).for_each(call));
        scope.spawn(|| {
            for number in 0..40 {
                (0..20).for_each(call);
                // Longer and shorter than the pools' own thread leaves it to callers.
                thread::sleep(Duration::from_millis(number % 10));
            }
        });
        scope.spawn(|| {
            for _ in 0..20 {
                let numbers: Result<Vec<u32>, Error> =
                    flowing.execute_stream("numbers", &50).collect();
                assert_eq!(numbers.unwrap(), (0..50).collect::<Vec<u32>>());
                (0..20).for_each(call);
            }
        });
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(async { (0..500).for_each(call) });
        });
    });
    assert_eq!(pool.stats().in_flight, 0);
}

#[test]
fn a_panic_in_a_call_is_its_own() {
    struct Panics;

    impl<'de> serde::Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("nobody can read this")
        }
    }

    let (pool, driver) = asking();
    let own = thread::current().name().unwrap().to_owned();
    // While this thread drives, and while it does not.
    for _ in 0..20 {
        blocking_until(|| (0..1000).any(|_| driver() == own));
        let read = || pool.execute::<_, Panics>("echo", "hi").is_ok();
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
        assert_eq!(pool.execute::<_, String>("echo", "hi").unwrap(), "hi");
    }
}
