//! The pool on this machine's own Python: answers, errors, crashes, limits and the end.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{CallOptions, Error, Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_tests::{Hold, copy, process::exists, until};
use tokio::task::JoinHandle;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"])]
    pub tools: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 3)]
    pub three: PoolConfig,
    #[pool(environment = system, adapter = "tools", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "marked", python_path = ["python"])]
    pub marked: PoolConfig,
    #[pool(environment = system, adapter = "broken", python_path = ["python"])]
    pub broken: PoolConfig,
    #[pool(environment = system, adapter = "stuck", python_path = ["python"], startup_timeout = "500ms")]
    pub stuck: PoolConfig,
}

async fn tools() -> Pool {
    Pool::start(Pools::TOOLS, &PoolConfig::default())
        .await
        .unwrap()
}

/// Begins calls that run until they are let go.
fn begin_calls(pool: &Pool, calls: usize, hold: &Hold) -> Vec<JoinHandle<Result<u32, Error>>> {
    let calls = (0..calls).map(|_| {
        let (pool, path) = (pool.clone(), hold.path().to_owned());
        tokio::spawn(async move { pool.execute::<_, u32>("hold", &path).await })
    });
    calls.collect()
}

#[tokio::test]
async fn the_shape_of_the_argument_decides_how_a_tool_is_called() {
    let pool = tools().await;
    assert_eq!(pool.execute::<_, i64>("add", &(1, 2)).await.unwrap(), 3);
    assert_eq!(
        pool.execute::<_, i64>("add", &json!({"a": 1, "b": 5}))
            .await
            .unwrap(),
        6
    );
    assert_eq!(pool.execute::<_, i64>("add", &7).await.unwrap(), 7);
    assert_eq!(pool.execute::<_, i64>("counted", &()).await.unwrap(), 1);
    assert_eq!(pool.execute::<_, String>("echo", "hi").await.unwrap(), "hi");
    assert_eq!(pool.execute::<_, i64>("later", &5).await.unwrap(), 5);
    assert_eq!(pool.execute::<_, i64>("later", &6).await.unwrap(), 6);
    let pong: Value = pool.execute("ping", &()).await.unwrap();
    assert_eq!(pong["message"], "pong");
    let stats: Value = pool.execute("get_stats", &()).await.unwrap();
    assert_eq!(
        stats["python_version"],
        Pools::TOOLS.metadata.python_version
    );
    assert_eq!(stats["prefix"], Pools::TOOLS.metadata.prefix);
}

#[tokio::test]
async fn what_user_code_prints_cannot_harm_the_wire() {
    let pool = tools().await;
    assert_eq!(pool.execute::<_, String>("shout", "a").await.unwrap(), "A");
    assert_eq!(
        pool.execute::<_, u32>("fill_stderr", &20_000)
            .await
            .unwrap(),
        20_000
    );
    assert_eq!(pool.execute::<_, i64>("add", &(1, 1)).await.unwrap(), 2);
}

