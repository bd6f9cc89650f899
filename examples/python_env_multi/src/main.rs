//! Three Pythons at once: the machine's own, a virtual environment, and a version of pyenv. Each is a pool, and each
//! says from inside where it is.

use snakepit::{Error, Pool, PoolConfig, SpawnSpec, snakepit_pools};

// `build.rs` reads this file whatever the features are, and looks only for pools whose condition holds.
#[cfg(feature = "pyenv")]
#[snakepit_pools]
#[derive(Default)]
struct AppConfig {
    #[pool(environment = system, adapter = embed("python/inside.py"))]
    machine: PoolConfig,
    #[pool(environment = venv(venv_path = ".venv"), adapter = embed("python/inside.py"))]
    project: PoolConfig,
    // The newest of the installed 3.x; a real program names the one that it was tried with, such as "3.13".
    #[pool(environment = pyenv(python_version = "3"), python = ">=3.8", adapter = embed("python/inside.py"))]
    pyenv: PoolConfig,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // All three start side by side, and with the first that does not start none does.
    let pools = AppConfig::default().start_pools().await?;
    tell(AppConfig::MACHINE, &pools.machine).await?;
    tell(AppConfig::PROJECT, &pools.project).await?;
    tell(AppConfig::PYENV, &pools.pyenv).await?;
    pools.shutdown().await;
    Ok(())
}

/// Puts side by side what the build has found and what a worker sees.
async fn tell(spec: &SpawnSpec, pool: &Pool) -> Result<(), Error> {
    let (version, prefix): (String, String) = pool.execute("inside", &()).await?;
    let found = &spec.metadata;
    println!("{}: {} by {}", spec.pool, found.environment, spec.command);
    println!("  built for {} in {}", found.python_version, found.prefix);
    println!("  runs with {version} in {prefix}");
    Ok(())
}
