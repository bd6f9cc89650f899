//! Adapters that are classes: their tools, and what is called when a worker begins and leaves.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use snakepit::{Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{start, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "classy:Model", python_path = ["python"])]
    pub processes: PoolConfig,
    #[pool(environment = system, adapter = "classy:Model", python_path = ["python"], profile = thread(threads = 2))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "classy:Model", python_path = ["python"], profile = async(concurrency = 2))]
    pub loops: PoolConfig,
    #[pool(environment = system, adapter = embed("python/classy.py:Model"))]
    pub embedded: PoolConfig,
    #[pool(environment = system, adapter = "classy:Marked", python_path = ["python"])]
    pub marked: PoolConfig,
    #[pool(environment = system, adapter = "classy:Marked", python_path = ["python"], profile = async(concurrency = 2))]
    pub marked_loops: PoolConfig,
    #[pool(environment = system, adapter = "classy:Late", python_path = ["python"])]
    pub late: PoolConfig,
    #[pool(environment = system, adapter = "classy:Greedy", python_path = ["python"])]
    pub greedy: PoolConfig,
}

/// Without those that every pool has.
fn offered(pool: &Pool) -> Vec<String> {
    let common = ["ping", "echo", "get_stats"];
    let mut tools = pool.tools();
    tools.retain(|tool| !common.contains(&&**tool));
    tools
}

#[tokio::test]
async fn the_methods_of_one_instance_are_the_tools_in_every_profile() {
    for spec in [
        Pools::PROCESSES,
        Pools::THREADS,
        Pools::LOOPS,
        Pools::EMBEDDED,
    ] {
        let pool = start(spec).await;
        let sum: i64 = pool.execute("add", &json!({"left": 2})).await.unwrap();
        assert_eq!(sum, 3);
        let steps: Vec<String> = pool.execute("told", &()).await.unwrap();
        assert_eq!(steps, ["made", "setup 0", "initialized", "add"]);
        assert_eq!(pool.execute::<_, i64>("twice", &4).await.unwrap(), 8);
        assert_eq!(
            pool.execute::<_, String>("named", &()).await.unwrap(),
            "Model"
        );
        assert_eq!(
            pool.execute::<_, String>("shared", &()).await.unwrap(),
            "base"
        );
        assert_eq!(pool.execute::<_, i64>("later", &5).await.unwrap(), 5);
        let mut numbers = pool.execute_stream::<_, i64>("count", &3);
        while numbers.next().await.transpose().unwrap().is_some() {}
        let session = pool.session("a");
        session.execute::<_, ()>("remember", &1).await.unwrap();
        session.end().await.unwrap();
        let ended: Value = pool.execute("forgotten", &()).await.unwrap();
        assert_eq!(ended, json!([["a", 1, "ended"]]));
        pool.shutdown().await;
    }
}

#[tokio::test]
async fn the_build_lists_the_methods_that_the_workers_offer() {
    for (spec, wanted) in [
        (
            Pools::PROCESSES,
            "add, clean_into, count, crash, forgotten, later, named, pid, remember, shared, told, twice",
        ),
        (Pools::EMBEDDED, ""),
        (Pools::MARKED, "answer, fixed"),
    ] {
        let mut read: Vec<String> = spec.tools.iter().map(|tool| tool.name.to_owned()).collect();
        read.sort();
        assert_eq!(offered(&start(spec).await), read);
        assert!(wanted.is_empty() || read.join(", ") == wanted, "{read:?}");
    }
    let tools = format!("{:?}", Pools::PROCESSES.tools);
    for tool in [
        "add(left: int, right: int = 1) -> int",
        "twice(number)",
        "named()",
    ] {
        assert!(tools.contains(tool), "{tools}");
    }
}

#[tokio::test]
async fn what_fails_at_the_start_is_named_with_its_traceback() {
    for (spec, said) in [
        (
            Pools::LATE,
            "`initialize` of the adapter `classy:Late` failed: LookupError: no weights (`",
        ),
        (
            Pools::GREEDY,
            "`__init__` of the adapter `classy:Greedy` failed: TypeError: ",
        ),
    ] {
        let error = Pool::start(spec, &PoolConfig::default()).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        let Error::Startup { exception, .. } = error else {
            panic!("{error:?}");
        };
        let traceback = exception.unwrap().traceback;
        assert!(traceback.contains("Error: "), "{traceback}");
        assert!(!traceback.contains("snakepit bridge"), "{traceback}");
    }
}

fn cleaned(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with("cleaned"))
        .count()
}

#[tokio::test]
async fn cleanup_is_called_when_a_worker_leaves_and_not_when_it_crashes() {
    let folder = tempfile::tempdir().unwrap();
    for spec in [Pools::PROCESSES, Pools::THREADS, Pools::LOOPS] {
        let file = folder.path().join(spec.pool);
        let path = file.to_str().unwrap().to_owned();
        let pool = start(spec).await;
        pool.execute::<_, ()>("clean_into", &path).await.unwrap();
        pool.execute::<_, ()>("crash", &()).await.unwrap_err();
        until(async || pool.stats().ready == 1).await;
        assert_eq!(cleaned(&file), 0);
        pool.execute::<_, ()>("clean_into", &path).await.unwrap();
        pool.shutdown().await;
        assert_eq!(cleaned(&file), 1, "{}", spec.pool);

        // One that has served enough leaves as well.
        let config = PoolConfig {
            max_requests: Some(2),
            ..PoolConfig::default()
        };
        let pool = Pool::start(spec, &config).await.unwrap();
        for _ in 0..2 {
            pool.execute::<_, ()>("clean_into", &path).await.unwrap();
        }
        until(async || cleaned(&file) == 2).await;
    }
}

/// What is told of workers, as text.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn its_life_may_be_asynchronous_and_runs_where_its_tools_run() {
    let told = Told::default();
    let writer = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for spec in [Pools::MARKED, Pools::MARKED_LOOPS] {
        let pool = start(spec).await;
        assert!(pool.execute::<_, bool>("answer", &()).await.unwrap());
        assert_eq!(pool.execute::<_, u8>("fixed", &()).await.unwrap(), 7);
        pool.shutdown().await;
        let text = std::mem::take(&mut *told.0.lock().unwrap());
        let text = String::from_utf8(text).unwrap();
        // A cleanup that fails is told and keeps nobody.
        assert!(text.contains("cleaned up, True"), "{text}");
        assert!(text.contains("RuntimeError: cleanup fails"), "{text}");
    }
}
