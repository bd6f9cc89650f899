//! The pool's numbers for the facade `metrics`, with the names and units that Prometheus has for such things.
//!
//! They are handed on every few seconds and when the pool has ended, from what [`Pool::stats`](super::Pool::stats)
//! tells: a call itself costs nothing more.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use tokio::time::sleep;

use super::dispatch::Dispatch;
use super::{Phase, Shared};

/// How often the numbers are handed on; what scrapes them comes less often.
const EVERY: Duration = Duration::from_secs(5);

const REQUESTS: &str = "snakepit_requests_total";
const FAILURES: &str = "snakepit_failures_total";
const DURATION: &str = "snakepit_request_duration_seconds";
const IN_FLIGHT: &str = "snakepit_requests_in_flight";
const QUEUED: &str = "snakepit_requests_queued";
const WORKERS: &str = "snakepit_workers";
const READY: &str = "snakepit_workers_ready";
const DEGRADED: &str = "snakepit_workers_degraded";
const RESTARTS: &str = "snakepit_worker_restarts_total";
const RECYCLES: &str = "snakepit_worker_recycles_total";
const MEMORY: &str = "snakepit_worker_memory_bytes";

/// Hands the numbers on until the pool has ended.
pub(crate) async fn publish(shared: Arc<Shared>) {
    describe();
    let mut phase = shared.phase.subscribe();
    loop {
        hand_on(&shared);
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = phase.wait_for(|phase| *phase != Phase::Running) => break,
        }
    }
    shared.until(Dispatch::is_deserted).await;
    hand_on(&shared);
}

fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Requests that workers brought to an end"
    );
    describe_counter!(
        FAILURES,
        Unit::Count,
        "Calls that ended without a value, by kind"
    );
    describe_gauge!(
        DURATION,
        Unit::Seconds,
        "From a call to its answer, by quantile"
    );
    describe_gauge!(IN_FLIGHT, Unit::Count, "Requests that are with a worker");
    describe_gauge!(QUEUED, Unit::Count, "Requests that wait for a worker");
    describe_gauge!(WORKERS, Unit::Count, "Workers that the pool keeps");
    describe_gauge!(READY, Unit::Count, "Workers that are ready");
    describe_gauge!(DEGRADED, Unit::Count, "Workers that failed too often");
    describe_counter!(
        RESTARTS,
        Unit::Count,
        "Workers that were replaced because they failed"
    );
    describe_counter!(
        RECYCLES,
        Unit::Count,
        "Workers that were replaced because they had served enough"
    );
    describe_gauge!(
        MEMORY,
        Unit::Bytes,
        "Resident memory of the interpreters, without those in containers"
    );
}

fn hand_on(shared: &Shared) {
    let pool = shared.spec.pool;
    let stats = shared.stats();
    counter!(REQUESTS, "pool" => pool).absolute(stats.requests);
    counter!(RESTARTS, "pool" => pool).absolute(stats.restarts);
    counter!(RECYCLES, "pool" => pool).absolute(stats.recycles);
    let failed = stats.failed;
    for (kind, count) in [
        ("python", failed.python),
        ("timed_out", failed.timed_out),
        ("worker_crashed", failed.worker_crashed),
        ("refused", failed.refused),
        ("unavailable", failed.unavailable),
        ("codec", failed.codec),
        ("misuse", failed.misuse),
        ("shut_down", failed.shut_down),
        ("dropped", failed.dropped),
    ] {
        counter!(FAILURES, "pool" => pool, "kind" => kind).absolute(count);
    }
    let latency = stats.latency;
    for (quantile, duration) in [
        ("0.5", latency.p50),
        ("0.9", latency.p90),
        ("0.99", latency.p99),
        ("0.999", latency.p999),
    ] {
        gauge!(DURATION, "pool" => pool, "quantile" => quantile).set(duration.as_secs_f64());
    }
    for (name, count) in [
        (IN_FLIGHT, stats.in_flight),
        (QUEUED, stats.queued),
        (WORKERS, stats.workers),
        (READY, stats.ready),
        (DEGRADED, stats.degraded),
    ] {
        gauge!(name, "pool" => pool).set(u32::try_from(count).map_or(f64::INFINITY, f64::from));
    }
    #[allow(
        clippy::cast_precision_loss,
        reason = "the facade's gauges are floats, and no memory has 2^53 bytes"
    )]
    gauge!(MEMORY, "pool" => pool).set(stats.memory as f64);
}
