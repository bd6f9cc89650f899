//! A program that is built where there is no Python, from a lock that was made where it will run, and runs there.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use snakepit_build::Builder;
use snakepit_tests::{HostPackage, Outcome, Root};

const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/offline");

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Tells this program that it is on the machine that locks, and which package.
const LOCKS: &str = "SNAKEPIT_TEST_LOCKS";

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = venv, adapter = "tools", python_path = ["python"])]
    pub ml: PoolConfig,
    #[pool(environment = system, adapter = embed("python/tools.py"))]
    pub system: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), snakepit::Error> {
    let pools = AppConfig::default().start_pools().await?;
    for pool in [&pools.ml, &pools.system] {
        println!("{}", pool.execute::<_, String>("prefix", &()).await?);
    }
    pools.shutdown().await;
    Ok(())
}
"#;

const TOOLS: &str = "import sys\n\n\ndef prefix():\n    return sys.prefix\n";

#[test]
fn a_machine_without_python_builds_from_the_lock_what_runs_on_the_one_that_it_was_made_on() {
    if let Some(package) = env::var_os(LOCKS) {
        let found = Builder::new().lock(Path::new(&package)).unwrap();
        found.write(Path::new(&package)).unwrap();
        return;
    }
    let (Some(mut device), Some(mut builder)) = (Root::new(), Root::new()) else {
        return;
    };
    let package = HostPackage::new("host-offline", Path::new(TARGET), "", MAIN);
    package.depend_on("tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }");
    package.write("python/tools.py", TOOLS);

    // The machine that the program will run on has the environment.
    device.share(package.path(""), "/mnt");
    device.share(env::current_exe().unwrap(), "/opt/lock");
    let test =
        "a_machine_without_python_builds_from_the_lock_what_runs_on_the_one_that_it_was_made_on";
    let made = device.shell(&format!(
        "cp -r /mnt /srv/app
        python3 -m venv --without-pip /srv/app/.venv
        {LOCKS}=/srv/app /opt/lock --exact {test}
        cp /srv/app/snakepit.lock /mnt"
    ));
    made.stdout();

    // The machine that builds has the package at another place, a compiler, and no Python.
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home =
        cargo_home.unwrap_or_else(|| Path::new(&env::var_os("HOME").unwrap()).join(".cargo"));
    let compiler = Outcome::of(Command::new("rustc").args(["--print", "sysroot"])).stdout();
    let compiler = Path::new(compiler.trim());
    let workspace = Path::new(WORKSPACE).canonicalize().unwrap();
    fs::create_dir_all(TARGET).unwrap();
    for shared in [&cargo_home, compiler, &workspace, Path::new(TARGET)] {
        builder.share(shared, shared);
    }
    builder.share(package.path(""), "/build/app");
    let gone = builder.shell(
        "rm -rf /usr/bin/python3* /usr/lib/python3* /usr/share/python3*
        ! command -v python3 && ! command -v python
        find /usr /etc /opt -name 'python3*' -type f -perm -1",
    );
    assert_eq!(gone.stdout(), "");
    let cargo = format!(
        "cd /build/app
        export CARGO_HOME={home} CARGO_TARGET_DIR={TARGET} RUSTC={compiler}/bin/rustc
        export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
        {compiler}/bin/cargo build --offline",
        home = cargo_home.display(),
        compiler = compiler.display(),
    );
    let said = builder.shell(&cargo).failure();
    assert!(said.contains("[snakepit::python_not_found]"), "{said}");
    let variables = "export SNAKEPIT_OFFLINE=1 SNAKEPIT_ROOT_PACKAGE=/srv/app\n";
    builder.shell(&format!("{variables}{cargo}")).stdout();

    device.share(
        Path::new(TARGET).join("debug/host-offline"),
        "/srv/app/host-offline",
    );
    assert_eq!(
        device.shell("/srv/app/host-offline").stdout(),
        "/srv/app/.venv\n/usr\n"
    );
    device
        .shell(
            "cp -r /srv/app/.venv /srv/copy && rm -r /srv/app/.venv && mv /srv/copy /srv/app/.venv",
        )
        .stdout();
    assert_eq!(
        device.shell("/srv/app/host-offline").stdout(),
        "/srv/app/.venv\n/usr\n"
    );
    let drifted =
        device.shell("sed -i 's/= false/= true/' /srv/app/.venv/pyvenv.cfg; /srv/app/host-offline");
    let said = drifted.failure();
    assert!(
        said.contains("include-system-site-packages = true"),
        "{said}"
    );
}
