//! What a pool promises, over its own sockets and over gRPC: one suite, run on both.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::task::{Context, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use snakepit::{
    Buffer, CallOptions, Defaults, Error, HostTools, Pool, PoolConfig, Profile, SpawnSpec,
    Transport, snakepit_pools,
};
use snakepit_tests::{BRIDGE_OVER_GRPC, Hold, copy, process::exists, until, with_package};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "wires", python_path = ["python"], execute_timeout = "60s")]
    pub plain: PoolConfig,
}

/// How a pool differs from the plain one.
#[derive(Clone, Copy)]
struct Wanted {
    profile: Profile,
    lenient: bool,
    queue_limit: u32,
}

const PLAIN: Wanted = Wanted {
    profile: Profile::Process,
    lenient: false,
    queue_limit: 1024,
};

fn host_tools() -> HostTools {
    HostTools::new()
        .tool("shout", async |text: String| {
            Ok::<_, String>(text.to_uppercase())
        })
        .tool("same", async |bytes: Buffer| Ok::<_, String>(bytes))
        .tool("refuse", async |(): ()| Err::<(), _>("not today"))
}

/// A pool of one worker over this wire; `None` where the machine lacks what it needs.
async fn pool(wire: Transport, wanted: Wanted) -> Option<Pool> {
    let packaged = with_package(Pools::PLAIN, "grpcio-status")?;
    let spec: &'static SpawnSpec = Box::leak(Box::new(SpawnSpec {
        defaults: Defaults {
            profile: wanted.profile,
            lenient: wanted.lenient,
            ..packaged.defaults
        },
        transport: wire,
        ..copy(packaged)
    }));
    let config = PoolConfig {
        startup_timeout: Some(Duration::from_secs(30)),
        queue_limit: Some(wanted.queue_limit),
        ..PoolConfig::default()
    };
    let builder = Pool::builder(spec).host_tools(host_tools());
    Some(builder.start(&config).await.unwrap())
}

/// Each test on both wires, with a pool of one worker of its own.
macro_rules! on_both_wires {
    ($($name:ident: $wanted:expr;)*) => {
        mod sockets {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                if let Some(pool) = pool(Transport::Sockets, $wanted).await {
                    super::$name(pool).await;
                }
            })*
        }

        mod grpc {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                if let Some(pool) = pool(BRIDGE_OVER_GRPC, $wanted).await {
                    super::$name(pool).await;
                }
            })*
        }
    };
}

on_both_wires! {
    arguments_and_values_of_every_form_go_there_and_back: PLAIN;
    bytes_and_arrays_go_beside_the_values: PLAIN;
    what_goes_wrong_has_its_own_error: PLAIN;
    a_call_whose_time_is_over_is_interrupted_and_the_next_one_is_served: PLAIN;
    a_call_that_is_dropped_is_interrupted: PLAIN;
    what_is_dropped_before_it_began_harms_nobody: Wanted { profile: Profile::Thread { threads: 2 }, ..PLAIN };
    a_worker_that_crashes_costs_its_call_and_is_replaced: PLAIN;
    a_stream_gives_its_items_and_its_error: PLAIN;
    a_stream_that_is_dropped_closes_its_generator: PLAIN;
    a_slow_reader_stops_the_generator: Wanted { profile: Profile::Thread { threads: 2 }, ..PLAIN };
    calls_of_a_session_share_a_store_and_its_end_is_told: PLAIN;
    python_calls_functions_of_the_program: PLAIN;
    threads_run_calls_side_by_side: Wanted { profile: Profile::Thread { threads: 4 }, ..PLAIN };
    an_event_loop_runs_tools_of_every_kind: Wanted { profile: Profile::Async { concurrency: 8 }, ..PLAIN };
    a_full_queue_refuses: Wanted { queue_limit: 1, ..PLAIN };
    what_cannot_be_sent_is_marked_where_the_pool_is_lenient: Wanted { lenient: true, ..PLAIN };
    a_pool_ends_with_its_workers: PLAIN;
}

async fn arguments_and_values_of_every_form_go_there_and_back(pool: Pool) {
    let five: i64 = pool.execute("add", &(2, 3)).await.unwrap();
    let named: i64 = pool
        .execute("add", &json!({"a": 2, "b": 40}))
        .await
        .unwrap();
    let one: i64 = pool.execute("add", &7).await.unwrap();
    assert_eq!((five, named, one), (5, 42, 7));
    let value = json!({"text": "h\u{e9}", "list": [1, 2.5, null], "big": u64::MAX, "map": {}});
    assert_eq!(
        pool.execute::<_, Value>("echo", &[&value]).await.unwrap(),
        value
    );
    let point: Value = pool.execute("point", &(1, 2.5)).await.unwrap();
    assert_eq!(point, json!({"x": 1, "y": 2.5}));
    assert!(pool.tools().contains(&"point".to_owned()));
    assert_eq!(pool.stats().requests, 5);
}

