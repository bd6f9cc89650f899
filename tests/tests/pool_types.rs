//! What tools may return beside what JSON knows, and what is said of the rest.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snakepit::{Buffer, DType, Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{start, with_package};

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "typed", python_path = ["python"])]
    pub strict: PoolConfig,
    #[pool(environment = system, adapter = "typed", python_path = ["python"], lenient = true)]
    pub lenient: PoolConfig,
}

async fn refused(pool: &Pool, tool: &str) -> String {
    let error = pool.execute::<_, Value>(tool, &()).await.unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{tool}: {error}");
    error.to_string()
}

#[tokio::test]
async fn values_of_the_standard_library_arrive_as_what_they_mean() {
    let pool = start(Pools::STRICT).await;
    let told: Value = pool.execute("standard", &()).await.unwrap();
    let wanted = json!({
        "line": {
            "points": [{"x": 0.5, "at": "2024-02-29"}, {"x": 1.5, "at": "2024-02-29"}],
            "colour": "red",
        },
        "pair": [1, [1, 2]],
        "moment": "2024-02-29T12:30:00.000005+02:00",
        "time": "12:30:00",
        "span": 60.5,
        "sum": "0.10",
        "id": "00000000-0000-0000-0000-000000000001",
        "path": "a/b",
        "sets": [[1, 2, 3], ["a"], []],
        "queue": [1, 2],
        "view": {"a": [1, 2]},
    });
    assert_eq!(told, wanted);
    let many: Vec<Value> = pool.execute("many", &()).await.unwrap();
    assert_eq!(many.len(), 2000);
    assert_eq!(many[1999], json!({"x": 1999.0, "at": "2024-01-01"}));
}

