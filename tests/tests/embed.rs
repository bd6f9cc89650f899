//! An adapter that travels in the program: its worker needs no file of it, and Python still shows its lines.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;

use snakepit::{Error, Pool, PoolConfig, snakepit_pools};
use snakepit_tests::{HostPackage, Outcome};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = embed("python/embedded.py"))]
    pub embedded: PoolConfig,
    #[pool(environment = system, adapter = embed("python/marked.py"))]
    pub marked: PoolConfig,
}

async fn embedded() -> Pool {
    let config = PoolConfig::default();
    Pool::start(Pools::EMBEDDED, &config).await.unwrap()
}

#[tokio::test]
async fn the_module_is_named_after_its_file_and_shows_its_source() {
    let pool = embedded().await;
    let (name, file): (String, String) = pool.execute("where", &()).await.unwrap();
    assert_eq!(name, "embedded");
    assert_eq!(file, "<embedded>/python/embedded.py");
    let source: String = pool.execute("own_source", &()).await.unwrap();
    assert_eq!(source, "def where():\n    return [__name__, __file__]\n");
    let kept: String = pool.execute("pickled", &()).await.unwrap();
    assert_eq!(kept, "Kept");
}

#[tokio::test]
async fn the_traceback_of_an_embedded_tool_shows_the_python_line() {
    let error = embedded().await.execute::<_, ()>("fail", &()).await;
    let Err(Error::Python { exception, .. }) = error else {
        panic!("{error:?}");
    };
    let wanted = "  File \"<embedded>/python/embedded.py\", line 14, in fail\n    \
                  raise ValueError(\"told with its line\")  # here\n";
    assert!(
        exception.traceback.contains(wanted),
        "{}",
        exception.traceback
    );
}

#[tokio::test]
async fn a_pool_tells_the_tools_that_its_workers_offer() {
    let pool = Pool::start(Pools::MARKED, &PoolConfig::default())
        .await
        .unwrap();
    let wanted = [
        "echo",
        "first",
        "get_stats",
        "hidden_by_name",
        "ping",
        "renamed",
    ];
    assert_eq!(pool.tools(), wanted);
}

/// The adapter stands at line 6.
const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = system, adapter = embed("python/greetings.py"))]
    pub ml: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    println!("{}", pools.ml.execute::<_, String>("greet", "you").await?);
    pools.shutdown().await;
    Ok(())
}
"#;

#[test]
fn an_edited_file_is_built_in_again_and_the_program_needs_it_no_more() {
    let host = HostPackage::new("host-embed", Path::new(TARGET), "", MAIN);
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    // The data makes it some megabytes long.
    let source = |word: &str| {
        let data =
            "    \"a line of a table that somebody has put into the source\",\n".repeat(50_000);
        format!(
            "TABLE = [\n{data}]\n\n\ndef greet(name):\n    return f'{word} {{name}} {{len(TABLE)}}'\n"
        )
    };
    host.write("python/greetings.py", &source("hello"));
    host.build(&[]).stdout();
    let fresh = host.build(&["--verbose"]);
    assert!(
        fresh.success && !fresh.stderr.contains("Dirty"),
        "{}",
        fresh.stderr
    );
    host.write("python/greetings.py", &source("welcome"));
    host.build(&[]).stdout();
    let said = Outcome::of(&mut host.program()).stdout();
    assert_eq!(said, "welcome you 50000\n");

    host.write(
        "python/greetings.py",
        "def greet(name):\n    return [name)\n",
    );
    let errors = host.build(&[]).failure();
    assert!(
        errors.contains("[snakepit::adapter_syntax_error]"),
        "{errors}"
    );
    assert!(
        errors.contains("python/greetings.py\", line 2\n"),
        "{errors}"
    );
    assert!(errors.contains("    return [name)\n"), "{errors}");
    assert!(errors.contains(" --> src/main.rs:6:50"), "{errors}");
    host.write("python/greetings.py", &source("welcome"));
    host.build(&[]).stdout();
    fs::remove_dir_all(host.path("python")).unwrap();
    let said = Outcome::of(host.program().current_dir("/")).stdout();
    assert_eq!(said, "welcome you 50000\n");

    let errors = host.build(&[]).failure();
    assert!(
        errors.contains("[snakepit::adapter_file_not_found]"),
        "{errors}"
    );
    assert!(errors.contains(" --> src/main.rs:6:50"), "{errors}");
}
