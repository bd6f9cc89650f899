//! Functions of the program that Python calls.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{CallOptions, Error, HostTools, Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_tests::{process::exists, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "asking", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "asking", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "asking", python_path = ["python"], profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

#[snakepit_pools]
#[derive(Default)]
pub struct Early {
    #[pool(environment = system, adapter = "asks_early", python_path = ["python"])]
    pub early: PoolConfig,
    #[pool(environment = system, adapter = "asks_at_once", python_path = ["python"], size = 8)]
    pub at_once: PoolConfig,
}

fn tools() -> HostTools {
    HostTools::new()
        .tool("double", async |number: i64| Ok::<_, String>(2 * number))
        .tool("add", async |(a, b): (i64, i64)| Ok::<_, String>(a + b))
        .tool("nothing", async |(): ()| Ok::<_, String>(()))
        .tool("greet", async |named: BTreeMap<String, String>| {
            Ok::<_, String>(format!("hello, {}", named["name"]))
        })
        .tool("slowly", async |number: i64| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok::<_, String>(number)
        })
        .tool("fail", async |text: String| Err::<(), _>(text))
        .tool("panic", async |divisor: i64| Ok::<_, String>(1 / divisor))
        .tool("never", async |(): ()| {
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        })
        .tool("large", async |length: usize| {
            Ok::<_, String>("x".repeat(length))
        })
        .tool("length", async |text: String| Ok::<_, String>(text.len()))
}

async fn start(spec: &'static SpawnSpec) -> Pool {
    let builder = Pool::builder(spec).host_tools(tools());
    builder.start(&PoolConfig::default()).await.unwrap()
}

#[tokio::test]
async fn python_calls_the_host_while_its_own_call_runs_in_every_profile() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in ["ask", "ask_later"] {
            let answer: i64 = pool.execute(tool, &("double", 21)).await.unwrap();
            assert_eq!(answer, 42);
            let answer: i64 = pool.execute(tool, &("add", 1, 2)).await.unwrap();
            assert_eq!(answer, 3);
            let answer: Value = pool.execute(tool, &("nothing",)).await.unwrap();
            assert_eq!(answer, Value::Null);
        }
        let greeting: String = pool
            .execute("ask_named", &json!({"name": "Ann"}))
            .await
            .unwrap();
        assert_eq!(greeting, "hello, Ann");
        let numbers: Vec<i64> = pool.execute("ask_side_by_side", &20).await.unwrap();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        let numbers: Vec<i64> = pool.execute("ask_from_threads", &20).await.unwrap();
        assert_eq!(
            numbers,
            (0..20).map(|number| 2 * number).collect::<Vec<_>>()
        );
        let mut doubled = pool.execute_stream::<_, i64>("doubled", &40);
        for number in 0..40 {
            assert_eq!(doubled.next().await.unwrap().unwrap(), 2 * number);
        }
        assert!(doubled.next().await.is_none());
        let names: Vec<String> = pool.execute("names", &()).await.unwrap();
        assert_eq!(
            names,
            [
                "add", "double", "fail", "greet", "large", "length", "never", "nothing", "panic",
                "slowly"
            ]
        );
    }
}

