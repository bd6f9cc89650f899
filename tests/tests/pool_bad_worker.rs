//! Workers that harm their wire, themselves or their host: one typed error for the request that did it, nothing for
//! the others, and a pool that serves afterwards.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{CallOptions, Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{process::exists, start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "hostile", python_path = ["python"], cancel_timeout = "200ms", max_restarts = 1000000)]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "hostile", python_path = ["python"], cancel_timeout = "200ms", max_restarts = 1000000, size = 2)]
    pub two: PoolConfig,
    #[pool(environment = system, adapter = "hostile", python_path = ["python"], cancel_timeout = "200ms", max_restarts = 1000000, profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "hostile", python_path = ["python"], cancel_timeout = "200ms", max_restarts = 1000000, profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

/// What costs a worker, with its argument and what the error says of it.
const CRASHES: &[(&str, Option<u32>, &str)] = &[
    ("text_instead_of_a_frame", None, "`Traceback (most recent"),
    ("noise", None, "instead of a frame"),
    ("half_a_header", None, "exit status: 3"),
    ("half_a_frame", None, "exit status: 4"),
    ("four_gigabytes", None, "instead of a frame"),
    ("four_gigabytes_behind", None, "instead of a frame"),
    ("directory_of_nothing", None, "they end too early"),
    ("buffer_beyond_the_frame", None, "they end too early"),
    ("file_that_did_not_come", None, "file 0 did not come"),
    ("file_that_can_still_change", None, "it is not sealed"),
    (
        "file_that_is_mostly_claimed",
        None,
        "of it were written instead of",
    ),
    ("file_that_is_sent_as_many", None, "file 0 did not come"),
    (
        "file_without_a_frame",
        None,
        "sent files that no frame tells of",
    ),
    ("unknown_kind", None, "instead of a frame"),
    // Request, ready, failed, cancel, credit.
    ("host_kind", Some(1), "which it did not have"),
    ("host_kind", Some(4), "which it did not have"),
    ("host_kind", Some(5), "which it did not have"),
    ("host_kind", Some(6), "which it did not have"),
    ("host_kind", Some(8), "which it did not have"),
    ("answer_of_nobody", None, "it answered request 4000000000"),
    ("error_of_nobody", None, "it answered request 4000000000"),
    ("item_of_nobody", None, "an item for request 4000000000"),
    ("item_of_a_call", None, "which had no room for one"),
    // They leave by themselves, or are ended: who is first is not told.
    ("shut_the_sockets", None, "the worker ended"),
    ("no_more", None, "the worker ended"),
    ("half_a_frame_and_no_more", None, "the worker ended"),
    ("close_everything", None, "the worker ended"),
    ("fork_a_holder", None, "exit status: 5"),
    ("fill_stderr_and_crash", Some(4), "exit status: 6"),
    ("leave", None, "exit status: 7"),
    ("abort", None, "signal: 6"),
    ("segfault", None, "signal: 11"),
];

/// What became of one call that does harm, and of many harmless ones around it.
struct Around {
    harm: Result<Value, Error>,
    right: usize,
    crashed: Vec<Error>,
}

const HARMLESS: usize = 40;

/// Calls a tool amid others. Each has exactly one outcome, and each value is its own.
async fn amid_others(pool: &Pool, tool: &'static str, argument: Option<u32>) -> Around {
    // Teaches the pool that requests are short, so that it sends several ahead.
    for _ in 0..20 {
        pool.execute::<_, usize>("add", &(1, 1)).await.unwrap();
    }
    let harmless = |number: usize| {
        let pool = pool.clone();
        tokio::spawn(async move { (number, pool.execute("add", &(number, 1)).await) })
    };
    let before: Vec<_> = (0..HARMLESS / 2).map(harmless).collect();
    let harm = pool.clone();
    let harm = tokio::spawn(async move {
        let options = CallOptions::new().time_limit(Duration::from_secs(30));
        match argument {
            Some(number) => harm.execute_with(tool, &number, options).await,
            None => harm.execute_with(tool, &(), options).await,
        }
    });
    let after: Vec<_> = (HARMLESS / 2..HARMLESS).map(harmless).collect();
    let (mut right, mut crashed) = (0, Vec::new());
    for call in before.into_iter().chain(after) {
        match call.await.unwrap() {
            (number, Ok::<usize, _>(sum)) => {
                assert_eq!(sum, number + 1);
                right += 1;
            }
            (_, Err(error @ Error::WorkerCrashed { .. })) => crashed.push(error),
            (_, Err(other)) => panic!("{tool}: {other:?}"),
        }
    }
    Around {
        harm: harm.await.unwrap(),
        right,
        crashed,
    }
}

