//! The tools that the build reads in an adapter are those that its workers offer, in the same shape.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::collections::BTreeMap;

use snakepit::{Pool, PoolConfig, SpawnSpec, Tool, snakepit_pools};

/// In every pool.
const COMMON: [&str; 3] = ["echo", "get_stats", "ping"];

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "offered", python_path = ["python"])]
    pub offered: PoolConfig,
    #[pool(environment = system, adapter = embed("python/marked.py"))]
    pub marked: PoolConfig,
    #[pool(environment = system)]
    pub bare: PoolConfig,
}

async fn start(spec: &'static SpawnSpec) -> Pool {
    Pool::start(spec, &PoolConfig::default()).await.unwrap()
}

#[tokio::test]
async fn what_the_build_lists_is_what_the_workers_offer() {
    for spec in Pools::POOLS {
        let mut listed: Vec<&str> = spec.tools.iter().map(|tool| tool.name).collect();
        // Which branch of an `if` runs, the source does not tell.
        listed.retain(|name| *name != "ancient");
        listed.extend(COMMON);
        listed.sort_unstable();
        assert_eq!(start(spec).await.tools(), listed, "{}", spec.pool);
    }
}

#[tokio::test]
async fn a_tool_has_the_signature_that_python_gives_it() {
    let pool = start(Pools::OFFERED).await;
    let looks: BTreeMap<String, (String, bool, bool)> = pool.execute("looks", &()).await.unwrap();
    let tools = Pools::OFFERED.tools.iter();
    for tool in tools.filter(|tool| tool.name != "ancient") {
        let (signature, is_async, is_streaming) = &looks[tool.name];
        let is = |word, holds: bool| if holds { word } else { "" };
        let words = [is("async ", *is_async), is("stream ", *is_streaming)].concat();
        let wanted = format!("{words}{}{signature}", tool.name);
        assert_eq!(tool.to_string(), wanted);
        assert_eq!(
            (tool.is_async, tool.is_streaming),
            (*is_async, *is_streaming),
            "{tool}"
        );
    }
}

#[test]
fn the_constant_tells_documentation_and_parameters() {
    let named = |name: &str| -> &Tool {
        let mut tools = Pools::OFFERED.tools.iter();
        tools.find(|tool| tool.name == name).unwrap()
    };
    assert_eq!(named("plain").doc, Some("Says a word."));
    assert_eq!(named("annotated").returns, Some("bool"));
    let parameter = named("annotated").parameters[1];
    assert_eq!((parameter.name, parameter.default), ("b", Some("'é'")));
    assert!(Pools::BARE.tools.is_empty());
}
