//! Waiting for something that is to come to hold.

use std::time::{Duration, Instant};

/// Waits until something holds.
///
/// # Panics
/// If it does not within a minute, which even a slow machine is not to need.
#[track_caller]
pub fn until(mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let end = Instant::now() + Duration::from_secs(60);
        while !holds().await {
            assert!(Instant::now() < end, "{caller}: it never came to hold");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
