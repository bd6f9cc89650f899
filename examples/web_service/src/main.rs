//! A web service with a Python model behind it. `GET /health` tells how the pool is, `POST /score` is one call of a
//! tool, `GET /generate` a stream of it as server-sent events.
//!
//! `cargo run -p web_service -- examples/web_service/config.toml`

mod failure;
mod routes;

use std::process::ExitCode;
use std::{env, fs};

use serde::Deserialize;
use snakepit::{PoolConfig, snakepit_pools};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The operator's file. The Python is the programmer's and fixed when the program is built; sizes and time limits are
/// not.
#[snakepit_pools]
#[derive(Deserialize)]
struct AppConfig {
    listen: String,
    #[pool(adapter = embed("python/model.py:Model"))]
    #[serde(default)]
    model: PoolConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let file = env::args().nth(1).ok_or("which file has the settings?")?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let config: AppConfig = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;

    // The service is there when its workers are: a model that does not load is told now, and not to the first caller.
    let pools = config.start_pools().await?;
    let listener = TcpListener::bind(&config.listen)
        .await
        .map_err(|error| format!("{}: {error}", config.listen))?;
    println!("listening on http://{}", listener.local_addr()?);

    // From the signal on nothing is taken any more, and what was taken is answered. Nobody is waited for longer than the
    // pool's `shutdown_timeout`: a stream that goes on then ends with an error.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let model = pools.model.clone();
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move { model.shutdown().await });
    };
    axum::serve(listener, routes::router(pools.model.clone()))
        .with_graceful_shutdown(stop)
        .await?;
    pools.shutdown().await;
    println!("all done");
    Ok(())
}
