//! What was found, as programs read it. `docs/check.schema.json` describes it; a field is never renamed or removed
//! without a new number of the format.

use serde_json::{Value, json};
use snakepit_build::manifest::EnvOp;

use crate::report::{Origin, PackageReport, Place, PoolReport, Problem, Status};

/// The number of the format.
const FORMAT: u32 = 1;

/// All packages as one document.
pub(crate) fn document(reports: &[PackageReport]) -> String {
    let worst = reports
        .iter()
        .map(PackageReport::status)
        .max()
        .unwrap_or(Status::Ok);
    let packages: Vec<Value> = reports.iter().map(package).collect();
    let document = json!({
        "format": FORMAT,
        "status": worst.as_str(),
        "packages": packages,
    });
    format!("{document:#}")
}

fn package(report: &PackageReport) -> Value {
    json!({
        "name": report.name,
        "version": report.version,
        "manifest_path": report.manifest,
        "status": report.status().as_str(),
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "pools": report.pools.iter().map(pool).collect::<Vec<_>>(),
    })
}

fn pool(report: &PoolReport) -> Value {
    let (known_by, manifest) = match &report.origin {
        Origin::Checked => ("check", None),
        Origin::LastBuild(path) => ("last_build", Some(path)),
        Origin::NotBuilt => ("nothing", None),
    };
    let adapter = report
        .request
        .adapter
        .as_ref()
        .map(|adapter| json!({"module": adapter.module(), "embedded": adapter.is_embedded()}));
    let problems: Vec<Value> = report.problems.iter().map(problem).collect();
    json!({
        "name": report.request.pool,
        "struct": report.owner,
        "place": place(&report.place),
        "status": report.status().as_str(),
        "known_by": known_by,
        "manifest": manifest,
        "environment": report.environment(),
        "declared_environment": report.request.custom.as_ref().unwrap_or(&report.request.kind),
        "picked_because": report.picked,
        "adapter": adapter,
        "resolution": report.resolution.as_deref().map(resolution),
        "problems": problems,
    })
}

fn resolution(found: &snakepit_build::manifest::Resolution) -> Value {
    let metadata = &found.metadata;
    let tools = found.tools.iter().map(|tool| {
        json!({
            "name": tool.name,
            "parameters": tool.parameters.iter().map(|parameter| json!({
                "name": parameter.name,
                "kind": format!("{:?}", parameter.kind),
                "default": parameter.default,
                "annotation": parameter.annotation,
            })).collect::<Vec<_>>(),
            "doc": tool.doc,
            "async": tool.is_async,
            "streaming": tool.is_streaming,
        })
    });
    json!({
        "detected_by": metadata.detected_by,
        "command": found.command,
        "args": found.args,
        "cwd": found.cwd,
        "env": found.env.iter().map(change).collect::<Vec<_>>(),
        "python_path": found.python_path,
        "python": {
            "version": metadata.python_version,
            "implementation": metadata.implementation,
            "free_threading": metadata.free_threading,
            "prefix": metadata.prefix,
            "base_prefix": metadata.base_prefix,
        },
        "metadata": metadata.extra,
        "tools": tools.collect::<Vec<_>>(),
    })
}

fn change(op: &EnvOp) -> Value {
    match op {
        EnvOp::Set { name, value } => json!({"op": "set", "name": name, "value": value}),
        EnvOp::Prepend { name, value } => json!({"op": "prepend", "name": name, "value": value}),
        EnvOp::Unset { name } => json!({"op": "unset", "name": name}),
    }
}

fn problem(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.as_str(),
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "place": problem.place.as_ref().map(place),
    })
}

fn place(place: &Place) -> Value {
    json!({
        "file": place.source.path,
        "line": place.line,
        "column": place.column,
        "bytes": [place.span.start, place.span.end],
    })
}
