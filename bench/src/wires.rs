//! A pool over gRPC, beside a call of the same protocol that nobody looks after.

use serde_json::Value;
use snakepit::{Grpc, Pool, SpawnSpec, Transport};
use snakepit_tests::{copy, with_package};
use tokio::runtime::Runtime;

use crate::grpc::Server;
use crate::measure::Pairs;
use crate::pool::{start, tasks};
use crate::table::{Row, Target};
use crate::{Effort, Pools, SMALL};

/// What has both `grpcio` and `protobuf`.
const PACKAGE: &str = "grpcio-status";

/// One request, one reply, over each wire.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let what = "one request, one reply, small JSON";
    let bin = match snakepit_test_tools::install(PACKAGE) {
        Ok(bin) => bin,
        Err(lacking) => return rows.push(Row::skipped(what, &lacking)),
    };
    let Some(packaged) = with_package(Pools::VENV, PACKAGE) else {
        return;
    };
    let grpc = Transport::Grpc(Grpc {
        script: None,
        args: &[],
    });
    let runtime = Runtime::new().expect("a runtime can be made");
    let server = Server::start(&bin.join("python"));
    let small: Value = serde_json::from_str(SMALL).expect("it is JSON");
    let count = 500;
    for (wire, transport, target) in [
        ("`transport = grpc`", grpc, Target::Ratio(1.15)),
        ("the default wire", Transport::Sockets, Target::None),
    ] {
        let spec: &'static SpawnSpec = Box::leak(Box::new(SpawnSpec {
            transport,
            ..copy(packaged)
        }));
        let pool: Pool = start(&runtime, spec, 1);
        let pairs = Pairs::take(
            effort.of(30),
            || runtime.block_on(tasks(&pool, "echo", &small, count, 1)),
            || server.tool(&small, count),
        );
        runtime.block_on(pool.shutdown());
        let what = format!("{what}, {wire}");
        rows.push(Row::pairs(
            &what,
            &pairs,
            "`ExecuteTool` by tonic, to a bare `grpcio` server",
            target,
        ));
    }
}