/// Every request was counted once, and none is left over.
async fn serves(pool: &Pool) {
    assert_eq!(pool.execute::<_, i64>("add", &(1, 1)).await.unwrap(), 2);
    let stats = pool.stats();
    assert_eq!((stats.in_flight, stats.queued), (0, 0), "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harm_costs_the_request_that_did_it_one_typed_error_and_no_other() {
    for spec in [Pools::ONE, Pools::TWO] {
        let pool = start(spec).await;
        for (tool, argument, wanted) in CRASHES {
            let around = amid_others(&pool, tool, *argument).await;
            let error = around.harm.unwrap_err();
            let Error::WorkerCrashed { tool: named, .. } = &error else {
                panic!("{tool}: {error:?}");
            };
            assert_eq!(named, tool);
            assert!(error.to_string().contains(wanted), "{tool}: {error}");
            assert_eq!(around.right, HARMLESS, "{tool}: {:?}", around.crashed);
            serves(&pool).await;
        }
        let stats = pool.stats();
        assert_eq!(stats.errors, CRASHES.len() as u64, "{stats:?}");
    }
}

/// Its caller stays awake for the answer, and reads what comes in its place.
#[tokio::test]
async fn harm_after_many_short_calls_is_told_to_who_waits_for_it() {
    let pool = start(Pools::ONE).await;
    for (tool, argument, wanted) in CRASHES {
        for number in 0..100 {
            let sum: i64 = pool.execute("add", &(number, 1)).await.unwrap();
            assert_eq!(sum, number + 1);
        }
        let harm = match argument {
            Some(number) => pool.execute::<_, Value>(tool, number).await,
            None => pool.execute::<_, Value>(tool, &()).await,
        };
        let error = harm.unwrap_err();
        assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}");
        assert!(error.to_string().contains(wanted), "{tool}: {error}");
        serves(&pool).await;
    }
}

