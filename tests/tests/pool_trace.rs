//! What a pool tells whoever listens: spans of calls, events of workers. Alone in its program, since it listens to all.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use snakepit::{Pool, PoolConfig, snakepit_pools};
use snakepit_tests::until;
use tracing_subscriber::fmt::format::FmtSpan;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"], size = 2)]
    pub traced: PoolConfig,
}

/// What was traced.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The one line with all these words.
    fn line(&self, words: &[&str]) -> String {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let mut lines = text
            .lines()
            .filter(|line| words.iter().all(|word| line.contains(word)));
        let line = lines.next().unwrap_or_else(|| panic!("{words:?}\n{text}"));
        line.to_owned()
    }
}

#[tokio::test]
async fn calls_are_spans_and_the_life_of_a_worker_is_events() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let config = PoolConfig {
        max_restarts: Some(0),
        max_restart_delay: Some(Duration::from_millis(50)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(Pools::TRACED, &config).await.unwrap();
    pool.execute::<_, i64>("add", &(1, 2)).await.unwrap();
    pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    until(async || pool.stats().ready == 2 && pool.stats().degraded == 0).await;
    pool.shutdown().await;

    let call = log.line(&["call{", "tool=\"add\"", "close"]);
    for field in [
        "pool=\"traced\"",
        "environment=\"system\"",
        "request=0",
        "worker=",
    ] {
        assert!(call.contains(field), "{call}");
    }
    log.line(&["DEBUG", "tool=\"crash\"", "exit status: 7"]);
    log.line(&["DEBUG", "worker is started", "pid="]);
    log.line(&["INFO", "worker is ready", "environment=\"system\""]);
    log.line(&["INFO", "snakepit::worker", "about to go"]);
    log.line(&["WARN", "worker ended: exit status: 7"]);
    log.line(&["ERROR", "worker failed too often"]);
    log.line(&["INFO", "worker has recovered"]);
    log.line(&["DEBUG", "worker left"]);
}
