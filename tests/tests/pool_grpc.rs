//! A gRPC server of the user's own as a worker: `python/snakepit_server.py`, which knows nothing of this project.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{
    Buffer, CallOptions, Defaults, Error, Grpc, HostTools, Pool, PoolConfig, Profile, SpawnSpec,
    Transport, snakepit_pools,
};
use snakepit_tests::{copy, process::exists, until, with_package};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, python_path = ["python"], execute_timeout = "60s")]
    pub plain: PoolConfig,
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/snakepit_server.py");

/// The same pool on a Python that has `grpcio` and `protobuf`, with the server as its worker.
fn server(threads: u32, args: &'static [&'static str]) -> Option<&'static SpawnSpec> {
    let packaged = with_package(Pools::PLAIN, "grpcio-status")?;
    Some(Box::leak(Box::new(SpawnSpec {
        adapter: Some("service.tools:Adapter"),
        defaults: Defaults {
            profile: Profile::Thread { threads },
            ..packaged.defaults
        },
        transport: Transport::Grpc(Grpc {
            script: Some(SCRIPT),
            args,
        }),
        ..copy(packaged)
    })))
}

fn host_tools() -> HostTools {
    HostTools::new()
        .tool("greet", async |named: BTreeMap<String, String>| {
            Ok::<_, String>(format!("hello, {}", named["name"]))
        })
        .tool("nothing", async |(): ()| Ok::<_, String>(()))
        .tool("bytes", async |(): ()| {
            Ok::<_, String>(Buffer::from_bytes(vec![1, 2, 255]))
        })
        .tool("refuse", async |(): ()| Err::<(), _>("not today"))
}

async fn start(threads: u32) -> Option<Pool> {
    let spec = server(threads, &["--max", "4"])?;
    let config = PoolConfig {
        startup_timeout: Some(Duration::from_secs(120)),
        ..PoolConfig::default()
    };
    let builder = Pool::builder(spec).host_tools(host_tools());
    Some(builder.start(&config).await.unwrap())
}

#[tokio::test]
async fn a_foreign_server_is_started_as_snakepit_does_it_and_answers() {
    let Some(pool) = start(1).await else { return };
    let told: Value = pool.execute("arguments", &()).await.unwrap();
    let address = told["address"].as_str().unwrap();
    let wanted = [
        "--port",
        "0",
        "--adapter",
        "service.tools.Adapter",
        "--elixir-address",
        address,
        "--max",
        "4",
    ];
    assert_eq!(told["argv"], json!(wanted));
    let value = json!({"text": "h\u{e9}", "list": [1, 2.5, null], "big": u64::MAX});
    let answer: Value = pool.execute("echo", &value).await.unwrap();
    assert_eq!(answer, value);
    pool.execute::<_, ()>("nothing", &()).await.unwrap();
    let tools = pool.tools();
    assert!(tools.contains(&"echo".to_owned()), "{tools:?}");
    assert!(tools.contains(&"reverse".to_owned()), "{tools:?}");
    assert_eq!(pool.stats().requests, 3);
}