#[tokio::test]
async fn an_exception_arrives_with_its_type_message_and_traceback() {
    let pool = tools().await;
    let error = pool
        .execute::<_, ()>("fail", "no such row")
        .await
        .unwrap_err();
    let Error::Python { exception, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (exception.type_name.as_str(), exception.message.as_str()),
        ("ValueError", "no such row")
    );
    assert!(
        exception.traceback.contains("tools.py") && exception.traceback.contains("in fail"),
        "{exception:?}"
    );
    assert!(
        !exception.traceback.contains("snakepit bridge"),
        "{}",
        exception.traceback
    );
    let error = pool
        .execute::<_, ()>("fail_with_a_file_name", &())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(r"caf\udce9"), "{error}");
    let left = pool.execute::<_, ()>("leave", &()).await.unwrap_err();
    assert!(left.to_string().contains("SystemExit: 3"), "{left}");
    let wrong = pool
        .execute::<_, ()>("add", &json!({"c": 1}))
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("TypeError"), "{wrong}");
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn an_unknown_or_private_tool_is_refused_with_those_that_are_there() {
    let pool = tools().await;
    for name in ["no_such_tool", "_private", "count"] {
        let error = pool.execute::<_, ()>(name, &()).await.unwrap_err();
        let Error::UnknownTool { known, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(known.iter().any(|tool| tool == "add") && !known.iter().any(|tool| tool == name));
    }
}

#[tokio::test]
async fn an_adapter_that_marks_its_tools_offers_only_those() {
    let pool = Pool::start(Pools::MARKED, &PoolConfig::default())
        .await
        .unwrap();
    assert_eq!(pool.execute::<_, i64>("first", &()).await.unwrap(), 1);
    assert_eq!(pool.execute::<_, i64>("renamed", &()).await.unwrap(), 2);
    assert_eq!(
        pool.execute::<_, i64>("hidden_by_name", &()).await.unwrap(),
        3
    );
    let error = pool.execute::<_, ()>("helper", &()).await.unwrap_err();
    assert!(matches!(error, Error::UnknownTool { .. }), "{error:?}");
}

#[tokio::test]
async fn values_without_a_json_form_are_one_typed_error() {
    let pool = tools().await;
    for tool in ["unencodable", "not_a_number", "cyclic"] {
        let error = pool.execute::<_, Value>(tool, &()).await.unwrap_err();
        assert!(matches!(error, Error::Encoding { .. }), "{tool}: {error:?}");
        // The bridge's own names say nothing to a user.
        assert!(!error.to_string().contains("Unencodable"), "{error}");
    }
    let error = pool
        .execute::<_, Value>("deep", &100_000)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    let error = pool.execute::<_, Value>("deep", &500).await.unwrap_err();
    assert!(matches!(error, Error::Decoding { .. }), "{error:?}");
    let error = pool.execute::<_, i64>("echo", "text").await.unwrap_err();
    assert!(matches!(error, Error::Decoding { .. }), "{error:?}");
    let map = std::collections::BTreeMap::from([(vec![1], 1)]);
    let error = pool.execute::<_, i64>("echo", &map).await.unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    assert_eq!(pool.execute::<_, i64>("add", &(1, 1)).await.unwrap(), 2);
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn large_values_go_both_ways() {
    let pool = tools().await;
    let text = "x".repeat(20 << 20);
    assert_eq!(
        pool.execute::<_, usize>("length_of", &text).await.unwrap(),
        text.len()
    );
    let back: String = pool.execute("echo", &text).await.unwrap();
    assert!(back == text);
    let accents: String = pool.execute("text_of", &1_000_000).await.unwrap();
    assert_eq!(accents.chars().count(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_fails_the_request_that_had_begun_and_no_other() {
    let pool = tools().await;
    // Teaches the pool that requests are short, so that it sends several ahead.
    for _ in 0..50 {
        pool.execute::<_, i64>("add", &(1, 1)).await.unwrap();
    }
    let mut calls = Vec::new();
    for number in 0..40_i64 {
        let pool = pool.clone();
        calls.push(tokio::spawn(async move {
            if number == 5 {
                pool.execute::<_, i64>("crash", &()).await
            } else {
                pool.execute::<_, i64>("add", &(number, 0)).await
            }
        }));
    }
    let mut crashed = 0;
    for (number, call) in (0_i64..).zip(calls) {
        match call.await.unwrap() {
            Ok(value) => assert_eq!(value, number),
            Err(Error::WorkerCrashed {
                tool,
                status,
                stderr,
                ..
            }) => {
                assert_eq!(
                    (tool.as_str(), status.as_str()),
                    ("crash", "exit status: 7")
                );
                assert!(stderr.contains("about to go"), "{stderr}");
                crashed += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((crashed, pool.stats().restarts), (1, 1));
}

#[tokio::test]
async fn a_worker_that_misbehaves_costs_one_typed_error_and_is_replaced() {
    let pool = tools().await;
    let before: u32 = pool.execute("pid", &()).await.unwrap();
    for (tool, wanted) in [
        ("kill_me", "SIGKILL"),
        ("garbage", "this is no frame"),
        ("close_descriptors", "exit status: 70"),
        ("fork_and_die", "exit status: 9"),
    ] {
        let error = pool.execute::<_, ()>(tool, &()).await.unwrap_err();
        let Error::WorkerCrashed { status, .. } = &error else {
            panic!("{tool}: {error:?}");
        };
        assert!(status.contains(wanted), "{tool}: {status}");
        assert_eq!(pool.execute::<_, i64>("add", &(1, 1)).await.unwrap(), 2);
    }
    assert_eq!(pool.stats().restarts, 4);
    until(async || !exists(before)).await;
}

#[tokio::test]
async fn requests_beyond_the_queue_are_refused_at_once() {
    let config = PoolConfig {
        queue_limit: Some(2),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::TOOLS, &config).await.unwrap();
    let hold = Hold::on_tools();
    let calls = begin_calls(&pool, 3, &hold);
    until(async || pool.stats().queued == 2).await;
    let error = pool.execute::<_, u32>("pid", &()).await.unwrap_err();
    assert!(
        matches!(error, Error::QueueFull { limit: 2, .. }),
        "{error:?}"
    );
    drop(hold);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn workers_and_threads_share_the_load() {
    let three = Pool::start(Pools::THREE, &PoolConfig::default())
        .await
        .unwrap();
    assert_eq!((three.stats().workers, three.stats().ready), (3, 3));
    let hold = Hold::on_tools();
    let calls = begin_calls(&three, 3, &hold);
    hold.begun(3).await;
    drop(hold);
    let mut pids = HashSet::new();
    for call in calls {
        pids.insert(call.await.unwrap().unwrap());
    }
    assert_eq!(pids.len(), 3);

    let threads = Pool::start(Pools::THREADS, &PoolConfig::default())
        .await
        .unwrap();
    let hold = Hold::on_tools();
    let calls = begin_calls(&threads, 4, &hold);
    hold.begun(4).await;
    assert_eq!((threads.stats().in_flight, threads.stats().queued), (4, 0));
    drop(hold);
    let mut pids = HashSet::new();
    for call in calls {
        pids.insert(call.await.unwrap().unwrap());
    }
    assert_eq!(pids.len(), 1);
}

#[tokio::test]
async fn a_worker_that_cannot_start_says_why() {
    let error = Pool::start(Pools::BROKEN, &PoolConfig::default())
        .await
        .unwrap_err();
    let Error::Startup {
        reason,
        exception,
        stderr,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    let said = "adapter `broken` was not imported: RuntimeError: no model file (`";
    assert!(reason.starts_with(said), "{reason}");
    assert!(reason.contains("broken.py`, line "), "{reason}");
    assert!(
        exception.as_ref().unwrap().traceback.contains("broken.py"),
        "{exception:?}"
    );
    assert!(stderr.contains("about to fail"), "{stderr}");
    let error = Pool::start(Pools::STUCK, &PoolConfig::default())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("not ready within 500ms"),
        "{error}"
    );
    let config = PoolConfig {
        size: Some(0),
        ..PoolConfig::default()
    };
    let error = Pool::start(Pools::TOOLS, &config).await.unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
}

#[tokio::test]
async fn shutdown_finishes_what_was_accepted_and_leaves_no_process() {
    let pool = tools().await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let hold = Hold::on_tools();
    let calls = begin_calls(&pool, 3, &hold);
    until(async || pool.stats().in_flight + pool.stats().queued == 3).await;
    // They are let go once the shutdown has begun.
    tokio::join!(pool.shutdown(), async { drop(hold) });
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), pid);
    }
    assert!(!exists(pid));
    let error = pool.execute::<_, u32>("pid", &()).await.unwrap_err();
    assert!(matches!(error, Error::ShutDown { .. }), "{error:?}");
    pool.shutdown().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_longer_than_its_limit() {
    let config = PoolConfig {
        shutdown_timeout: Some(Duration::from_millis(200)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::TOOLS, &config).await.unwrap();
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let busy = pool.clone();
    let call = tokio::spawn(async move { busy.execute::<_, ()>("spin", &60).await });
    until(async || pool.stats().in_flight == 1).await;
    pool.shutdown().await;
    assert!(!exists(pid));
    let error = call.await.unwrap().unwrap_err();
    assert!(
        matches!(error, Error::WorkerCrashed { .. } | Error::ShutDown { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_workers() {
    let pool = tools().await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    assert!(exists(pid));
    drop(pool);
    until(async || !exists(pid)).await;
}

/// What a future of a start says at its first poll, outside any runtime.
fn outside<T>(start: impl Future<Output = Result<T, Error>>) -> String {
    let mut start = std::pin::pin!(start);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match start.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => error.to_string(),
        _ => panic!("it waits for a runtime that is not there"),
    }
}

#[test]
fn pools_outside_a_runtime_are_one_error_that_names_both_ways_out() {
    let config = PoolConfig::default();
    let pools = Pools::default();
    for error in [
        outside(Pool::start(Pools::TOOLS, &config)),
        outside(pools.start_pools()),
    ] {
        for wanted in [
            "outside a Tokio runtime",
            "#[tokio::main]",
            "start_pools_blocking",
        ] {
            assert!(error.contains(wanted), "{error}");
        }
    }
}

/// Another executor: one thread that sleeps until its future is to be looked at again.
fn elsewhere<T>(future: impl Future<Output = T>) -> T {
    struct Sleeper(std::thread::Thread);
    impl std::task::Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Sleeper(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::park();
    }
}

#[test]
fn a_pool_is_called_and_ended_from_another_executor() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(tools());
    elsewhere(async {
        let value: i64 = pool.execute("echo", &7).await.unwrap();
        assert_eq!(value, 7);
        let limit = CallOptions::new().time_limit(Duration::from_millis(100));
        let late = pool.execute_with::<_, ()>("sleep", &60, limit).await;
        assert!(matches!(late, Err(Error::TimedOut { .. })), "{late:?}");
        let mut map = pool.map::<_, _, i64>("echo", 0..10);
        for wanted in 0..10 {
            assert_eq!(map.next().await.unwrap().unwrap(), wanted);
        }
        pool.shutdown().await;
        let over = pool.execute::<_, i64>("echo", &7).await;
        assert!(matches!(over, Err(Error::ShutDown { .. })), "{over:?}");
    });
}

#[test]
fn a_runtime_without_a_driver_is_one_error_and_at_most_one_panic() {
    use std::panic::{set_hook, take_hook};
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = take_hook();
    set_hook(Box::new(move |info| {
        // Those of other tests are none of Tokio's runtime.
        if info.to_string().contains("A Tokio 1.x context") {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
    type Build = fn() -> tokio::runtime::Builder;
    let kinds: [Build; 2] = [
        tokio::runtime::Builder::new_current_thread,
        tokio::runtime::Builder::new_multi_thread,
    ];
    for build in kinds {
        for (runtime, missing) in [
            (build().enable_io().build(), "no time driver"),
            (build().enable_time().build(), "no I/O driver"),
            (build().build(), "no time driver"),
        ] {
            PANICS.store(0, Ordering::Relaxed);
            // Several pools: it is said once.
            let started = runtime.unwrap().block_on(Pools::default().start_pools());
            let error = started.expect_err("it cannot wait for its workers");
            assert!(matches!(error, Error::Config { .. }), "{error}");
            let error = error.to_string();
            assert!(
                error.contains(missing) && error.contains("enable_all"),
                "{error}"
            );
            assert!(PANICS.load(Ordering::Relaxed) <= 1, "{missing}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_exactly_one_outcome_while_workers_die() {
    const TASKS: u64 = 50;
    const CALLS: u64 = 100;
    let config = PoolConfig {
        // They are meant to die this often.
        max_restarts: Some(u32::MAX),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::THREE, &config).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let (mut right, mut died) = (0, 0);
                for call in 0..CALLS {
                    let number = task * CALLS + call;
                    if number.is_multiple_of(97) {
                        let error = pool.execute::<_, ()>("kill_me", &()).await.unwrap_err();
                        assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
                        died += 1;
                    } else {
                        let sum = pool.execute::<_, u64>("add", &(number, 1)).await.unwrap();
                        assert_eq!(sum, number + 1);
                        right += 1;
                    }
                }
                (right, died)
            })
        })
        .collect();
    let (mut right, mut died) = (0, 0);
    for task in tasks {
        let (some, others) = task.await.unwrap();
        right += some;
        died += others;
    }
    assert_eq!(right + died, TASKS * CALLS);
    let stats = pool.stats();
    assert_eq!((stats.requests, stats.errors), (TASKS * CALLS, died));
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
    // The last one that died may be on its way to a successor.
    assert!(stats.restarts + 3 >= died, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_request_holds_up_none_that_another_worker_could_take() {
    let config = PoolConfig {
        size: Some(2),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::TOOLS, &config).await.unwrap();
    for _ in 0..200 {
        pool.execute::<_, i64>("add", &(1, 1)).await.unwrap();
    }
    let hold = Hold::on_tools();
    let slow = begin_calls(&pool, 1, &hold);
    hold.begun(1).await;
    // One that has begun a moment ago may be as short as those before it, and get a request behind it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.execute::<_, i64>("add", &(number, 1)).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    drop(hold);
    for call in slow {
        call.await.unwrap().unwrap();
    }
}

#[test]
fn a_pool_whose_runtime_has_gone_says_that_it_is_shut_down() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime();
    let pool = first.block_on(tools());
    let pid: u32 = first.block_on(pool.execute("pid", &())).unwrap();
    drop(first);
    let error = runtime()
        .block_on(pool.execute::<_, u32>("pid", &()))
        .unwrap_err();
    assert!(matches!(error, Error::ShutDown { .. }), "{error:?}");
    runtime().block_on(until(async || !exists(pid)));
}

#[tokio::test]
async fn files_in_the_working_directory_stand_before_no_module() {
    let folder = tempfile::tempdir().unwrap();
    for module in ["_struct", "_json", "select", "json", "tools"] {
        let file = folder.path().join(module).with_extension("py");
        std::fs::write(file, "raise SystemExit('this is another module')").unwrap();
    }
    let spec: &SpawnSpec = Box::leak(Box::new(SpawnSpec {
        cwd: Some(folder.path().to_str().unwrap().to_owned().leak()),
        ..copy(Pools::TOOLS)
    }));
    let pool = Pool::start(spec, &PoolConfig::default()).await.unwrap();
    assert_eq!(pool.execute::<_, i64>("add", &(1, 2)).await.unwrap(), 3);
}
