//! Bytes and arrays beside the JSON, in frames and through shared memory.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use serde::{Deserialize, Serialize};
use snakepit::{
    Buffer, CallOptions, DType, Error, HostTools, Pool, PoolConfig, SpawnSpec, snakepit_pools,
};
use snakepit_tests::until;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "buffering", python_path = ["python"])]
    pub one: PoolConfig,
    #[pool(environment = system, adapter = "buffering", python_path = ["python"], profile = thread(threads = 4))]
    pub threads: PoolConfig,
    #[pool(environment = system, adapter = "buffering", python_path = ["python"], profile = async(concurrency = 4))]
    pub loops: PoolConfig,
}

/// Above this size buffers of local workers go through shared memory.
const LARGE: usize = 2 << 20;

async fn start(spec: &'static SpawnSpec) -> Pool {
    let turn = async |bytes: Buffer| {
        let mut turned = bytes.to_vec::<u8>().map_err(|error| error.to_string())?;
        turned.reverse();
        Ok::<_, String>(Buffer::from_bytes(turned))
    };
    Pool::builder(spec)
        .host_tools(HostTools::new().tool("turn", turn))
        .start(&PoolConfig::default())
        .await
        .unwrap()
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size)
        .map(|index| (index * 31 + index / 251) as u8)
        .collect()
}

#[tokio::test]
async fn bytes_of_every_size_come_back_as_they_went_in_every_profile() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in ["same", "later_same"] {
            for size in [0, 1, 15, 16, 17, 65_536, 300_000, LARGE, LARGE + 1] {
                let sent = bytes(size);
                let (back,): (Buffer,) = pool
                    .execute(tool, &((Buffer::from_bytes(sent.clone()),),))
                    .await
                    .unwrap();
                assert_eq!(back.dtype(), DType::Bytes);
                assert!(back.as_bytes() == sent, "{size} bytes in {}", spec.pool);
            }
        }
        let kind: String = pool
            .execute("kind_of", &Buffer::from_bytes(vec![1]))
            .await
            .unwrap();
        assert_eq!(kind, "bytes");
    }
}

