//! Waiting for something that is to come to hold.

use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

/// More than even a slow machine is to need.
const LONGEST: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until something holds.
///
/// # Panics
/// If it does not within a minute, which even a slow machine is not to need.
#[track_caller]
pub fn until(mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let end = Instant::now() + LONGEST;
        while !holds().await {
            assert!(Instant::now() < end, "{caller}: it never came to hold");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The same in a program without an async runtime.
///
/// # Panics
/// As [`until`] does.
#[track_caller]
pub fn blocking_until(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LONGEST;
    while !holds() {
        assert!(Instant::now() < end, "it never came to hold");
        thread::sleep(PAUSE);
    }
}