async fn bytes_and_arrays_go_beside_the_values(pool: Pool) {
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let sent = Buffer::from_bytes(bytes.clone());
    let reversed: Buffer = pool.execute("reverse", &(&sent,)).await.unwrap();
    assert!(reversed.as_bytes().iter().eq(bytes.iter().rev()));
    let array = Buffer::from_slice(&[0.5_f64, 1.5]);
    let (length, twice): (usize, Buffer) = pool.execute("doubled", &(&array,)).await.unwrap();
    assert_eq!(length, 2);
    assert_eq!(twice.as_slice::<f64>().unwrap(), [0.5, 1.5, 0.5, 1.5]);
}

async fn what_goes_wrong_has_its_own_error(pool: Pool) {
    let Err(Error::Python { exception, .. }) = pool.execute::<_, ()>("fail", "h\u{e9}").await
    else {
        panic!("it raised")
    };
    assert_eq!(
        (exception.type_name.as_str(), exception.message.as_str()),
        ("ValueError", "h\u{e9}")
    );
    assert!(exception.traceback.contains("wires.py"), "{exception:?}");
    let unknown = pool.execute::<_, ()>("non_such", &()).await.unwrap_err();
    let Error::UnknownTool { known, .. } = &unknown else {
        panic!("{unknown:?}")
    };
    assert!(known.contains(&"add".to_owned()));
    let odd = pool.execute::<_, ()>("odd", &()).await.unwrap_err();
    assert!(matches!(odd, Error::Encoding { .. }), "{odd:?}");
    assert!(odd.to_string().contains("$.inside[0]"), "{odd}");
    let odd = pool
        .execute::<_, ()>("not_a_number", &())
        .await
        .unwrap_err();
    assert!(matches!(odd, Error::Encoding { .. }), "{odd:?}");
    let stream = pool.execute::<_, ()>("numbers", &3).await.unwrap_err();
    assert!(matches!(stream, Error::IsStream { .. }), "{stream:?}");
    let mut none = pool.execute_stream::<_, u8>("add", &(1, 2));
    let none = none.next().await.unwrap().unwrap_err();
    assert!(matches!(none, Error::NoStream { .. }), "{none:?}");
}

async fn a_call_whose_time_is_over_is_interrupted_and_the_next_one_is_served(pool: Pool) {
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let options = CallOptions::new().time_limit(Duration::from_millis(300));
    let late = pool
        .execute_with::<_, ()>("sleep", &60, options)
        .await
        .unwrap_err();
    assert!(matches!(late, Error::TimedOut { .. }), "{late:?}");
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    let log: Vec<String> = pool.execute("what_happened", &()).await.unwrap();
    assert_eq!(log, ["Cancelled"]);
}

async fn a_call_that_is_dropped_is_interrupted(pool: Pool) {
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let hold = Hold::on_tools();
    let arguments = (60, hold.path());
    tokio::select! {
        outcome = pool.execute::<_, ()>("sleep", &arguments) => panic!("{outcome:?}"),
        () = hold.begun(1) => {}
    }
    let log: Vec<String> = pool.execute("what_happened", &()).await.unwrap();
    assert_eq!(log, ["Cancelled"]);
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
}

async fn what_is_dropped_before_it_began_harms_nobody(pool: Pool) {
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    until(async || {
        // Teaches the pool that requests are short, so that it sends several ahead.
        let mut many = pool.map::<_, _, u32>("echo", 0..300);
        while let Some(value) = many.next().await {
            value.unwrap();
        }
        let calls = (0..4).map(|_| pool.execute::<_, String>("sleep", &0.2));
        let mut calls: Vec<_> = calls.map(Box::pin).collect();
        let mut context = Context::from_waker(Waker::noop());
        for call in &mut calls {
            assert!(call.as_mut().poll(&mut context).is_pending());
        }
        let is_ahead = pool.stats().in_flight > 2;
        calls.truncate(2);
        for call in calls {
            call.await.unwrap();
        }
        is_ahead
    })
    .await;
    assert_eq!(pool.execute::<_, u32>("pid", &()).await.unwrap(), pid);
    assert_eq!(pool.stats().restarts, 0);
}

async fn a_worker_that_crashes_costs_its_call_and_is_replaced(pool: Pool) {
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let crashed = pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    assert!(
        matches!(crashed, Error::WorkerCrashed { .. }),
        "{crashed:?}"
    );
    let other: u32 = pool.execute("pid", &()).await.unwrap();
    assert_ne!(pid, other);
    assert_eq!(pool.stats().restarts, 1);
}

async fn a_stream_gives_its_items_and_its_error(pool: Pool) {
    let mut stream = pool.execute_stream::<_, u32>("numbers", &100);
    for wanted in 0..100 {
        assert_eq!(stream.next().await.unwrap().unwrap(), wanted);
    }
    assert!(stream.next().await.is_none());
    let mut stream = pool.execute_stream::<_, u32>("numbers", &(5, 2));
    assert_eq!(stream.next().await.unwrap().unwrap(), 0);
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    let failed = stream.next().await.unwrap().unwrap_err();
    assert!(
        matches!(&failed, Error::Python { exception, .. } if exception.message == "no number 2"),
        "{failed:?}"
    );
    assert!(stream.next().await.is_none());
}

