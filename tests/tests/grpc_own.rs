//! Our own bridge as a gRPC server: for any client of Snakepit's protocol, and in a program built by a real cargo.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use snakepit::{Pool, PoolConfig, SpawnSpec, snakepit_pools};
use snakepit_test_tools::{python, skip};
use snakepit_tests::{BRIDGE_OVER_GRPC, HostPackage, Outcome, copy, with_package};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "wires", python_path = ["python"], execute_timeout = "60s")]
    pub plain: PoolConfig,
}

fn spec() -> Option<&'static SpawnSpec> {
    let packaged = with_package(Pools::PLAIN, "grpcio-status")?;
    Some(Box::leak(Box::new(SpawnSpec {
        transport: BRIDGE_OVER_GRPC,
        ..copy(packaged)
    })))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_client_of_the_protocol_is_served_and_only_this_user_reaches_it() {
    let Some(spec) = spec() else { return };
    let config = PoolConfig {
        startup_timeout: Some(Duration::from_secs(60)),
        ..PoolConfig::default()
    };
    let pool = Pool::start(spec, &config).await.unwrap();
    let socket: String = pool.execute("where_it_listens", &()).await.unwrap();
    let folder = Path::new(&socket).parent().unwrap();
    let mode = fs::metadata(folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = Command::new(spec.command)
        .arg(tests.join("python/plain_client.py"))
        .arg(&socket)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.stdout, b"all is well\n", "{stderr}");
    pool.shutdown().await;
    assert!(!folder.exists());
}

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(
        environment = system(python_executable = "PYTHON"),
        transport = grpc,
        adapter = embed("python/tools.py"),
    )]
    pub ml: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    println!("{:?} {}", AppConfig::ML.tools, pools.ml.execute::<_, i64>("add", &(1, 2)).await?);
    pools.shutdown().await;
    Ok(())
}
"#;

fn host(name: &str, dependency: &str, python: &Path) -> HostPackage {
    let main = MAIN.replace("PYTHON", &python.display().to_string());
    let host = HostPackage::new(name, Path::new(TARGET), dependency, &main);
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    host.write("python/tools.py", "def add(a, b):\n    return a + b\n");
    host
}

#[test]
fn a_program_says_what_it_lacks_and_answers_when_it_has_it() {
    let bin = match snakepit_test_tools::install("grpcio-status") {
        Ok(bin) => bin,
        Err(lacking) => return skip(&lacking),
    };
    let without = host("host-grpc-feature", "", &bin.join("python"));
    let said = without.build(&[]).failure();
    assert_eq!(said.matches("\nerror: pool `ml`").count(), 1, "{said}");
    assert!(
        said.contains("run `cargo add snakepit --features grpc`"),
        "{said}"
    );
    let feature = "features = [\"grpc\"]";
    let bare = host("host-grpc-bare", feature, &python().path);
    let said = bare.build(&[]).failure();
    assert!(
        said.contains("grpcio") && said.contains("[snakepit::requirement_not_installed]"),
        "{said}"
    );
    let whole = host("host-grpc", feature, &bin.join("python"));
    let said = Outcome::of(&mut whole.cargo(["run", "--offline", "--quiet"])).stdout();
    assert_eq!(said, "[add(a, b)] 3\n");
}
