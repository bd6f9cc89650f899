//! `orjson`, where the environment has it, changes how fast large values are told, and nothing else.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use snakepit::{Buffer, Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{start, with_package};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "quick", python_path = ["python"])]
    pub strict: PoolConfig,
    #[pool(environment = system, adapter = "quick", python_path = ["python"], lenient = true)]
    pub lenient: PoolConfig,
    #[pool(environment = system, adapter = "quick", python_path = ["python"], profile = async(concurrency = 2))]
    pub loops: PoolConfig,
}

/// What each value arrives as, small or large: its JSON as it is understood, or the error.
async fn values(pool: &Pool) -> Vec<String> {
    let names: Vec<String> = pool.execute("names", &()).await.unwrap();
    let mut told = Vec::new();
    for name in &names {
        for padding in [0, 1 << 15] {
            let arguments = (name, padding);
            let value = pool.execute("value", &arguments);
            told.push(value.await.map_err(|error: Error| error.to_string()));
        }
    }
    understood(&told)
}

/// JSON without what two writers may do differently: escapes, and signs of exponents. Python reads it, since a `Value`
/// knows no order of keys and no integers beyond 64 bits.
fn understood(told: &[Result<Box<RawValue>, String>]) -> Vec<String> {
    let script = "import json, sys\n\
                  for one in json.load(sys.stdin, object_pairs_hook=list): print(ascii(one))";
    let mut python = Command::new(Pools::STRICT.command)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(&serde_json::to_vec(told).unwrap()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What Python sees of arguments, small or large.
async fn arguments(pool: &Pool) -> Vec<String> {
    let mut told = Vec::new();
    for json in [
        "null",
        "[true, false, null, 0, -1, 1.0, -0.0, 1e16, 0.1, 5e-324]",
        "[9223372036854775807, 9223372036854775808, 18446744073709551615, 18446744073709551616]",
        "[-9223372036854775808, -9223372036854775809, 123456789012345678901234567890]",
        "[0.1234567890123456789012, 1e400, -1E400, 1E5]",
        r#"["é", "\u00e9\ud83d\udc0d", "\u0000", "1234567890123456789012"]"#,
        r#"{"z": 1, "a": 2, "z": 3, "": {"b": null}}"#,
        &format!("{}1{}", "[".repeat(100), "]".repeat(100)),
    ] {
        let value = RawValue::from_string(json.to_owned()).unwrap();
        for padding in [0, 1 << 15] {
            let arguments = (&value, "x".repeat(padding));
            let seen: String = pool.execute("told", &arguments).await.unwrap();
            told.push(format!("{json}: {seen}"));
        }
    }
    let wide = to_raw_value(&u128::MAX).unwrap();
    let seen: String = pool
        .execute("told", &(&wide, "x".repeat(1 << 15)))
        .await
        .unwrap();
    assert_eq!(seen, u128::MAX.to_string());
    told
}

/// Until it was worth while to import it, if it is there.
async fn warm(pool: &Pool) {
    for _ in 0..20 {
        let rows: Vec<Value> = pool.execute("big", &()).await.unwrap();
        assert_eq!(rows[3], json!({"id": 3, "x": 3.0 * 0.37, "name": "é 3"}));
    }
}

#[tokio::test]
async fn values_arrive_the_same_with_and_without_it() {
    for spec in [Pools::STRICT, Pools::LENIENT, Pools::LOOPS] {
        let Some(quick) = with_package(spec, "orjson") else {
            return;
        };
        let (plain, quick) = (start(spec).await, start(quick).await);
        let (sent, seen) = (values(&plain).await, arguments(&plain).await);
        assert_eq!(values(&quick).await, sent);
        assert!(!quick.execute::<_, bool>("imported", &()).await.unwrap());
        warm(&quick).await;
        assert!(quick.execute::<_, bool>("imported", &()).await.unwrap());
        assert_eq!(values(&quick).await, sent, "{}", spec.pool);
        assert_eq!(arguments(&quick).await, seen, "{}", spec.pool);
        let numbers = Buffer::from_vec(vec![0.5_f64; 4000]);
        let back: (Buffer, String) = quick
            .execute("echo", &(&numbers, "x".repeat(1 << 15)))
            .await
            .unwrap();
        assert_eq!(back.0, numbers);
        // It is left alone where it fails again and again, and nothing else changes.
        for _ in 0..100 {
            let sum: Value = quick.execute("value", &"wide").await.unwrap_or_default();
            assert!(sum.is_null() || sum.is_array());
        }
        assert_eq!(values(&quick).await, sent, "{}", spec.pool);
    }
}
