//! What a failed call is in HTTP.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use snakepit::Error;

/// An error of the pool as a response.
pub(crate) struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            // Too much to do, or on the way out: another try, here or elsewhere, may well succeed.
            Error::QueueFull { .. } | Error::Degraded { .. } | Error::ShutDown { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({"error": message(&self.0)}))).into_response()
    }
}

/// What a caller may know: of an exception its type and text, but not the traceback with the paths of this machine.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::Python { exception, .. } => exception.to_string(),
        other => other.to_string(),
    }
}
