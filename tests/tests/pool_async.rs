//! The async profile: many `async def` tools at a time in one worker.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use serde_json::Value;
use snakepit::{Error, Pool, PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "async_tools", python_path = ["python"], profile = async(concurrency = 8))]
    pub eight: PoolConfig,
    #[pool(environment = system, adapter = "async_tools", python_path = ["python"], profile = async(concurrency = 8), size = 2)]
    pub two: PoolConfig,
}

async fn eight() -> Pool {
    Pool::start(Pools::EIGHT, &PoolConfig::default())
        .await
        .unwrap()
}

/// Calls a tool so many times at once.
async fn calls(
    pool: &Pool,
    count: usize,
    tool: &'static str,
    argument: u32,
) -> Vec<Result<Value, Error>> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.execute(tool, &argument).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn as_many_async_tools_run_at_a_time_as_the_profile_says() {
    let pool = eight().await;
    for outcome in calls(&pool, 8, "meet", 8).await {
        assert_eq!(outcome.unwrap(), 8);
    }
    let late: Vec<_> = calls(&pool, 50, "later", 5).await;
    assert_eq!(late.len(), 50);
    assert!(late.into_iter().all(|outcome| outcome.unwrap() == 5));
}

#[tokio::test]
async fn plain_functions_run_beside_the_loop_and_do_not_hold_it_up() {
    let pool = eight().await;
    assert!(pool.execute::<_, bool>("on_the_loop", &()).await.unwrap());
    assert!(pool.execute::<_, bool>("in_a_thread", &()).await.unwrap());
    let slow = pool.clone();
    let slow = tokio::spawn(async move { slow.execute::<_, u32>("sleep", &1.5).await });
    while pool.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    for number in 0..20 {
        assert_eq!(
            pool.execute::<_, i64>("later", &number).await.unwrap(),
            number
        );
    }
    assert!(!slow.is_finished());
    slow.await.unwrap().unwrap();
    assert_eq!(pool.execute::<_, i64>("given_later", &3).await.unwrap(), 3);
    assert_eq!(pool.execute::<_, i64>("partly", &4).await.unwrap(), 4);
    let pong: Value = pool.execute("ping", &()).await.unwrap();
    assert_eq!(pong["message"], "pong");
}

#[tokio::test]
async fn errors_of_async_tools_are_those_of_other_tools() {
    let pool = eight().await;
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
    assert!(exception.traceback.contains("in fail"), "{exception:?}");
    assert!(
        !exception.traceback.contains("snakepit bridge"),
        "{exception:?}"
    );
    for (tool, wanted) in [("leave", "SystemExit: 3"), ("give_up", "CancelledError")] {
        let error = pool.execute::<_, ()>(tool, &()).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{tool}: {error}");
    }
    let error = pool.execute::<_, ()>("unencodable", &()).await.unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    let error = pool
        .execute::<_, ()>("later", &(1, 2, 3))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("TypeError"), "{error}");
    let error = pool
        .execute::<_, ()>("no_such_tool", &())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UnknownTool { .. }), "{error:?}");
    let stats: Value = pool.execute("get_stats", &()).await.unwrap();
    assert_eq!(
        (stats["requests"].as_u64(), stats["errors"].as_u64()),
        (Some(6), Some(6))
    );
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn a_crash_fails_what_may_have_begun_and_loses_nothing_else() {
    let pool = Pool::start(Pools::TWO, &PoolConfig::default())
        .await
        .unwrap();
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                if number == 10 {
                    pool.execute::<_, i64>("crash", &()).await
                } else {
                    pool.execute::<_, i64>("later", &number).await
                }
            })
        })
        .collect();
    let (mut right, mut crashed) = (0, 0);
    for (number, task) in (0..).zip(tasks) {
        match task.await.unwrap() {
            Ok(value) => {
                assert_eq!(value, number);
                right += 1;
            }
            Err(Error::WorkerCrashed { status, .. }) => {
                assert_eq!(status, "exit status: 7");
                crashed += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(right + crashed, 60);
    assert!((1..=8).contains(&crashed), "{crashed}");
}

#[tokio::test]
async fn shutdown_finishes_what_runs_on_the_loop() {
    let pool = eight().await;
    let begun = pool.clone();
    let begun = tokio::spawn(async move { begun.execute::<_, i64>("later", &(1, 0.3)).await });
    while pool.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    pool.shutdown().await;
    assert_eq!(begun.await.unwrap().unwrap(), 1);
}