async fn a_stream_that_is_dropped_closes_its_generator(pool: Pool) {
    {
        let mut stream = pool.execute_stream::<_, u32>("numbers", &1_000_000);
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
    }
    let log: Vec<String> = pool.execute("what_happened", &()).await.unwrap();
    assert_eq!(log, ["closed"]);
}

async fn a_slow_reader_stops_the_generator(pool: Pool) {
    let mut stream = pool.execute_stream::<_, Buffer>("large", &(1000, 1 << 20));
    assert_eq!(
        stream.next().await.unwrap().unwrap().as_bytes().len(),
        1 << 20
    );
    let mut made = Vec::new();
    // It goes on until nobody has room, and then no further.
    for _ in 0..200 {
        let now: Vec<u32> = pool.execute("what_happened", &()).await.unwrap();
        if made == now && !made.is_empty() {
            break;
        }
        made = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(made.len() < 200, "{} items were made", made.len());
}

async fn calls_of_a_session_share_a_store_and_its_end_is_told(pool: Pool) {
    let session = pool.session("user-42");
    session.execute::<_, ()>("put", &("key", 7)).await.unwrap();
    assert_eq!(session.execute::<_, u8>("get", "key").await.unwrap(), 7);
    let other = pool.session("user-43");
    let nothing: Option<u8> = other.execute("get", "key").await.unwrap();
    assert_eq!(nothing, None);
    session.end().await.unwrap();
    let log: Value = pool.execute("what_happened", &()).await.unwrap();
    assert_eq!(log, json!([["user-42", "ended"]]));
}

async fn python_calls_functions_of_the_program(pool: Pool) {
    let shouted: String = pool.execute("ask", &("shout", "hello")).await.unwrap();
    assert_eq!(shouted, "HELLO");
    let bytes = Buffer::from_bytes(vec![1, 2, 255]);
    let same: Buffer = pool.execute("ask", &("same", &bytes)).await.unwrap();
    assert_eq!(same.as_bytes(), [1, 2, 255]);
    let why: String = pool.execute("ask_in_vain", &()).await.unwrap();
    assert_eq!(why, "not today");
}

async fn threads_run_calls_side_by_side(pool: Pool) {
    // Until all four have met: a thread may need a moment to begin.
    for _ in 0..50 {
        let calls = (0..4).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.execute::<_, u32>("together", &0.2).await })
        });
        let mut most = 0;
        for call in calls.collect::<Vec<_>>() {
            most = most.max(call.await.unwrap().unwrap());
        }
        assert!(most <= 4);
        if most == 4 {
            return;
        }
    }
    panic!("never four at a time");
}

async fn an_event_loop_runs_tools_of_every_kind(pool: Pool) {
    assert_eq!(
        pool.execute::<_, u8>("add_later", &(1, 2)).await.unwrap(),
        3
    );
    assert_eq!(pool.execute::<_, u8>("add", &(1, 2)).await.unwrap(), 3);
    let mut stream = pool.execute_stream::<_, u32>("numbers_later", &50);
    for wanted in 0..50 {
        assert_eq!(stream.next().await.unwrap().unwrap(), wanted);
    }
    assert!(stream.next().await.is_none());
    let options = CallOptions::new().time_limit(Duration::from_millis(300));
    let late = pool
        .execute_with::<_, ()>("sleep_later", &60, options)
        .await
        .unwrap_err();
    assert!(matches!(late, Error::TimedOut { .. }), "{late:?}");
    let shouted: String = pool.execute("ask", &("shout", "hello")).await.unwrap();
    assert_eq!(shouted, "HELLO");
    // A cancelled task ends in its own time.
    until(async || {
        let log: Vec<String> = pool.execute("what_happened", &()).await.unwrap();
        log == ["closed", "CancelledError"]
    })
    .await;
}

async fn a_full_queue_refuses(pool: Pool) {
    let calls = (0..20).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.execute::<_, String>("sleep", &0.3).await })
    });
    let (mut slept, mut refused) = (0, 0);
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => slept += 1,
            Err(Error::QueueFull { limit: 1, .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(slept + refused, 20);
    assert!(slept > 0 && refused > 0, "{slept} slept");
}

async fn what_cannot_be_sent_is_marked_where_the_pool_is_lenient(pool: Pool) {
    let odd: Value = pool.execute("odd", &()).await.unwrap();
    assert_eq!(odd["inside"][0]["__ffi_unserializable__"], true);
}

async fn a_pool_ends_with_its_workers(pool: Pool) {
    let pid: u32 = pool.execute("pid", &()).await.unwrap();
    let hold = Hold::on_tools();
    let last = tokio::spawn({
        let (pool, path) = (pool.clone(), hold.path().to_owned());
        async move { pool.execute::<_, String>("hold", &(path,)).await }
    });
    hold.begun(1).await;
    // It is let go once the shutdown has begun.
    tokio::join!(pool.shutdown(), async { drop(hold) });
    assert_eq!(last.await.unwrap().unwrap(), "let go");
    assert!(!exists(pid));
}
