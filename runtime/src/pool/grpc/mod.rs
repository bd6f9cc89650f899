//! Workers that are gRPC servers, on the protocol of Snakepit's bridge: a script of the user's own, such as one that
//! serves Snakepit's adapters. To the pool each is a worker with two sockets; what lies behind them is the `gateway`.
//!
//! `start` starts one and waits for its port, `gateway` makes calls of frames, with `client` and `value`; `service` is
//! what the server calls back.

mod client;
mod folder;
mod gateway;
mod message;
mod outbox;
mod service;
mod start;
mod value;

pub(super) use start::start;
