//! The pool's numbers at the facade `metrics`. Alone in its program, whose recorder there can be only one of.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use snakepit::{Pool, PoolConfig, snakepit_pools};
use snakepit_tests::until;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"])]
    pub measured: PoolConfig,
}

/// Keeps the last value of everything, under its name and labels.
#[derive(Clone, Default)]
struct Values {
    numbers: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    described: Arc<Mutex<BTreeMap<String, Option<Unit>>>>,
}

impl Values {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels = labels.collect::<Vec<_>>().join(",");
        let name = format!("{}{{{labels}}}", key.name());
        self.numbers
            .lock()
            .unwrap()
            .entry(name)
            .or_default()
            .clone()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        let name = name.as_str().to_owned();
        self.described.lock().unwrap().insert(name, unit);
    }

    fn counter(&self, name: &str) -> u64 {
        let numbers = self.numbers.lock().unwrap();
        let cell = numbers.get(name);
        cell.unwrap_or_else(|| panic!("{name}: {:?}", numbers.keys()))
            .load(Ordering::Relaxed)
    }

    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.counter(name))
    }
}

impl Recorder for Values {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn the_numbers_of_a_pool_are_handed_on_while_it_runs_and_when_it_has_ended() {
    let values = Values::default();
    metrics::set_global_recorder(values.clone()).unwrap();
    let pool = Pool::start(Pools::MEASURED, &PoolConfig::default())
        .await
        .unwrap();
    pool.execute::<_, i64>("add", &(1, 2)).await.unwrap();
    pool.execute::<_, ()>("fail", "no such row")
        .await
        .unwrap_err();
    until(async || {
        let numbers = values.numbers.lock().unwrap();
        let requests = numbers.get("snakepit_requests_total{pool=measured}");
        requests.is_some_and(|requests| requests.load(Ordering::Relaxed) == 2)
    })
    .await;
    let quantile = "snakepit_request_duration_seconds{pool=measured,quantile=0.5}";
    assert!(values.gauge(quantile) > 0.0);
    for (name, wanted) in [
        ("snakepit_workers{pool=measured}", 1.0),
        ("snakepit_workers_ready{pool=measured}", 1.0),
        ("snakepit_workers_degraded{pool=measured}", 0.0),
        ("snakepit_requests_in_flight{pool=measured}", 0.0),
        ("snakepit_requests_queued{pool=measured}", 0.0),
    ] {
        assert!((values.gauge(name) - wanted).abs() < 0.1, "{name}");
    }
    assert!(values.gauge("snakepit_worker_memory_bytes{pool=measured}") > 1e6);

    pool.execute::<_, ()>("crash", &()).await.unwrap_err();
    pool.shutdown().await;
    let ready = "snakepit_workers_ready{pool=measured}";
    until(async || values.gauge(ready) <= 0.0).await;
    for (name, wanted) in [
        ("snakepit_requests_total{pool=measured}", 3),
        ("snakepit_failures_total{pool=measured,kind=python}", 1),
        (
            "snakepit_failures_total{pool=measured,kind=worker_crashed}",
            1,
        ),
        ("snakepit_failures_total{pool=measured,kind=timed_out}", 0),
        ("snakepit_worker_recycles_total{pool=measured}", 0),
    ] {
        assert_eq!(values.counter(name), wanted, "{name}");
    }
    let described = values.described.lock().unwrap();
    for name in values.numbers.lock().unwrap().keys() {
        let name = name.split('{').next().unwrap();
        assert!(described.contains_key(name), "{name}");
    }
}
