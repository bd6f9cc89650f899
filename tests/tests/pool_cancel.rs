//! Calls that nobody waits for any more, time limits, and calls that may run twice.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::time::Duration;

use serde_json::Value;
use snakepit::{CallOptions, Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{Hold, process::exists, start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "stubborn", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "stubborn", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "stubborn", python_path = ["python"], profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

/// Calls a tool and drops the call when the tool has begun.
async fn begin_and_drop(pool: &Pool, tool: &str, name: &str) {
    let hold = Hold::on_tools();
    let arguments = (60, name, hold.path());
    tokio::select! {
        outcome = pool.execute::<_, Value>(tool, &arguments) => panic!("{outcome:?}"),
        () = hold.begun(1) => {}
    }
}

async fn log(pool: &Pool) -> Vec<String> {
    pool.execute("what_happened", &()).await.unwrap()
}

#[tokio::test]
async fn a_dropped_call_interrupts_its_tool_and_its_worker_goes_on() {
    let pool = start(Pools::ONE).await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    begin_and_drop(&pool, "spin", "a").await;
    assert_eq!(log(&pool).await, ["begun a", "Cancelled in a", "end of a"]);
    begin_and_drop(&pool, "sleep", "b").await;
    assert_eq!(log(&pool).await[3..], ["begun b", "end of b"]);
    begin_and_drop(&pool, "wait", "c").await;
    assert_eq!(log(&pool).await[5..], ["begun c", "CancelledError in c"]);
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn a_passed_limit_is_one_error_and_interrupts_the_tool() {
    let pool = start(Pools::ONE).await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let short = CallOptions::new().time_limit(Duration::from_millis(200));
    for tool in ["spin", "sleep", "wait"] {
        let error = pool
            .execute_with::<_, Value>(tool, &60, short)
            .await
            .unwrap_err();
        let Error::TimedOut { limit, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*limit, Duration::from_millis(200));
    }
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!((pool.stats().restarts, pool.stats().in_flight), (0, 0));
}

#[tokio::test]
async fn a_tool_that_does_not_stop_costs_its_worker_and_nobody_elses_request() {
    let config = PoolConfig {
        cancel_timeout: Some(Duration::from_millis(300)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::ONE, &config).await.unwrap();
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let short = CallOptions::new().time_limit(Duration::from_millis(200));
    let refusing = pool.execute_with::<_, ()>("refuse", &60, short);
    let behind = async {
        until(async || pool.stats().in_flight == 1).await;
        pool.execute::<_, u32>("pid", &()).await
    };
    let (refused, behind) = tokio::join!(refusing, behind);
    assert!(
        matches!(refused, Err(Error::TimedOut { .. })),
        "{refused:?}"
    );
    assert_ne!(behind.unwrap(), pid);
    assert!(!exists(pid));
    assert_eq!(pool.stats().restarts, 1);
}

#[tokio::test]
async fn what_nobody_polls_ends_at_its_limit_all_the_same() {
    let config = PoolConfig {
        execute_timeout: Some(Duration::from_millis(300)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::ONE, &config).await.unwrap();
    let mut call = Box::pin(pool.execute::<_, ()>("spin", &60));
    assert!(futures_poll(&mut call).is_none());
    until(async || pool.stats().in_flight == 0).await;
    let error = call.await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(pool.stats().restarts, 0);
}

/// Polls once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn what_was_cancelled_before_it_began_never_runs() {
    let pool = start(Pools::ONE).await;
    // Teaches the pool that requests are short, so that it sends several ahead.
    for _ in 0..50 {
        pool.execute::<_, i64>("add", &(1, 1)).await.unwrap();
    }
    let busy = pool.clone();
    let busy = tokio::spawn(async move { busy.execute::<_, u32>("sleep", &(0.5, "first")).await });
    until(async || pool.stats().in_flight == 1).await;
    {
        let mut second = Box::pin(pool.execute::<_, ()>("spin", &(60, "second")));
        let mut third = Box::pin(pool.execute::<_, ()>("spin", &(60, "third")));
        assert!(futures_poll(&mut second).is_none() && futures_poll(&mut third).is_none());
    }
    busy.await.unwrap().unwrap();
    assert_eq!(log(&pool).await, ["begun first", "end of first"]);
}

#[tokio::test]
async fn a_thread_is_interrupted_and_the_other_threads_are_not() {
    let pool = start(Pools::THREADS).await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    for round in 0..8 {
        let name = format!("round {round}");
        let others: Vec<_> = (0..2)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.execute::<_, f64>("nap", &0.4).await })
            })
            .collect();
        begin_and_drop(&pool, "spin", &name).await;
        for other in others {
            other.await.unwrap().unwrap();
        }
        let ended = format!("end of {name}");
        until(async || log(&pool).await.contains(&ended)).await;
        assert!(log(&pool).await.contains(&format!("Cancelled in {name}")));
    }
    begin_and_drop(&pool, "wait", "on a loop").await;
    let ended = "CancelledError in on a loop".to_owned();
    until(async || log(&pool).await.contains(&ended)).await;
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn a_thread_that_does_not_stop_waits_for_the_others_before_its_worker_is_replaced() {
    let config = PoolConfig {
        cancel_timeout: Some(Duration::from_millis(200)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::THREADS, &config).await.unwrap();
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let others: Vec<_> = (0..3)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.execute::<_, f64>("nap", &1.5).await })
        })
        .collect();
    let short = CallOptions::new().time_limit(Duration::from_millis(200));
    let error = pool
        .execute_with::<_, ()>("refuse", &60, short)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    let late = pool.execute::<_, u32>("pid", &()).await.unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_ne!(late, pid);
    until(async || !exists(pid)).await;
    assert_ne!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!(pool.stats().restarts, 1);
}

