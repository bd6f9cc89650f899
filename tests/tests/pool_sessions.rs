//! Sessions: their worker, their store and their end.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{Affinity, CallOptions, Error, Pool, PoolConfig, Session, snakepit_pools};
use snakepit_tests::{Hold, start, until};
use tokio::task::JoinHandle;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "remembering", python_path = ["python"], size = 3)]
    pub hint: PoolConfig,
    #[pool(environment = system, adapter = "remembering", python_path = ["python"], size = 3, affinity = strict_queue)]
    pub queue: PoolConfig,
    #[pool(environment = system, adapter = "remembering", python_path = ["python"], size = 3, affinity = strict_fail_fast)]
    pub fast: PoolConfig,
    #[pool(environment = system, adapter = "remembering", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "remembering", python_path = ["python"], profile = async(concurrency = 8))]
    pub loops: PoolConfig,
}

#[tokio::test]
async fn calls_of_a_session_share_a_store_and_see_no_other() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        let (ann, bob) = (pool.session("ann"), pool.session("bob"));
        let _: u32 = ann.execute("put", &("name", "Ann")).await.unwrap();
        let _: u32 = bob.execute("put", &("name", "Bob")).await.unwrap();
        let _: u32 = bob.execute("put", &("age", 7)).await.unwrap();
        for tool in ["get", "get_later"] {
            let (one, other) = tokio::join!(
                ann.execute::<_, Value>(tool, "name"),
                bob.execute::<_, Value>(tool, "name")
            );
            assert_eq!((one.unwrap(), other.unwrap()), (json!("Ann"), json!("Bob")));
        }
        for tool in ["everything", "everything_later"] {
            let mut items = bob.execute_stream::<_, Value>(tool, &());
            assert_eq!(items.next().await.unwrap().unwrap(), json!(["age", 7]));
            assert_eq!(items.next().await.unwrap().unwrap(), json!(["name", "Bob"]));
            assert!(items.next().await.is_none());
        }
        assert_eq!(bob.execute::<_, Value>("who", &()).await.unwrap(), "bob");
        for _ in 0..6 {
            assert_eq!(
                pool.execute::<_, Value>("who", &()).await.unwrap(),
                Value::Null
            );
        }
        let error = pool.execute::<_, Value>("get", "name").await.unwrap_err();
        assert!(
            error.to_string().contains("belongs to no session"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_session_stays_with_its_worker_while_that_is_free() {
    for spec in [Pools::HINT, Pools::QUEUE, Pools::FAST] {
        let pool = start(spec).await;
        let mut homes = HashSet::new();
        for user in 0..6 {
            let session = pool.session(&format!("user {user}"));
            let home: u32 = session.execute("put", &("user", user)).await.unwrap();
            homes.insert(home);
            for _ in 0..5 {
                let now: u32 = session.execute("pid", &()).await.unwrap();
                assert_eq!(now, home, "{}", spec.pool);
                let _: u32 = pool.execute("pid", &()).await.unwrap();
            }
            assert_eq!(
                session.execute::<_, i64>("get", "user").await.unwrap(),
                user
            );
        }
    }
}

/// A call that keeps a worker busy.
struct Holding {
    hold: Hold,
    call: JoinHandle<u32>,
}

impl Holding {
    /// The worker, which is free again.
    async fn let_go(self) -> u32 {
        drop(self.hold);
        self.call.await.unwrap()
    }
}

/// A session whose worker is busy, and that worker.
async fn busy(pool: &Pool) -> (Session, u32, Holding) {
    let session = pool.session("user-42");
    let home: u32 = session.execute("put", &("key", 1)).await.unwrap();
    let hold = Hold::on_tools();
    let (holding, path) = (session.clone(), hold.path().to_owned());
    let call = tokio::spawn(async move { holding.execute::<_, u32>("hold", &path).await.unwrap() });
    hold.begun(1).await;
    (session, home, Holding { hold, call })
}

#[tokio::test]
async fn with_hint_a_call_goes_elsewhere_when_the_worker_is_busy() {
    let pool = start(Pools::HINT).await;
    let (session, home, holding) = busy(&pool).await;
    let other: u32 = session.execute("pid", &()).await.unwrap();
    assert_ne!(other, home);
    // The worker that was last given a call of it is its worker now.
    assert_eq!(session.execute::<_, u32>("pid", &()).await.unwrap(), other);
    assert_eq!(holding.let_go().await, home);
}

#[tokio::test]
async fn with_strict_queue_a_call_waits_for_its_worker_and_holds_up_no_other() {
    let pool = start(Pools::QUEUE).await;
    let (session, home, holding) = busy(&pool).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.execute::<_, u32>("pid", &()).await.unwrap() })
        })
        .collect();
    until(async || pool.stats().queued == 3).await;
    for _ in 0..10 {
        let other: u32 = pool.execute("pid", &()).await.unwrap();
        assert_ne!(other, home);
    }
    assert_eq!(holding.let_go().await, home);
    for call in waiting {
        assert_eq!(call.await.unwrap(), home);
    }
    let (session, _, holding) = busy(&pool).await;
    let short = CallOptions::new().time_limit(Duration::from_millis(100));
    let error = session
        .execute_with::<_, u32>("pid", &(), short)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(pool.stats().queued, 0);
    holding.let_go().await;
}