#[tokio::test]
async fn arrays_keep_type_and_shape_and_are_views_without_numpy() {
    let pool = start(Pools::ONE).await;
    let array = Buffer::from_slice(&[1_i16, -2, 3, -4, 5, -6])
        .with_shape(&[2, 3])
        .unwrap();
    let told: (String, String, Vec<usize>, Vec<Vec<i16>>) =
        pool.execute("describe", &array).await.unwrap();
    assert_eq!(
        told,
        (
            "memoryview".into(),
            "h".into(),
            vec![2, 3],
            vec![vec![1, -2, 3], vec![-4, 5, -6]]
        )
    );
    let back: Buffer = pool.execute("same", &array).await.unwrap();
    assert_eq!(back, array);
    let large = Buffer::from_vec((0..LARGE / 4).map(|n| n as f32).collect());
    let back: Buffer = pool.execute("same", &large).await.unwrap();
    assert_eq!(
        back.as_slice::<f32>().unwrap(),
        large.as_slice::<f32>().unwrap()
    );
    let empty = Buffer::from_slice::<f64>(&[]);
    let back: Buffer = pool.execute("same", &empty).await.unwrap();
    assert_eq!(back, empty);
    let all: Vec<Buffer> = pool.execute("every_format", &()).await.unwrap();
    let types: Vec<DType> = all.iter().map(Buffer::dtype).collect();
    use DType::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    assert_eq!(types, [I8, U8, I16, U16, I32, U32, I64, U64, F32, F64]);
    assert_eq!(all[9].as_slice::<f64>().unwrap(), [1.0, 2.0, 3.0]);
    let every_other: Buffer = pool.execute("every_other", &()).await.unwrap();
    assert_eq!(every_other.as_bytes(), [0, 2, 4, 6, 8]);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Image {
    name: String,
    pixels: Buffer,
}

#[tokio::test]
async fn buffers_stand_anywhere_beside_other_values() {
    #[derive(Deserialize)]
    struct Answer {
        name: String,
        pixels: Buffer,
        parts: (Buffer, Vec<Buffer>),
        size: f64,
    }
    #[derive(Serialize)]
    struct Arguments {
        image: Image,
    }
    let pool = start(Pools::ONE).await;
    for size in [6, LARGE / 4] {
        let pixels = Buffer::from_vec(vec![0.25_f32; size]);
        let image = Image {
            name: "é".into(),
            pixels: pixels.clone(),
        };
        let answer: Answer = pool.execute("inside", &Arguments { image }).await.unwrap();
        assert_eq!((&*answer.name, answer.size), ("é", 1.5));
        assert_eq!(answer.pixels, pixels);
        assert_eq!(answer.parts.0.as_bytes(), b"a");
        assert_eq!(answer.parts.1[0].as_bytes(), b"bc");
    }
    let told: Result<serde_json::Value, Error> =
        pool.execute("same", &Buffer::from_bytes(vec![1])).await;
    let message = told.unwrap_err().to_string();
    assert!(
        message.contains("`snakepit::Buffer` takes them"),
        "{message}"
    );
}

#[tokio::test]
async fn streams_bring_buffers_in_every_profile() {
    #[derive(Deserialize)]
    struct Piece {
        index: u8,
        data: Buffer,
    }
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in ["pieces", "later_pieces"] {
            for size in [3, LARGE] {
                let many = if size == LARGE { 2 } else { 20 };
                let mut pieces = pool.execute_stream::<_, Piece>(tool, &(many, size));
                let mut count = 0;
                while let Some(piece) = pieces.next().await {
                    let piece = piece.unwrap();
                    assert_eq!(piece.index, count);
                    assert_eq!(piece.data.as_bytes(), vec![count; size]);
                    count += 1;
                }
                assert_eq!(count, many);
            }
        }
    }
}

#[tokio::test]
async fn host_tools_take_and_give_buffers() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        for tool in ["ask_host", "ask_host_later"] {
            for size in [10, LARGE] {
                let mut sent = bytes(size);
                let back: Buffer = pool
                    .execute(tool, &Buffer::from_bytes(sent.clone()))
                    .await
                    .unwrap();
                sent.reverse();
                assert!(back.as_bytes() == sent, "{tool} in {}", spec.pool);
            }
        }
    }
}

#[tokio::test]
async fn what_a_tool_writes_into_an_array_is_its_own() {
    let pool = start(Pools::ONE).await;
    for size in [8, LARGE] {
        let array = Buffer::from_vec(vec![1_u8; size]);
        for _ in 0..2 {
            let back: Buffer = pool.execute("scribble", &array).await.unwrap();
            assert_eq!(back.as_bytes()[..2], [99, 1]);
            assert_eq!(array.as_bytes()[0], 1);
            // What came from a worker goes to one like anything else.
            let again: Buffer = pool.execute("same", &back).await.unwrap();
            assert_eq!(again, back);
        }
    }
}

#[tokio::test]
async fn what_is_too_long_or_has_no_such_elements_is_one_error_that_says_where() {
    let pool = start(Pools::ONE).await;
    let error = pool
        .execute::<_, Vec<Buffer>>("no_elements", &())
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Encoding { .. }), "{message}");
    assert!(message.contains("`$.pairs[1]`"), "{message}");
    let many = vec![Buffer::from_vec(vec![0_u8; 1 << 19]); 600];
    let error = pool
        .execute::<_, usize>("total", &(many,))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error}");
    assert!(error.to_string().contains("more than the limit"), "{error}");
    assert!(error.to_string().contains("in several calls"), "{error}");
    // Above the limit of a frame there is shared memory.
    let size = 257 << 20;
    let large = Buffer::from_bytes(vec![0; size]);
    let length: usize = pool.execute("total", &large).await.unwrap();
    assert_eq!(length, size);
    let left: u8 = pool.execute("same", &7).await.unwrap();
    assert_eq!(left, 7);
}