#[tokio::test]
async fn on_an_event_loop_the_task_is_cancelled_and_a_thread_beside_it_interrupted() {
    let pool = start(Pools::LOOPS).await;
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    begin_and_drop(&pool, "wait", "a").await;
    begin_and_drop(&pool, "spin", "b").await;
    until(async || pool.stats().in_flight == 0).await;
    let log = log(&pool).await;
    for wanted in ["CancelledError in a", "Cancelled in b", "end of b"] {
        assert!(log.iter().any(|line| line == wanted), "{wanted}: {log:?}");
    }
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!(pool.stats().restarts, 0);
}

/// Many calls, half of which are dropped at any moment of their life: an interrupt that strikes another request than
/// its own would show as a wrong answer or as an exception.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_strikes_its_own_request_and_no_other() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        let tasks: Vec<_> = (0..8_u64)
            .map(|task| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut answered = 0;
                    for call in 0..150_u64 {
                        let number = task * 1000 + call;
                        if number.is_multiple_of(2) {
                            let sum = pool.execute::<_, u64>("add", &(number, 1)).await.unwrap();
                            assert_eq!(sum, number + 1);
                        } else {
                            let wait = Duration::from_micros(number * 7919 % 3000);
                            let nap = pool.execute::<_, f64>("nap", &0.001);
                            match tokio::time::timeout(wait, nap).await {
                                Ok(outcome) => answered += u32::from(outcome.unwrap() > 0.0),
                                Err(_) => continue,
                            }
                        }
                    }
                    answered
                })
            })
            .collect();
        let mut answered = 0;
        for task in tasks {
            answered += task.await.unwrap();
        }
        until(async || pool.stats().in_flight == 0).await;
        assert_eq!(pool.stats().restarts, 0, "{answered} {pool:?}");
    }
}

#[tokio::test]
async fn an_idempotent_call_is_tried_again_after_a_crash_but_not_for_ever() {
    let pool = start(Pools::ONE).await;
    let folder = std::env::temp_dir().join(format!("snakepit-idempotent-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let again = CallOptions::new().idempotent();
    let file = folder.join("twice");
    let runs: u64 = pool
        .execute_with("crash_first", &(&file, 2), again)
        .await
        .unwrap();
    assert_eq!(runs, 3);
    let file = folder.join("always");
    let error = pool
        .execute_with::<_, u64>("crash_first", &(&file, 9), again)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap().len(), 3);
    let file = folder.join("once");
    let error = pool
        .execute::<_, u64>("crash_first", &(&file, 1))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
