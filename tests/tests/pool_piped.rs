//! Workers behind pipes, as behind a container's engine: all that the host says comes through the one, while tools run
//! and when nothing follows.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::time::Duration;

use serde_json::Value;
use snakepit::{
    CallOptions, Defaults, Error, Pool, PoolConfig, Profile, SpawnSpec, snakepit_pools,
};
use snakepit_tests::{copy, process::exists, until};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "piped", python_path = ["python"])]
    pub direct: PoolConfig,
}

const PROFILES: [Profile; 3] = [
    Profile::Process,
    Profile::Thread { threads: 4 },
    Profile::Async { concurrency: 4 },
];

/// The same Python with a process on each side of it that passes on what comes.
fn piped(profile: Profile) -> &'static SpawnSpec {
    let direct = Pools::DIRECT;
    let pipe = format!("cat | {} \"$@\" | cat", direct.command);
    let args: [&'static str; 3] = ["-c", pipe.leak(), "piped"];
    Box::leak(Box::new(SpawnSpec {
        pool: "piped",
        command: "/bin/sh",
        args: Vec::leak(args.to_vec()),
        defaults: Defaults {
            profile,
            ..direct.defaults
        },
        ..copy(direct)
    }))
}

async fn start(profile: Profile) -> Pool {
    let builder = Pool::builder(piped(profile))
        .host_tool("double", async |number: i64| Ok::<_, String>(2 * number));
    let config = PoolConfig {
        // A slow machine is to have the time to leave by itself.
        shutdown_timeout: Some(Duration::from_secs(60)),
        ..PoolConfig::default()
    };
    builder.start(&config).await.unwrap()
}

async fn idle(pool: &Pool) {
    until(async || pool.stats().in_flight == 0).await;
}

#[tokio::test]
async fn a_worker_behind_pipes_hears_the_host_while_its_tools_run() {
    for profile in PROFILES {
        let pool = start(profile).await;
        let pid: u32 = pool.execute("pid", &()).await.unwrap();
        let short = CallOptions::new().time_limit(Duration::from_millis(200));
        for tool in ["spin", "wait"] {
            let error = pool
                .execute_with::<_, ()>(tool, &60, short)
                .await
                .unwrap_err();
            assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
        }
        idle(&pool).await;
        let mut numbers = pool.execute_stream::<_, u64>("numbers", &1_000_000);
        for number in 0..100 {
            assert_eq!(numbers.next().await.unwrap().unwrap(), number);
        }
        drop(numbers);
        idle(&pool).await;
        for tool in ["ask", "ask_later"] {
            assert_eq!(pool.execute::<_, i64>(tool, &21).await.unwrap(), 42);
        }
        let mut sums = pool.map::<_, _, i64>("add", (0..500).map(|number| (number, 1)));
        for number in 0..500 {
            assert_eq!(sums.next().await.unwrap().unwrap(), number + 1);
        }
        let text = "x".repeat(4 << 20);
        let back: String = pool.execute("echo", &text).await.unwrap();
        assert!(back == text);
        assert_eq!(
            pool.execute::<_, u32>("pid", &()).await.unwrap(),
            pid,
            "{profile:?}"
        );
        assert_eq!(pool.stats().restarts, 0);
    }
}

#[tokio::test]
async fn a_worker_behind_pipes_leaves_by_itself_when_nothing_follows() {
    for profile in PROFILES {
        let pool = start(profile).await;
        let folder = std::env::temp_dir();
        let file = folder.join(format!("snakepit-piped-{}-{profile:?}", std::process::id()));
        let pid: u32 = pool.execute("say_at_exit", &file).await.unwrap();
        pool.shutdown().await;
        assert!(!exists(pid), "{profile:?}");
        let said = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(said, "left", "{profile:?}");
        std::fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn a_busy_worker_behind_pipes_ends_with_its_host() {
    for profile in PROFILES {
        let pool = start(profile).await;
        let pid: u32 = pool.execute("pid", &()).await.unwrap();
        let busy = pool.clone();
        let busy = tokio::spawn(async move { busy.execute::<_, Value>("spin", &60).await });
        while pool.stats().in_flight == 0 {
            tokio::task::yield_now().await;
        }
        busy.abort();
        drop(busy.await);
        drop(pool);
        until(async || !exists(pid)).await;
    }
}
