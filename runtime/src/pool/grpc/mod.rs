//! Workers that are gRPC servers, on the protocol of Snakepit's bridge: our own bridge, or a script of the user's own,
//! such as one that serves Snakepit's adapters. To the pool each is a worker behind a `passage`, at whose other
//! end is the `gateway`.
//!
//! `start` starts a script and waits for its port, `own` starts the bridge; `gateway` makes calls of frames, with
//! `client` and `value`, or with `whole` for the bridge, which takes frames as they are; `service` is what the server
//! calls back.

mod client;
mod folder;
mod gateway;
mod message;
mod own;
mod service;
mod start;
mod telemetry;
mod tenure;
mod value;
mod whole;

pub(super) use start::start;
