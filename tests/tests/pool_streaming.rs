//! Streams of values from generators, and one tool for many arguments.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::time::Duration;

use serde_json::json;
use snakepit::{CallOptions, Error, Pool, PoolConfig, ToolStream, snakepit_pools};
use snakepit_tests::{start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "flowing", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "flowing", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "flowing", python_path = ["python"], profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

const GENERATORS: [&str; 2] = ["numbers", "later_numbers"];

async fn all(mut stream: ToolStream<u64>) -> (Vec<u64>, Option<Error>) {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(item),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error is the last item");
                return (items, Some(error));
            }
        }
    }
    assert!(stream.next().await.is_none());
    (items, None)
}

async fn log(pool: &Pool) -> Vec<String> {
    pool.execute("what_happened", &()).await.unwrap()
}

async fn idle(pool: &Pool) {
    until(async || pool.stats().in_flight == 0).await;
}

#[tokio::test]
async fn every_kind_of_generator_gives_its_items_in_order_in_every_profile() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in GENERATORS {
            for count in [0, 1, 15, 16, 17, 1000] {
                let (items, error) = all(pool.execute_stream(tool, &count)).await;
                assert!(error.is_none(), "{tool} of {}: {error:?}", spec.pool);
                assert_eq!(
                    items,
                    (0..count).collect::<Vec<u64>>(),
                    "{tool} of {}",
                    spec.pool
                );
            }
        }
        let mut mapped = pool.execute_stream::<_, String>("mapped", &3);
        for wanted in ["0", "1", "2"] {
            assert_eq!(mapped.next().await.unwrap().unwrap(), wanted);
        }
        assert!(mapped.next().await.is_none());
        assert_eq!(pool.stats().in_flight, 0);
    }
    let pool = start(Pools::LOOPS).await;
    let (items, error) = all(pool.execute_stream("later_mapped", &20)).await;
    assert_eq!((items.len(), error.is_none()), (20, true));
}