#[tokio::test]
async fn with_strict_fail_fast_a_call_fails_while_its_worker_is_busy() {
    let pool = start(Pools::FAST).await;
    let (session, home, holding) = busy(&pool).await;
    let error = session.execute::<_, u32>("pid", &()).await.unwrap_err();
    let Error::WorkerBusy { session: name, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(name, "user-42");
    let error = session
        .execute_stream::<_, Value>("everything", &())
        .next()
        .await;
    assert!(
        matches!(error, Some(Err(Error::WorkerBusy { .. }))),
        "{error:?}"
    );
    let waiting = session.clone().affinity(Affinity::StrictQueue);
    let waiting = tokio::spawn(async move { waiting.execute::<_, u32>("pid", &()).await });
    until(async || pool.stats().queued == 1).await;
    assert_eq!(holding.let_go().await, home);
    assert_eq!(waiting.await.unwrap().unwrap(), home);
    assert_eq!(session.execute::<_, u32>("pid", &()).await.unwrap(), home);
}

#[tokio::test]
async fn a_strict_session_whose_worker_has_gone_says_so_until_it_is_ended() {
    for spec in [Pools::QUEUE, Pools::FAST] {
        let pool = start(spec).await;
        let session = pool.session("user-42");
        let _: u32 = session.execute("put", &("key", 1)).await.unwrap();
        let error = session.execute::<_, ()>("crash", &()).await.unwrap_err();
        assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
        for _ in 0..2 {
            let error = session.execute::<_, Value>("get", "key").await.unwrap_err();
            assert!(
                matches!(error, Error::SessionWorkerUnavailable { .. }),
                "{error:?}"
            );
        }
        session.end().await.unwrap();
        assert_eq!(
            session.execute::<_, Value>("get", "key").await.unwrap(),
            Value::Null
        );
    }
    let pool = start(Pools::HINT).await;
    let session = pool.session("user-42");
    let _: u32 = session.execute("put", &("key", 1)).await.unwrap();
    session.execute::<_, ()>("crash", &()).await.unwrap_err();
    assert_eq!(
        session.execute::<_, Value>("get", "key").await.unwrap(),
        Value::Null
    );
}

#[tokio::test]
async fn calls_that_wait_for_a_worker_that_dies_have_one_outcome_each() {
    let pool = start(Pools::QUEUE).await;
    let (session, _, holding) = busy(&pool).await;
    let dying = session.clone();
    let dying = tokio::spawn(async move { dying.execute::<_, ()>("crash", &()).await });
    until(async || pool.stats().queued == 1).await;
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.execute::<_, u32>("pid", &()).await })
        })
        .collect();
    until(async || pool.stats().queued == 6).await;
    holding.let_go().await;
    let crashed = dying.await.unwrap().unwrap_err();
    assert!(
        matches!(crashed, Error::WorkerCrashed { .. }),
        "{crashed:?}"
    );
    for call in waiting {
        let error = call.await.unwrap().unwrap_err();
        assert!(
            matches!(error, Error::SessionWorkerUnavailable { .. }),
            "{error:?}"
        );
    }
    assert_eq!((pool.stats().in_flight, pool.stats().queued), (0, 0));
}

#[tokio::test]
async fn the_end_of_a_session_calls_the_hook_where_something_of_it_is() {
    for spec in Pools::POOLS {
        let config = PoolConfig {
            size: Some(1),
            ..PoolConfig::default()
        };
        let pool = Pool::start(spec, &config).await.unwrap();
        let session = pool.session("user-42");
        session.end().await.unwrap();
        let _: u32 = session.execute("put", &("key", 1)).await.unwrap();
        session.end().await.unwrap();
        let over: Value = pool.execute("what_ended", &()).await.unwrap();
        assert_eq!(over, json!([["user-42", "ended", {"key": 1}]]));
        assert_eq!(
            session.execute::<_, Value>("get", "key").await.unwrap(),
            Value::Null
        );
        let _: u32 = session.execute("put", &("bad", true)).await.unwrap();
        let error = session.end().await.unwrap_err();
        assert!(
            error.to_string().contains("cannot forget"),
            "{spec:?}: {error}"
        );
        let tools = pool.tools();
        assert!(!tools.iter().any(|tool| tool == "forget"), "{tools:?}");
    }
}

#[tokio::test]
async fn a_session_that_lies_unused_expires_and_one_in_use_does_not() {
    let config = PoolConfig {
        session_timeout: Some(Duration::from_millis(300)),
        size: Some(1),
        ..PoolConfig::default()
    };
    for spec in [Pools::HINT, Pools::THREADS, Pools::LOOPS] {
        let pool = Pool::start(spec, &config).await.unwrap();
        let session = pool.session("unused");
        let _: u32 = session.execute("put", &("key", 1)).await.unwrap();
        until(async || {
            let over: Value = pool.execute("what_ended", &()).await.unwrap();
            over == json!([["unused", "expired", {"key": 1}]])
        })
        .await;
        assert_eq!(
            session.execute::<_, Value>("get", "key").await.unwrap(),
            Value::Null
        );
        let used = pool.session("used");
        let _: u32 = used.execute("put", &("key", 2)).await.unwrap();
        let _: u32 = used.execute("sleep", &0.8).await.unwrap();
        assert_eq!(used.execute::<_, i64>("get", "key").await.unwrap(), 2);
    }
}