#[tokio::test]
async fn digits_are_never_taken_for_a_buffer() {
    let pool = start(Pools::ONE).await;
    #[derive(Serialize)]
    struct Arguments {
        value: (f64, String, Buffer, u64, f64),
    }
    let value = (
        1e300,
        "1e12345678901234567890".repeat(4),
        Buffer::from_bytes(vec![7]),
        u64::MAX,
        0.1 + 0.2,
    );
    let arguments = Arguments { value };
    let back: (f64, String, Buffer, u64, f64) = pool.execute("same", &arguments).await.unwrap();
    assert_eq!(back, arguments.value);
    let text = "9".repeat(38);
    let back: (String, String, f64, Buffer) = pool.execute("digits", &text).await.unwrap();
    assert_eq!(back.1, format!("{text}0"));
}

/// The open files of a worker, once it has let go of its last buffers.
async fn without_memory_files(pool: &Pool) -> usize {
    let mut files: Vec<String> = Vec::new();
    until(async || {
        files = pool.execute("open_files", &()).await.unwrap();
        !files.iter().any(|file| file.contains("memfd"))
    })
    .await;
    files.len()
}

#[tokio::test]
async fn many_large_ones_at_a_time_leave_no_file_behind() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        let sent = Buffer::from_bytes(bytes(LARGE));
        // The first one opens what every later one uses.
        let _: Buffer = pool.execute("same", &sent).await.unwrap();
        let before = without_memory_files(&pool).await;
        let mut calls = pool.map::<_, _, Buffer>("same", vec![sent.clone(); 4]);
        while let Some(back) = calls.next().await {
            assert_eq!(back.unwrap(), sent);
        }
        let after = without_memory_files(&pool).await;
        assert_eq!(after, before, "{}", spec.pool);
    }
}

#[tokio::test]
async fn values_stay_what_they_are_while_later_ones_come_the_same_way() {
    for spec in Pools::POOLS {
        let pool = start(spec).await;
        let mut kept = Vec::new();
        for round in 0..10_u8 {
            let sent = Buffer::from_bytes(vec![round; LARGE + usize::from(round)]);
            kept.push((sent.clone(), pool.execute::<_, Buffer>("same", &sent).await));
            // Every other one is let go of, so that its memory is used again.
            if round % 2 == 0 {
                drop(kept.remove(kept.len() / 2));
            }
        }
        for (sent, back) in kept {
            assert_eq!(back.unwrap(), sent, "{}", spec.pool);
        }
    }
}

#[tokio::test]
async fn a_forked_child_writes_nothing_into_the_memory_of_its_parent() {
    let pool = start(Pools::ONE).await;
    let sent = Buffer::from_bytes(bytes(LARGE));
    for _ in 0..3 {
        let back: Buffer = pool.execute("same_in_fork", &sent).await.unwrap();
        assert_eq!(back, sent);
        let (all, lent): (usize, usize) = pool.execute("segments", &()).await.unwrap();
        assert_eq!((all, lent), (1, 0));
    }
}

#[tokio::test]
async fn a_call_with_a_large_buffer_is_tried_again_in_another_worker() {
    let pool = start(Pools::ONE).await;
    let large = Buffer::from_bytes(bytes(LARGE));
    let error = pool.execute::<_, ()>("die", &large).await.unwrap_err();
    assert!(matches!(error, Error::WorkerCrashed { .. }), "{error}");
    let calls = (0..4).map(|_| {
        let (pool, large) = (pool.clone(), large.clone());
        tokio::spawn(async move {
            let options = CallOptions::new().idempotent();
            pool.execute_with::<_, Buffer>("same", &large, options)
                .await
        })
    });
    let calls: Vec<_> = calls.collect();
    let _ = pool.execute::<_, ()>("die", &large).await;
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), large);
    }
}
