//! What the service answers.

use std::convert::Infallible;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use snakepit::{Health, Pool};
use tokio_stream::{Stream, StreamExt};

use crate::failure::{Failure, message};

/// The pool is the state of all routes: a handle, which is cheap to clone.
pub(crate) fn router(model: Pool) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/score", post(score))
        .route("/generate", get(generate))
        .with_state(model)
}

/// For a load balancer: 503 when workers fail again and again.
async fn health(State(model): State<Pool>) -> (StatusCode, Json<Value>) {
    let (status, health) = match model.health() {
        Health::Healthy => (StatusCode::OK, "healthy"),
        Health::Degraded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "shut down"),
    };
    let stats = model.stats();
    let page = json!({
        "health": health,
        "workers": stats.ready,
        "running": stats.in_flight,
        "waiting": stats.queued,
        "answered": stats.requests,
    });
    (status, Json(page))
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// One call. A caller who hangs up drops it, and the tool is interrupted.
async fn score(
    State(model): State<Pool>,
    Json(Text { text }): Json<Text>,
) -> Result<Json<Value>, Failure> {
    let score: f64 = model.execute("score", &(text,)).await?;
    Ok(Json(json!({"score": score})))
}

#[derive(Deserialize)]
struct Generation {
    words: u32,
}

/// A stream: each word as an event as soon as Python yields it. A slow reader slows the generator down, and one who
/// hangs up closes it.
async fn generate(
    State(model): State<Pool>,
    Query(Generation { words }): Query<Generation>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let mut stream = model.execute_stream::<_, String>("generate", &(words,));
    // The first word decides the status: a pool that takes no more says so with 503 and not in the middle of a page.
    let first = stream.next().await.transpose()?;
    let events = tokio_stream::iter(first.map(Ok))
        .chain(stream)
        .map(|word| match word {
            Ok(word) => Event::default().data(word),
            Err(error) => Event::default().event("error").data(message(&error)),
        })
        .map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