#[tokio::test]
async fn what_goes_wrong_in_the_host_is_an_exception_in_python() {
    let pool = start(Pools::ONE).await;
    for (arguments, wanted) in [
        (json!(["fail", "no such row"]), "HostError: no such row"),
        (json!(["panic", 0]), "HostError: the host's tool panicked"),
        (
            json!(["double", "text"]),
            "HostError: its arguments are not what it takes",
        ),
        (
            json!(["add", 1, 2, 3]),
            "HostError: its arguments are not what it takes",
        ),
        (
            json!(["no_such_tool"]),
            "AttributeError: the host has no tool `no_such_tool`; it has add, double",
        ),
    ] {
        let caught: String = pool.execute("catch", &arguments).await.unwrap();
        assert!(caught.starts_with(wanted), "{arguments}: {caught}");
    }
    let caught: String = pool.execute("both", &()).await.unwrap();
    assert!(caught.contains("not both"), "{caught}");
    let error = pool
        .execute::<_, ()>("ask", &("fail", "uncaught"))
        .await
        .unwrap_err();
    let Error::Python { exception, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (exception.type_name.as_str(), exception.message.as_str()),
        ("snakepit_bridge.HostError", "uncaught")
    );
    for body in ["", "no JSON", "[]", "[1, 2]", "[\"no_such_tool\", null]"] {
        let here: String = pool.execute("garbled", body).await.unwrap();
        assert_eq!(here, "still here");
    }
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn large_values_go_both_ways() {
    let pool = start(Pools::ONE).await;
    let text = "x".repeat(8 << 20);
    let length: usize = pool.execute("ask", &("length", &text)).await.unwrap();
    assert_eq!(length, text.len());
    let back: String = pool.execute("ask", &("large", text.len())).await.unwrap();
    assert!(back == text);
}

#[tokio::test]
async fn a_tool_that_waits_for_the_host_is_cancelled_all_the_same() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        let short = CallOptions::new().time_limit(Duration::from_millis(200));
        for (tool, wanted) in [
            ("wait_for_ever", "Cancelled"),
            ("wait_for_ever_later", "CancelledError"),
        ] {
            let error = pool
                .execute_with::<_, ()>(tool, &(), short)
                .await
                .unwrap_err();
            assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
            until(async || {
                let log: Vec<String> = pool.execute("what_happened", &()).await.unwrap();
                log.last().unwrap() == wanted
            })
            .await;
        }
        assert_eq!(
            pool.execute::<_, i64>("ask", &("double", 1)).await.unwrap(),
            2
        );
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn a_worker_with_a_call_to_the_host_leaves_when_the_pool_ends() {
    let pool = start(Pools::ONE).await;
    let stats: Value = pool.execute("get_stats", &()).await.unwrap();
    let pid = u32::try_from(stats["pid"].as_u64().unwrap()).unwrap();
    pool.execute::<_, ()>("leave_waiting", &()).await.unwrap();
    pool.shutdown().await;
    assert!(!exists(pid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_to_the_host_are_answered_each_with_its_own() {
    let sum = Arc::new(AtomicU64::new(0));
    for spec in Pools::POOLS {
        let counted = sum.clone();
        let pool = Pool::builder(spec)
            .host_tool("double", move |number: u64| {
                let counted = counted.clone();
                async move {
                    counted.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok::<_, String>(2 * number)
                }
            })
            .start(&PoolConfig::default())
            .await
            .unwrap();
        let mut answers =
            pool.map::<_, _, u64>("ask", (0..500_u64).map(|number| ("double", number)));
        for number in 0..500 {
            assert_eq!(answers.next().await.unwrap().unwrap(), 2 * number);
        }
    }
    assert_eq!(sum.load(Ordering::Relaxed), 1500);
}

#[tokio::test]
async fn names_that_python_could_not_call_are_refused_when_the_pool_starts() {
    for name in ["list", "_hidden", "no name", "", "1st"] {
        let builder = Pool::builder(Pools::ONE).host_tool(name, async |(): ()| Ok::<_, String>(()));
        let error = builder.start(&PoolConfig::default()).await.unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{name}: {error:?}");
    }
    let twice = tools().tool("add", async |(): ()| Ok::<_, String>(()));
    let error = Pools::default().start_pools_with(twice).await.unwrap_err();
    assert!(
        error.to_string().contains("two host tools `add`"),
        "{error}"
    );
}

#[tokio::test]
async fn the_host_cannot_be_called_while_the_adapter_is_imported() {
    let error = Early::default()
        .start_pools_with(tools())
        .await
        .unwrap_err();
    let Error::Startup { reason, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(
        reason.contains("HostError") && reason.contains("while its adapter is imported"),
        "{reason}"
    );
}

/// The call may stand in the very bytes that the worker's readiness is read from.
#[tokio::test]
async fn a_thread_of_the_adapter_may_ask_as_soon_as_its_worker_is_ready() {
    let builder = Pool::builder(Early::AT_ONCE).host_tools(tools());
    let pool = builder.start(&PoolConfig::default()).await.unwrap();
    for _ in 0..8 {
        assert_eq!(pool.execute::<_, i64>("answer", &()).await.unwrap(), 42);
    }
}