#[tokio::test]
async fn a_slow_reader_stops_the_generator() {
    for spec in Pools::POOLS {
        let config = PoolConfig {
            size: Some(1),
            ..PoolConfig::default()
        };
        let pool = Pool::start(spec, &config).await.unwrap();
        for tool in GENERATORS {
            let mut stream = pool.execute_stream::<_, u64>(tool, &1_000_000);
            for wanted in 0..40 {
                assert_eq!(stream.next().await.unwrap().unwrap(), wanted);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            if spec.pool != "one" {
                let made: u64 = pool.execute("how_many", &()).await.unwrap();
                assert!(
                    (40..=40 + 16).contains(&made),
                    "{tool} of {}: {made}",
                    spec.pool
                );
            }
            drop(stream);
            idle(&pool).await;
            let made: u64 = pool.execute("how_many", &()).await.unwrap();
            assert!(
                (40..=40 + 16).contains(&made),
                "{tool} of {}: {made}",
                spec.pool
            );
        }
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn dropping_a_stream_closes_its_generator_wherever_it_is() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in GENERATORS {
            for pause in [0.0, 0.02] {
                let before = log(&pool).await.len();
                let mut stream = pool
                    .execute_stream::<_, u64>(tool, &json!({"count": 1_000_000, "pause": pause}));
                assert_eq!(stream.next().await.unwrap().unwrap(), 0);
                drop(stream);
                idle(&pool).await;
                let log = log(&pool).await;
                assert_eq!(
                    log.last().unwrap(),
                    "closed",
                    "{tool} of {}: {log:?}",
                    spec.pool
                );
                assert_eq!(log.len(), before + 2, "{tool} of {}: {log:?}", spec.pool);
            }
        }
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn an_exception_midway_is_the_last_item() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in GENERATORS {
            let (items, error) = all(pool.execute_stream(tool, &(50, 30))).await;
            assert_eq!(items.len(), 30, "{tool} of {}", spec.pool);
            let Some(Error::Python { exception, .. }) = &error else {
                panic!("{error:?}");
            };
            assert_eq!(exception.message, "no number 30");
            assert!(exception.traceback.contains("flowing.py"), "{exception:?}");
            assert_eq!(log(&pool).await.last().unwrap(), "closed");
        }
        let (items, error) = all(pool.execute_stream("unencodable", &3)).await;
        assert_eq!(items, [0, 1, 2]);
        assert!(matches!(error, Some(Error::Encoding { .. })), "{error:?}");
        assert_eq!(log(&pool).await.last().unwrap(), "closed");
    }
}

#[tokio::test]
async fn a_crash_midway_is_one_error_and_a_stream_is_not_begun_twice() {
    let pool = start(Pools::ONE).await;
    let (items, error) = all(pool.execute_stream("crash_after", &5)).await;
    assert_eq!(items, [0, 1, 2, 3, 4]);
    assert!(
        matches!(error, Some(Error::WorkerCrashed { .. })),
        "{error:?}"
    );
    let folder = std::env::temp_dir().join(format!("snakepit-streams-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let again = CallOptions::new().idempotent();
    let args = (folder.join("early"), 20, 0);
    let (items, error) = all(pool.execute_stream_with("crash_once", &args, again)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(items.len(), 20);
    let args = (folder.join("late"), 20, 10);
    let (items, error) = all(pool.execute_stream_with("crash_once", &args, again)).await;
    assert_eq!(items.len(), 10);
    assert!(
        matches!(error, Some(Error::WorkerCrashed { .. })),
        "{error:?}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_stream_and_a_value_are_not_taken_for_each_other() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in GENERATORS {
            let error = pool.execute::<_, u64>(tool, &3).await.unwrap_err();
            assert!(
                matches!(error, Error::IsStream { .. }),
                "{tool} of {}: {error:?}",
                spec.pool
            );
            assert!(error.to_string().contains("execute_stream"), "{error}");
        }
        let (items, error) = all(pool.execute_stream("listed", &3)).await;
        assert!(items.is_empty());
        let Some(Error::NoStream { found, .. }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(found, "list");
        let (_, error) = all(pool.execute_stream("no_such_tool", &3)).await;
        assert!(
            matches!(error, Some(Error::UnknownTool { .. })),
            "{error:?}"
        );
        let mut wrong = pool.execute_stream::<_, String>("numbers", &1000);
        let error = wrong.next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Decoding { .. }), "{error:?}");
        assert!(wrong.next().await.is_none());
        idle(&pool).await;
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn the_time_limit_of_a_stream_counts_for_each_item() {
    let pool = start(Pools::ONE).await;
    let short = CallOptions::new().time_limit(Duration::from_millis(600));
    let args = json!({"count": 8, "pause": 0.15});
    let mut stream = pool.execute_stream_with::<_, u64>("numbers", &args, short);
    let mut items = 0;
    while let Some(item) = stream.next().await {
        item.unwrap();
        items += 1;
        if items == 3 {
            // A reader that takes its time does not spend the tool's.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert_eq!(items, 8);
    let (items, error) = all(pool.execute_stream_with("stuck", &(), short)).await;
    assert_eq!(items, [1]);
    assert!(matches!(error, Some(Error::TimedOut { .. })), "{error:?}");
    idle(&pool).await;
    assert_eq!(pool.stats().restarts, 0);
}

#[tokio::test]
async fn large_items_go_through() {
    let pool = start(Pools::ONE).await;
    let mut stream = pool.execute_stream::<_, String>("texts", &(40, 1 << 20));
    let mut length = 0;
    while let Some(item) = stream.next().await {
        length += item.unwrap().len();
    }
    assert_eq!(length, 40 << 20);
}

#[tokio::test]
async fn a_worker_that_sends_items_without_room_for_them_is_ended() {
    let pool = start(Pools::ONE).await;
    let flood = pool.execute_stream("flood", &());
    // Nobody reads, and so nobody makes room.
    idle(&pool).await;
    let (items, error) = all(flood).await;
    assert_eq!(items.len(), 16);
    let Some(Error::WorkerCrashed { status, .. }) = &error else {
        panic!("{error:?}");
    };
    assert!(status.contains("no room"), "{status}");
}

#[tokio::test]
async fn map_gives_the_outcomes_in_order_and_goes_on_after_an_error() {
    for spec in Pools::POOLS {
        let config = PoolConfig {
            queue_limit: Some(4),
            size: Some(2),
            ..PoolConfig::default()
        };
        let pool = Pool::start(spec, &config).await.unwrap();
        let mut squares = pool.map::<_, _, u64>("square_slowly", 0..200_u64);
        let mut number = 0;
        while let Some(square) = squares.next().await {
            if number == 7 {
                assert!(matches!(square, Err(Error::Python { .. })), "{square:?}");
            } else {
                assert_eq!(square.unwrap(), number * number);
            }
            number += 1;
        }
        assert_eq!(number, 200);
        assert!(squares.next().await.is_none());
    }
}

#[tokio::test]
async fn map_takes_arguments_only_as_its_reader_comes_on() {
    let pool = start(Pools::ONE).await;
    let taken = std::cell::Cell::new(0_u64);
    let args = (0_u64..).inspect(|_| taken.set(taken.get() + 1));
    let mut squares = pool.map::<_, _, u64>("square", args);
    for number in 0..500 {
        assert_eq!(squares.next().await.unwrap().unwrap(), number * number);
    }
    assert!(taken.get() <= 500 + 64, "{}", taken.get());
    drop(squares);
    idle(&pool).await;
    assert_eq!(pool.stats().queued, 0);
}