#[tokio::test]
async fn bytes_go_there_and_back_beside_the_values() {
    let Some(pool) = start(1).await else { return };
    let bytes: Vec<u8> = (0..=255).collect();
    let sent = BTreeMap::from([("data", Buffer::from_bytes(bytes.clone()))]);
    let answer: Buffer = pool.execute("reverse", &sent).await.unwrap();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    assert_eq!(answer.as_bytes(), reversed);
    let (told, same): (Value, Buffer) = pool.execute("described", &sent).await.unwrap();
    assert_eq!(told, json!({"length": 256}));
    assert_eq!(same.as_bytes(), bytes);
    let inside = BTreeMap::from([("data", vec![Buffer::from_bytes(bytes)])]);
    let array = BTreeMap::from([("data", Buffer::from_slice(&[1.5_f32]))]);
    for wrong in [
        pool.execute::<_, Value>("reverse", &inside).await,
        pool.execute::<_, Value>("reverse", &array).await,
        pool.execute::<_, Value>("echo", &(1, 2)).await,
        pool.execute::<_, Value>("echo", "text").await,
    ] {
        assert!(matches!(wrong, Err(Error::Encoding { .. })), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_stream_comes_item_by_item_and_ends_or_is_dropped() {
    let Some(pool) = start(1).await else { return };
    let mut stream = pool.execute_stream::<_, u32>("count_up", &json!({"to": 200}));
    for number in 0..200 {
        assert_eq!(stream.next().await.unwrap().unwrap(), number);
    }
    assert!(stream.next().await.is_none());
    let mut raw = pool.execute_stream::<_, Buffer>("raw", &());
    let first = raw.next().await.unwrap().unwrap();
    assert_eq!(first.as_bytes(), [255, 254, 0]);
    drop(raw);
    let mut endless = pool.execute_stream::<_, u32>("endless", &());
    assert_eq!(endless.next().await.unwrap().unwrap(), 0);
    drop(endless);
    // The server ends what nobody reads, and goes on.
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    until(async || pool.execute::<_, u32>("closed", &()).await.unwrap() == 3).await;
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    let mut unfinished = pool.execute_stream::<_, u32>("unfinished", &());
    assert_eq!(unfinished.next().await.unwrap().unwrap(), 1);
    let error = unfinished.next().await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("without a final chunk"),
        "{error}"
    );
    let mut missing = pool.execute_stream::<_, u32>("missing", &());
    let error = missing.next().await.unwrap().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("grpc.StatusCode.NOT_FOUND: no tool missing"),
        "{error}"
    );
}

#[tokio::test]
async fn the_server_calls_functions_of_the_program_back() {
    let Some(pool) = start(1).await else { return };
    let greeting = pool
        .execute::<_, Value>("host", &json!({"name": "greet"}))
        .await
        .unwrap_err()
        .to_string();
    // `name` is the tool's here: the function gets no argument, which it does not take.
    assert!(
        greeting.contains("its arguments are not what it takes"),
        "{greeting}"
    );
    let nothing: Value = pool
        .execute("host", &json!({"name": "nothing"}))
        .await
        .unwrap();
    assert_eq!(nothing, Value::Null);
    let bytes: Buffer = pool
        .execute("host", &json!({"name": "bytes"}))
        .await
        .unwrap();
    assert_eq!(bytes.as_bytes(), [1, 2, 255]);
    let refused = pool
        .execute::<_, Value>("host", &json!({"name": "refuse"}))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not today"), "{refused}");
    let telemetry: Value = pool.execute("telemetry", &()).await.unwrap();
    assert_eq!(telemetry, json!({"events": 0, "code": "OK"}));
    let facts: Value = pool.session("s1").execute("host_facts", &()).await.unwrap();
    assert_eq!(
        facts["tools"],
        json!(["bytes", "greet", "nothing", "refuse"])
    );
    assert_eq!(facts["session"], "s1");
    assert_eq!(facts["valid"], true);
    assert!(facts["tool_count"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn sessions_begin_and_end_at_the_server() {
    let Some(pool) = start(1).await else { return };
    let session = pool.session("one");
    for wanted in 1..=3 {
        let count: u32 = session.execute("count", &()).await.unwrap();
        assert_eq!(count, wanted);
    }
    let other: u32 = pool.session("two").execute("count", &()).await.unwrap();
    assert_eq!(other, 1);
    assert_eq!(
        pool.execute::<_, u32>("known_sessions", &()).await.unwrap(),
        3
    );
    session.end().await.unwrap();
    assert_eq!(
        pool.execute::<_, u32>("known_sessions", &()).await.unwrap(),
        2
    );
    let count: u32 = session.execute("count", &()).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_call_that_goes_wrong_is_one_error_and_the_server_goes_on() {
    let Some(pool) = start(1).await else { return };
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let failed = pool
        .execute::<_, Value>("fail", &json!({"why": "no row"}))
        .await;
    let Err(Error::Python { exception, .. }) = &failed else {
        panic!("{failed:?}");
    };
    assert_eq!(exception.message, "ValueError: no row");
    let unknown = pool.execute::<_, Value>("no_such_tool", &()).await;
    assert!(matches!(unknown, Err(Error::Python { .. })), "{unknown:?}");
    let silent = pool.execute::<_, Value>("raw_error", &()).await;
    let silent = silent.unwrap_err().to_string();
    assert!(silent.contains("failed, and not why"), "{silent}");
    let malformed = pool.execute::<_, Value>("malformed", &()).await;
    assert!(
        matches!(malformed, Err(Error::Decoding { .. })),
        "{malformed:?}"
    );
    // The server takes 64 MiB.
    let text = json!({"text": "x".repeat(65 << 20)});
    let large = pool.execute::<_, Value>("echo", &text).await.unwrap_err();
    assert!(large.to_string().contains("RESOURCE_EXHAUSTED"), "{large}");
    // And the host takes 256 MiB.
    let large = pool
        .execute::<_, String>("large", &json!({"length": 257 << 20}))
        .await
        .unwrap_err();
    assert!(large.to_string().contains("OUT_OF_RANGE"), "{large}");
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
}

#[tokio::test]
async fn a_server_that_dies_or_is_deaf_fails_its_call_and_is_replaced() {
    let Some(pool) = start(1).await else { return };
    for tool in ["die", "deaf"] {
        let pid: u32 = pool.execute("pid", &()).await.unwrap();
        let died = pool.execute::<_, Value>(tool, &()).await;
        let Err(Error::WorkerCrashed { stderr, .. }) = &died else {
            panic!("{died:?}");
        };
        if tool == "die" {
            assert!(stderr.contains("these are my last words"), "{stderr}");
        }
        let next: u32 = pool.execute("pid", &()).await.unwrap();
        assert_ne!(next, pid);
        assert!(!exists(pid));
    }
}

#[tokio::test]
async fn as_many_calls_run_at_a_time_as_the_profile_has_threads_and_a_stuck_one_ends_the_server() {
    let Some(pool) = start(4).await else { return };
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let naps = (0..8).map(|_| json!({"seconds": 0.05}));
    let mut naps = pool.map::<_, _, f64>("sleep", naps);
    while let Some(nap) = naps.next().await {
        assert_eq!(nap.unwrap(), 0.05);
    }
    // A call that is over in time once it is given up leaves the server as it is.
    let options = CallOptions::new().time_limit(Duration::from_millis(100));
    let late = pool
        .execute_with::<_, Value>("sleep", &json!({"seconds": 0.5}), options)
        .await;
    assert!(matches!(late, Err(Error::TimedOut { .. })), "{late:?}");
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    let stuck = pool
        .execute_with::<_, Value>("sleep", &json!({"seconds": 60}), options)
        .await;
    assert!(matches!(stuck, Err(Error::TimedOut { .. })), "{stuck:?}");
    until(async || !exists(pid)).await;
    let next: u32 = pool.execute("pid", &()).await.unwrap();
    assert_ne!(next, pid);
    pool.shutdown().await;
    until(async || !exists(next)).await;
}

#[tokio::test]
async fn a_server_that_does_not_become_ready_says_why() {
    for (fault, wanted) in [
        ("never", "it was not ready within 5s"),
        ("dies", "it ended: exit status: 1"),
        (
            "bad_file",
            "it wrote `soon` into the file named by `SNAKEPIT_READY_FILE`",
        ),
        (
            "other_port",
            "it named port 1, where no gRPC server answers",
        ),
    ] {
        let args: [&'static str; 2] = ["--fault", fault];
        let Some(spec) = server(1, Vec::leak(args.to_vec())) else {
            return;
        };
        let config = PoolConfig {
            startup_timeout: Some(Duration::from_secs(if fault == "never" { 5 } else { 120 })),
            ..PoolConfig::default()
        };
        let error = Pool::start(spec, &config).await.unwrap_err();
        let Error::Startup { reason, stderr, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(reason.contains(wanted), "{fault}: {reason}");
        if fault == "dies" {
            assert!(stderr.contains("the server has no licence"), "{stderr}");
        }
    }
}
