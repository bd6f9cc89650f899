//! The demand on the Tokio runtime that a pool is started in: that there is one, and that it can wait for time and I/O.
//! Told before anything is started, so that it is one error and not a panic of a task.

use std::panic::catch_unwind;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::Error;

/// The runtime of whoever calls it serves a pool, or the error that says why not.
pub(super) fn demand(pool: &'static str) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::Config { pool, message });
    if Handle::try_current().is_err() {
        return wrong(
            "it is started outside a Tokio runtime: start it inside one, as in a `main` with `#[tokio::main]`, \
             or use `start_pools_blocking` or `snakepit::blocking`"
                .to_owned(),
        );
    }
    // Tokio does not tell what a runtime was built with (its issue 8361): a panic does, and nothing else. The program's
    // panic hook prints it, which is the program's to change and not ours; after the first one nothing more is tried.
    // Descriptors that have run out are no matter of the runtime, and are told when a worker is started.
    let probes: [(&str, fn()); 2] = [
        ("time", || drop(sleep(Duration::ZERO))),
        ("I/O", || drop(UnixDatagram::unbound())),
    ];
    for (driver, probe) in probes {
        if catch_unwind(probe).is_err() {
            return wrong(format!(
                "its Tokio runtime has no {driver} driver: build the runtime with `enable_all`, as `#[tokio::main]` does, \
                 or use `start_pools_blocking` or `snakepit::blocking`"
            ));
        }
    }
    Ok(())
}
