//! Workers in containers of a real engine: their answers, and that none of them outlives its host.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use snakepit_test_tools::{Engine, engine};
use snakepit_tests::{HostPackage, Outcome};

/// Shared with the other programs outside the workspace: what they depend on is compiled once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/host-programs");

/// Without an argument it prints answers; with the name of a pool and of a tool it keeps a worker busy, for ever.
const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(
        environment = docker(container_name = "snakepit-end-to-end", cwd = "/srv"),
        adapter = "tools",
        python_path = ["/srv/code"],
        env(GREETING = "hello there"),
    )]
    pub container: PoolConfig,
    #[pool(environment = docker(image = "snakepit-end-to-end"), adapter = "tools", python_path = ["/srv/code"])]
    pub image: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [pool, tool] = arguments.as_slice() {
        let pool = if pool == "image" { pools.image } else { pools.container };
        // Requests are sent ahead only to a worker that has answered quickly.
        for _ in 0..100 {
            let pings = (0..20).map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.execute::<_, i64>("add", &(1, 2)).await })
            });
            for ping in pings.collect::<Vec<_>>() {
                ping.await.expect("it does not panic")?;
            }
        }
        let busy = tokio::spawn({
            let (pool, tool) = (pool.clone(), tool.clone());
            async move { pool.execute::<_, ()>(&tool, &()).await }
        });
        // More than any pipe on the way holds waits behind the busy one.
        let waiting = tokio::spawn(async move { pool.execute::<_, String>("echo", &"x".repeat(8 << 20)).await });
        println!("busy");
        eprintln!("{:?} {:?}", busy.await, waiting.await);
        return Ok(());
    }
    let answer: (String, String) = pools.container.execute("surroundings", &()).await?;
    println!("{} {}", answer.0, answer.1);
    println!("{}", pools.image.execute::<_, i64>("add", &(1, 2)).await?);
    println!("{}", AppConfig::IMAGE.metadata.environment);
    pools.shutdown().await;
    Ok(())
}
"#;

const TOOLS: &str = r#"
import os
import subprocess
import sys
import time

def add(a, b):
    return a + b

def surroundings():
    return [os.environ["GREETING"], os.getcwd()]

def start_another():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])

def sleep():
    start_another()
    time.sleep(300)

def spin():
    start_another()
    while True:
        pass
"#;

/// The program, built beside a container and an image with its tools.
fn host(engine: &Engine) -> HostPackage {
    let host = HostPackage::new("host-docker", Path::new(TARGET), "", MAIN);
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    Outcome::of(
        host.cargo(["build", "--offline"])
            .envs(engine.variables.iter().cloned()),
    )
    .stdout();
    host
}

fn program(host: &HostPackage, engine: &Engine) -> Command {
    let mut program = host.program();
    program.envs(engine.variables.iter().cloned());
    program
}

/// A program whose adapter is in no container.
const EMBEDDED: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = docker(container_name = "snakepit-embedded"), adapter = embed("python/inside.py"))]
    pub ml: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    let (path, file): (String, String) = pools.ml.execute("where", &()).await?;
    println!("{:?} {path} {file}", AppConfig::ML.tools);
    println!("{:?}", pools.ml.execute::<_, ()>("fail", &()).await.unwrap_err());
    pools.shutdown().await;
    Ok(())
}
"#;

#[test]
fn an_adapter_in_the_program_serves_a_container_that_has_no_file_of_it() {
    let Some(engine) = engine() else { return };
    let _container = engine.container("snakepit-embedded");
    let host = HostPackage::new("host-docker-embed", Path::new(TARGET), "", EMBEDDED);
    host.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    let source = "import sys\n\n\ndef where():\n    return [sys.executable, __file__]\n\n\n\
                  def fail():\n    raise ValueError('in a container')\n";
    host.write("python/inside.py", source);
    let mut build = host.cargo(["build", "--offline"]);
    Outcome::of(build.envs(engine.variables.iter().cloned())).stdout();
    let said = Outcome::of(&mut program(&host, engine)).stdout();
    let first = "[where(), fail()] /usr/bin/python3 <embedded>/python/inside.py\n";
    assert!(said.starts_with(first), "{said}");
    let line = "  File \"<embedded>/python/inside.py\", line 9, in fail\n    raise ValueError('in a container')\n";
    assert!(said.contains(line), "{said}");
}

#[test]
fn workers_in_a_container_answer_and_leave_with_their_host_however_it_ends() {
    let Some(engine) = engine() else { return };
    let container = engine.container("snakepit-end-to-end");
    container.shell(&format!(
        "mkdir -p /srv/code && cat > /srv/code/tools.py <<'END'\n{TOOLS}\nEND"
    ));
    engine.output(&["commit", &container.name, "snakepit-end-to-end"]);
    let labelled = || engine.output(&["ps", "--quiet", "--filter", "label=snakepit.pool=image"]);
    let host = host(engine);

    let said = Outcome::of(&mut program(&host, engine)).stdout();
    assert_eq!(said, "hello there /srv\n3\ndocker\n");
    assert_eq!((container.pythons(), labelled().as_str()), (0, ""));

    for pool in ["container", "image"] {
        for tool in ["sleep", "spin"] {
            let mut busy = program(&host, engine)
                .args([pool, tool])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            let output = busy.stdout.take().unwrap();
            BufReader::new(output).read_line(&mut line).unwrap();
            assert_eq!(line, "busy\n");
            // The call has arrived inside by then.
            std::thread::sleep(Duration::from_millis(500));
            assert!(container.pythons() > 0 && !labelled().is_empty());
            busy.kill().unwrap();
            busy.wait().unwrap();
            // The figure is promised: no Python is left two seconds after its call's end, however that came.
            let end = Instant::now() + Duration::from_secs(2);
            while (container.pythons(), labelled().as_str()) != (0, "") {
                assert!(
                    Instant::now() < end,
                    "{pool}, {tool}: {} in the container, of the image: {}",
                    container.pythons(),
                    labelled()
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    engine.output(&["kill", &container.name]);
    let said = Outcome::of(&mut program(&host, engine)).failure();
    assert!(
        said.contains("pool `container`") && said.contains("is not running"),
        "{said}"
    );
    // A client that is killed while it makes a container leaves it, never started: the label finds it. The engine may
    // be about to make it still.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(labelled(), "");
    let label = "label=snakepit.pool";
    let left = || engine.output(&["ps", "--all", "--quiet", "--filter", label]);
    for container in left().lines() {
        engine.output(&["rm", container]);
    }
    assert_eq!(left(), "");
    drop(container);
    // The engine may still be removing a container of it.
    engine.output(&["rmi", "--force", "snakepit-end-to-end"]);
}