#[tokio::test]
async fn every_number_arrives_as_the_very_same_one() {
    let pool = start(Pools::STRICT).await;
    let mut state = 1_u64;
    let random = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(state ^ (state >> 29))
    });
    let numbers: Vec<f64> = random
        .filter(|number| number.is_finite())
        .take(20_000)
        .collect();
    let back: Vec<f64> = pool.execute("echo", &(&numbers,)).await.unwrap();
    assert!(
        back.iter()
            .zip(&numbers)
            .all(|(back, sent)| back.to_bits() == sent.to_bits())
    );
    let thirds: Vec<f64> = pool.execute("thirds", &()).await.unwrap();
    assert!(
        thirds
            .iter()
            .zip(0..)
            .all(|(third, n)| *third == f64::from(n) * 0.37)
    );
    let wide: (i64, u64, u128) = (i64::MIN, u64::MAX, u128::MAX);
    assert_eq!(
        pool.execute::<_, (i64, u64, u128)>("echo", &wide)
            .await
            .unwrap(),
        wide
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_one_error_with_its_type_and_its_place() {
    let pool = start(Pools::STRICT).await;
    for (tool, place, what) in [
        ("model", "`$.items[3].model`", "`typed.Opaque`"),
        ("misplaced", "`$.items[2][0].points[0]`", "`typed.Opaque`"),
        ("not_a_number", "`$[1].rate`", "Out of range float"),
        ("keys", "`$.map`", "a key of type `tuple`"),
        ("hostile_form", "`$[0]`", "no colour"),
        ("alone", "", "`typed.Opaque`"),
    ] {
        let message = refused(&pool, tool).await;
        assert!(message.contains(place), "{tool}: {message}");
        assert!(message.contains(what), "{tool}: {message}");
    }
    for (tool, wanted) in [
        ("cycle", "`$.points[0]` leads back to a value that holds it"),
        ("deep", "it is nested too deeply"),
    ] {
        let message = refused(&pool, tool).await;
        assert!(message.contains(wanted), "{tool}: {message}");
    }
    let back: u8 = pool.execute("echo", &1).await.unwrap();
    assert_eq!(back, 1);
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_an_error_with_its_place_and_goes_in_a_buffer() {
    #[derive(Serialize)]
    struct Sample {
        name: Option<&'static str>,
        rates: BTreeMap<&'static str, Vec<f32>>,
    }
    let builder = Pool::builder(Pools::STRICT).host_tool("limit", async |name: String| {
        Ok::<f64, String>(if name == "none" { f64::INFINITY } else { 1.0 })
    });
    let pool = builder.start(&PoolConfig::default()).await.unwrap();
    let sample = |rate| Sample {
        name: None,
        rates: [("a", vec![1.0, rate])].into(),
    };
    let session = pool.session("a");
    for (outcome, place) in [
        (pool.execute("echo", &f64::NAN).await, "`$` is NaN"),
        (
            pool.execute("echo", &(1, f32::NEG_INFINITY)).await,
            "`$[1]` is infinite",
        ),
        (
            pool.execute("echo", &sample(f32::NAN)).await,
            "`$.rates.a[1]` is NaN",
        ),
        (
            session.execute("echo", &[None, Some(f64::NAN)]).await,
            "`$[1]` is NaN",
        ),
        (pool.execute("asked_limit", &"none").await, ""),
    ] {
        let error: Error = Result::<Value, Error>::unwrap_err(outcome);
        if place.is_empty() {
            assert!(
                error.to_string().contains("HostError: `$` is infinite"),
                "{error}"
            );
        } else {
            assert!(matches!(error, Error::Encoding { .. }), "{error}");
            assert!(error.to_string().contains(place), "{error}");
        }
    }
    // One in a stream of arguments fails alone.
    let outcomes = pool.map::<_, _, f64>("echo", [1.0, f64::NAN, 2.0]);
    let mut outcomes = std::pin::pin!(outcomes);
    let mut told = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        told.push(outcome.ok());
    }
    assert_eq!(told, [Some(1.0), None, Some(2.0)]);
    let back: Value = pool.execute("echo", &sample(2.0)).await.unwrap();
    assert_eq!(back, json!({"name": null, "rates": {"a": [1.0, 2.0]}}));
    let numbers = Buffer::from_vec(vec![f64::NAN, f64::INFINITY]);
    let back: Buffer = pool.execute("echo", &numbers).await.unwrap();
    assert_eq!(back.as_bytes(), numbers.as_bytes());
}

#[tokio::test]
async fn a_lenient_pool_sends_a_marker_with_the_type_instead() {
    let pool = start(Pools::LENIENT).await;
    let marker = json!({"__ffi_unserializable__": true, "__type__": "typed.Opaque"});
    let told: Value = pool.execute("model", &()).await.unwrap();
    assert_eq!(told, json!({"items": [0, 1, 2, {"model": marker}]}));
    let told: Value = pool.execute("alone", &()).await.unwrap();
    assert_eq!(told, marker);
    let told: Value = pool.execute("standard", &()).await.unwrap();
    assert_eq!(told["sum"], "0.10");
    assert!(refused(&pool, "not_a_number").await.contains("`$[1].rate`"));
}

#[tokio::test]
async fn numbers_and_arrays_of_numpy_come_and_go() {
    #[derive(Deserialize)]
    struct Numbers {
        scalars: (f32, i64, bool, u8, f64),
        moment: String,
        array: Buffer,
        turned: Buffer,
        point: Buffer,
        empty: Buffer,
        waves: Buffer,
    }
    let Some(spec) = with_package(Pools::STRICT, "numpy") else {
        return;
    };
    let pool = start(spec).await;
    let told: Vec<String> = pool.execute("imported", &(["numpy"],)).await.unwrap();
    assert!(told.is_empty(), "a start does not pay for it");
    let numbers: Numbers = pool.execute("numbers", &()).await.unwrap();
    assert_eq!(numbers.scalars, (0.5, -3, true, 200, 1.5));
    assert_eq!(numbers.moment, "2024-02-29T12:30:00");
    assert_eq!(numbers.array.shape(), [2, 3]);
    assert_eq!(numbers.array.as_slice::<i32>().unwrap(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(numbers.turned.shape(), [3, 2]);
    let turned = numbers.turned.as_slice::<f64>().unwrap();
    assert_eq!(turned, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(numbers.point.shape(), [0_usize; 0]);
    assert_eq!(numbers.point.as_slice::<f64>().unwrap(), [2.5]);
    assert_eq!(
        (numbers.empty.dtype(), numbers.empty.shape()),
        (DType::F16, &[0, 3][..])
    );
    assert_eq!(numbers.waves.as_slice::<[f32; 2]>().unwrap(), [[1.0, 2.0]]);
    for size in [4_usize, 8 << 20] {
        let array = Buffer::from_vec(vec![1_i32; size]);
        let told: (String, String, Vec<usize>, usize) =
            pool.execute("described", &array).await.unwrap();
        assert_eq!(
            told,
            ("ndarray".into(), "int32".into(), vec![size], size + 6)
        );
    }
    let message = refused(&pool, "objects").await;
    assert!(
        message.contains("`$[0]`") && message.contains("object"),
        "{message}"
    );
}

#[tokio::test]
async fn models_of_pydantic_arrive_as_maps() {
    let Some(spec) = with_package(Pools::STRICT, "pydantic") else {
        return;
    };
    let pool = start(spec).await;
    let told: Value = pool.execute("models", &()).await.unwrap();
    let wanted = json!([{"inner": {"day": "2024-02-29", "colour": "red"}, "names": ["a"]}]);
    assert_eq!(told, wanted);
}