/// Its caller, who may be awake, has the answer; the next one is not to wait for one that cannot come.
#[tokio::test]
async fn what_is_wrong_behind_an_answer_costs_a_worker_and_the_next_call_at_most() {
    let pool = start(Pools::ONE).await;
    let limit = CallOptions::new().time_limit(Duration::from_secs(60));
    for tool in ["answer_and_no_more", "answer_and_noise", "answer_twice"] {
        for calls in [0, 1, 2, 3, 100, 101, 102, 103, 104, 105, 106, 107] {
            for number in 0..calls {
                let sum: i64 = pool.execute("add", &(number, 1)).await.unwrap();
                assert_eq!(sum, number + 1);
            }
            let answer = pool.execute_with::<_, String>(tool, &(), limit).await;
            assert_eq!(answer.unwrap(), "first", "{tool}");
            let next = pool.execute_with::<_, i64>("add", &(1, 1), limit).await;
            match next {
                Ok(sum) => assert_eq!(sum, 2),
                Err(error) => assert!(matches!(error, Error::WorkerCrashed { .. }), "{error:?}"),
            }
            serves(&pool).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_many_run_in_a_worker_harm_costs_only_those_that_had_begun_in_it() {
    for spec in [Pools::THREADS, Pools::LOOPS] {
        let pool = start(spec).await;
        for (tool, argument, wanted) in CRASHES {
            let around = amid_others(&pool, tool, *argument).await;
            let error = around.harm.unwrap_err();
            assert!(
                matches!(error, Error::WorkerCrashed { .. }),
                "{tool}: {error:?}"
            );
            let text = error.to_string();
            // Another request's reply may follow the half before the process has gone.
            let ran_on = *tool == "half_a_header" && text.contains("instead of a frame");
            assert!(text.contains(wanted) || ran_on, "{tool}: {error}");
            assert!(around.crashed.len() < 4, "{tool}: {:?}", around.crashed);
            assert_eq!(around.right + around.crashed.len(), HARMLESS);
            serves(&pool).await;
        }
    }
}

/// On one thread, which would never come to look at the clock if it read for as long as something is there.
#[tokio::test]
async fn a_worker_that_writes_without_an_end_holds_up_nobody_else() {
    let pool = start(Pools::TWO).await;
    let limit = CallOptions::new().time_limit(Duration::from_millis(300));
    let flood = pool.execute_with::<_, Value>("flood", &(), limit);
    let beside = async {
        for number in 0..100 {
            let sum: i64 = pool.execute("add", &(number, 1)).await.unwrap();
            assert_eq!(sum, number + 1);
        }
    };
    let (flood, ()) = tokio::join!(flood, beside);
    let error = flood.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    serves(&pool).await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error_of_its_own_request() {
    for (tool, wanted) in [
        ("no_json", "key must be a string"),
        ("no_utf8", "invalid unicode"),
        ("error_without_a_meaning", "worker's error cannot be read"),
    ] {
        let pool = start(Pools::ONE).await;
        let error = pool.execute::<_, Value>(tool, &()).await.unwrap_err();
        assert!(matches!(error, Error::Decoding { .. }), "{tool}: {error:?}");
        assert!(error.to_string().contains(wanted), "{tool}: {error}");
        // It is busy still, with a call that was answered: the next one finds that it is of no more use.
        let limit = CallOptions::new().time_limit(Duration::from_millis(300));
        let stuck = pool.execute_with::<_, i64>("add", &(1, 1), limit).await;
        let stuck = stuck.unwrap_err();
        assert!(matches!(stuck, Error::TimedOut { .. }), "{tool}: {stuck:?}");
        serves(&pool).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_answers_the_first_counts_and_the_second_ends_the_worker() {
    let pool = start(Pools::ONE).await;
    for round in 1..=10 {
        let around = amid_others(&pool, "answer_twice", None).await;
        assert_eq!(around.harm.unwrap(), "first");
        // The one that may have begun behind it is the most that it can cost.
        assert!(around.crashed.len() <= 1, "{:?}", around.crashed);
        for error in around.crashed {
            assert!(
                error.to_string().contains("which it did not have"),
                "{error}"
            );
        }
        // A call that begins in it before the second answer is read would be its second victim.
        until(async || pool.stats().restarts == round).await;
        serves(&pool).await;
        assert_eq!(pool.stats().restarts, round);
    }
}

#[tokio::test]
async fn a_frame_that_never_ends_holds_its_request_no_longer_than_its_limit() {
    let pool = start(Pools::ONE).await;
    let limit = CallOptions::new().time_limit(Duration::from_millis(300));
    let error = pool
        .execute_with::<_, Value>("half_a_frame_and_no_more", &(), limit)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    serves(&pool).await;
    assert_eq!(pool.stats().restarts, 1);
}

#[tokio::test]
async fn a_stopped_worker_is_replaced_when_the_time_of_its_request_is_over() {
    for spec in [Pools::ONE, Pools::THREADS, Pools::LOOPS] {
        let pool = start(spec).await;
        let before: u32 = pool.execute("pid", &()).await.unwrap();
        let limit = CallOptions::new().time_limit(Duration::from_millis(300));
        let error = pool
            .execute_with::<_, Value>("stop", &(), limit)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
        until(async || !exists(before)).await;
        serves(&pool).await;
    }
}

#[tokio::test]
async fn a_stopped_worker_does_not_hold_up_the_end_of_its_pool() {
    let config = PoolConfig {
        shutdown_timeout: Some(Duration::from_millis(300)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::ONE, &config).await.unwrap();
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let stopped = pool.clone();
    let stopped = tokio::spawn(async move { stopped.execute::<_, Value>("stop", &()).await });
    while pool.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    pool.shutdown().await;
    let error = stopped.await.unwrap().unwrap_err();
    assert!(
        matches!(error, Error::WorkerCrashed { .. } | Error::ShutDown { .. }),
        "{error:?}"
    );
    until(async || !exists(pid)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_comes_back_from_a_forked_call_answers_nobody() {
    for spec in [Pools::ONE, Pools::THREADS, Pools::LOOPS] {
        let pool = start(spec).await;
        let pid: u32 = pool.execute("pid", &()).await.unwrap();
        for _ in 0..5 {
            let around = amid_others(&pool, "fork_and_return", None).await;
            assert_eq!(around.harm.unwrap(), "one of two");
            assert_eq!(around.right, HARMLESS, "{:?}", around.crashed);
        }
        assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn a_child_that_a_call_left_behind_ends_with_its_worker() {
    let pool = start(Pools::ONE).await;
    let child: u32 = pool.execute("leave_a_child", &()).await.unwrap();
    assert!(exists(child));
    serves(&pool).await;
    pool.shutdown().await;
    until(async || !exists(child)).await;
}

#[tokio::test]
async fn megabytes_of_stderr_without_a_line_hold_up_nothing_and_are_not_kept() {
    let pool = start(Pools::ONE).await;
    assert_eq!(
        pool.execute::<_, u32>("fill_stderr", &16).await.unwrap(),
        16
    );
    serves(&pool).await;
    let error = pool
        .execute::<_, ()>("fill_stderr_and_crash", &16)
        .await
        .unwrap_err();
    let Error::WorkerCrashed { stderr, .. } = error else {
        panic!("{error:?}");
    };
    assert!(stderr.ends_with("the last line"));
    // What is no UTF-8 takes three bytes for each of its own.
    assert!(stderr.len() < 20 * 4096 * 3 + 1024, "{}", stderr.len());
}

#[tokio::test]
async fn values_that_no_wire_takes_are_one_typed_error_each() {
    for spec in [Pools::ONE, Pools::LOOPS] {
        let pool = start(spec).await;
        for name in [
            "nan",
            "infinity",
            "minus_infinity",
            "nan_key",
            "tuple_key",
            "bytes_key",
            "object_key",
            "object",
            "function",
            "wicked_dict",
        ] {
            let error = pool.execute::<_, Value>("value", name).await.unwrap_err();
            assert!(matches!(error, Error::Encoding { .. }), "{name}: {error:?}");
        }
        for name in ["lone_surrogate", "lone_low_surrogate", "surrogate_key"] {
            let error = pool.execute::<_, Value>("value", name).await.unwrap_err();
            assert!(matches!(error, Error::Decoding { .. }), "{name}: {error:?}");
            assert!(error.to_string().contains("os.fsencode"), "{name}: {error}");
        }
        for tool in ["cyclic_list", "cyclic_dict"] {
            let error = pool.execute::<_, Value>(tool, &()).await.unwrap_err();
            assert!(matches!(error, Error::Encoding { .. }), "{tool}: {error:?}");
        }
        for tool in ["deep_list", "deep_dict"] {
            let error = pool.execute::<_, Value>(tool, &100_000).await.unwrap_err();
            assert!(matches!(error, Error::Encoding { .. }), "{tool}: {error:?}");
            // Python can write it, and nobody can read it.
            let error = pool.execute::<_, Value>(tool, &500).await.unwrap_err();
            assert!(matches!(error, Error::Decoding { .. }), "{tool}: {error:?}");
            assert!(pool.execute::<_, Value>(tool, &100).await.is_ok());
        }
        for tool in ["wicked_exception", "deep_exception", "endless_recursion"] {
            let error = pool.execute::<_, Value>(tool, &()).await.unwrap_err();
            assert!(matches!(error, Error::Python { .. }), "{tool}: {error:?}");
        }
        serves(&pool).await;
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn a_reply_longer_than_a_frame_may_be_is_an_error_of_its_own() {
    let pool = start(Pools::ONE).await;
    let error = pool.execute::<_, Value>("huge", &()).await.unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    assert!(
        error.to_string().contains("send a text as `bytes`"),
        "{error}"
    );
    serves(&pool).await;
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn integers_arrive_whole_or_not_at_all() {
    let pool = start(Pools::ONE).await;
    let value = async |name: &'static str| pool.execute::<_, Value>("value", name).await;
    assert_eq!(value("u64").await.unwrap(), u64::MAX);
    assert_eq!(value("i64").await.unwrap(), i64::MIN);
    assert_eq!(value("int_key").await.unwrap(), json!({"1": "one"}));
    let wide: u128 = pool.execute("value", "wide").await.unwrap();
    assert_eq!(wide, 1 << 64);
    let error = pool.execute::<_, u64>("value", "wide").await.unwrap_err();
    assert!(matches!(error, Error::Decoding { .. }), "{error:?}");
    for name in ["wide", "very_wide"] {
        let error = pool.execute::<_, i64>("value", name).await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Decoding { .. }), "{name}: {error:?}");
    }
    let there: String = pool.execute("describe", &u128::MAX).await.unwrap();
    assert_eq!(there, format!("int {}", u128::MAX));
    let there: i128 = pool.execute("same", &i128::MIN).await.unwrap();
    assert_eq!(there, i128::MIN);
}

#[tokio::test]
async fn arguments_that_python_cannot_take_are_an_error_and_no_crash() {
    for spec in [Pools::ONE, Pools::LOOPS] {
        let pool = start(spec).await;
        let mut deep = json!(1);
        for _ in 0..1200 {
            deep = Value::Array(vec![deep]);
        }
        // How deep a Python follows depends on its version; that far back no JSON is read here.
        let error = pool.execute::<_, Value>("same", &deep).await.unwrap_err();
        let typed = matches!(
            error,
            Error::Python { .. } | Error::Encoding { .. } | Error::Decoding { .. }
        );
        assert!(typed, "{error:?}");
        let odd = json!({"": 1, "\0": 2, "not a name": 3});
        let error = pool.execute::<_, Value>("same", &odd).await.unwrap_err();
        assert!(matches!(error, Error::Python { .. }), "{error:?}");
        let text = "\0\u{1}\u{7f}\u{2028}\u{ffff}\u{10ffff}";
        assert_eq!(pool.execute::<_, String>("same", text).await.unwrap(), text);
        serves(&pool).await;
        assert_eq!(pool.stats().restarts, 0);
    }
}
