//! What was found, as people read it: a table of the pools, then each problem at its line.

use std::collections::BTreeSet;

use anstyle::Style;
use clap_cargo::style::{CONTEXT, ERROR, GOOD, HEADER, WARN};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use snakepit_build::manifest::{EnvOp, Metadata, Resolution, Tool};
use snakepit_build::quoted;

use crate::output::{Output, has_colors, width};
use crate::report::{Origin, PackageReport, PoolReport, Status};
use crate::snippet;

const fn style(status: Status) -> Style {
    match status {
        Status::Ok => GOOD,
        Status::Warning => WARN,
        Status::Error => ERROR,
    }
}

/// All packages, and a last line that counts.
pub(crate) fn show(reports: &[PackageReport], verbose: bool, output: &mut Output) {
    for report in reports {
        let PackageReport {
            name,
            version,
            manifest,
            ..
        } = report;
        let folder = manifest.parent().unwrap_or(manifest).display();
        output.line(format!(
            "{HEADER}{name}{HEADER:#} {version} {CONTEXT}({folder}){CONTEXT:#}"
        ));
        if report.pools.is_empty() {
            output.line("no pool is declared");
        } else if verbose {
            for pool in &report.pools {
                output.line("");
                tell(pool, output);
            }
        } else {
            output.line("");
            output.line(table(&report.pools));
        }
        output.line("");
        for problem in &report.problems {
            output.line(snippet::rendered(problem, None, width()));
            output.line("");
        }
        let mut shown = BTreeSet::new();
        for pool in &report.pools {
            for problem in &pool.problems {
                let name = (!problem.is_shared).then_some(pool.request.pool.as_str());
                if problem.is_shared && !shown.insert(&problem.message) {
                    continue;
                }
                output.line(snippet::rendered(problem, name, width()));
                output.line("");
            }
        }
    }
    output.line(counted(reports));
}

/// A table of columns, the first row its head, as wide as the terminal.
pub(crate) fn columns(head: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(
            head.iter()
                .map(|name| Cell::new(name).add_attribute(Attribute::Bold)),
        )
        .add_rows(rows);
    match width() {
        Some(width) => {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        // Each row is a line, for whoever reads it.
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    if has_colors() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 2 }));
    }
    table
}

fn table(pools: &[PoolReport]) -> String {
    let rows = pools.iter().map(|pool| {
        let status = pool.status();
        let color = match status {
            Status::Ok => Color::Green,
            Status::Warning => Color::Yellow,
            Status::Error => Color::Red,
        };
        let resolution = pool.resolution.as_deref();
        let nothing = String::new;
        vec![
            Cell::new(status.as_str())
                .fg(color)
                .add_attribute(Attribute::Bold),
            Cell::new(&pool.request.pool).add_attribute(Attribute::Bold),
            Cell::new(pool.environment()),
            Cell::new(resolution.map_or_else(nothing, |found| python(&found.metadata))),
            Cell::new(resolution.map_or_else(nothing, command)),
            Cell::new(picked(pool)),
        ]
    });
    let head = [
        "",
        "pool",
        "environment",
        "python",
        "command",
        "picked because",
    ];
    columns(&head, rows.collect()).trim_fmt()
}

/// `3.13.1 free-threaded`, `3.10.14 pypy`.
fn python(metadata: &Metadata) -> String {
    let mut text = metadata.python_version.clone();
    if metadata.implementation != "cpython" {
        text.push_str(&format!(" {}", metadata.implementation));
    }
    if metadata.free_threading {
        text.push_str(" free-threaded");
    }
    text
}

fn command(resolution: &Resolution) -> String {
    let words = std::iter::once(&resolution.command).chain(&resolution.args);
    words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Why the environment is this one, and how it is known where that is not by looking.
fn picked(pool: &PoolReport) -> String {
    let why = pool.picked.clone().unwrap_or_default();
    match pool.origin {
        Origin::Checked => why,
        Origin::LastBuild(_) => format!("{why}, as the last build found it"),
        Origin::NotBuilt => format!("{why}, not built yet"),
    }
}

/// All that is known of a pool.
fn tell(pool: &PoolReport, output: &mut Output) {
    let status = pool.status();
    let style = style(status);
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            output.line(format!("  {CONTEXT}{name:<16}{CONTEXT:#} {text}"));
        }
    };
    line(
        "pool",
        &format!(
            "{HEADER}{}{HEADER:#} {style}{}{style:#}",
            pool.request.pool,
            status.as_str()
        ),
    );
    let place = &pool.place;
    line(
        "declared",
        &format!("{}, {}:{}", pool.owner, place.source.path, place.line),
    );
    line("environment", pool.environment());
    line("picked because", &picked(pool));
    let Some(resolution) = pool.resolution.as_deref() else {
        return;
    };
    line("command", &command(resolution));
    line("folder", resolution.cwd.as_deref().unwrap_or_default());
    let metadata = &resolution.metadata;
    line(
        "python",
        &format!("{} {}", metadata.implementation, metadata.python_version),
    );
    line(
        "free threading",
        if metadata.free_threading { "yes" } else { "no" },
    );
    line("prefix", &metadata.prefix);
    if metadata.base_prefix != metadata.prefix {
        line("base prefix", &metadata.base_prefix);
    }
    for op in &resolution.env {
        line("variable", &variable(op));
    }
    line("python path", &resolution.python_path.join(", "));
    if let Some(adapter) = &pool.request.adapter {
        line("adapter", adapter.module());
    }
    for tool in &resolution.tools {
        line("tool", &signature(tool));
    }
    for (name, value) in &metadata.extra {
        if name != "detected_why" {
            line(&name.replace('_', " "), value);
        }
    }
    line(
        "re-check",
        &match resolution.checks.len() {
            1 => "1 fact at each start".to_owned(),
            count => format!("{count} facts at each start"),
        },
    );
    if let Origin::LastBuild(path) = &pool.origin {
        line("manifest", &path.display().to_string());
    }
}

/// A change to the environment, as a shell has it.
fn variable(op: &EnvOp) -> String {
    match op {
        EnvOp::Set { name, value } => format!("{name}={}", quoted(value)),
        EnvOp::Prepend { name, value } => format!("{name}={}:${name}", quoted(value)),
        EnvOp::Unset { name } => format!("unset {name}"),
    }
}

/// `greet(name, mark="!")`, as Python has it but without its annotations.
fn signature(tool: &Tool) -> String {
    let parameters = tool.parameters.iter();
    let parameters: Vec<String> = parameters
        .map(|parameter| match &parameter.default {
            Some(default) => format!("{}={default}", parameter.name),
            None => parameter.name.clone(),
        })
        .collect();
    format!("{}({})", tool.name, parameters.join(", "))
}

/// The last line.
fn counted(reports: &[PackageReport]) -> String {
    let pools = || reports.iter().flat_map(|report| &report.pools);
    let of = |status| pools().filter(|pool| pool.status() == status).count();
    let counted = |count: usize, one: &str, several: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    };
    let mut parts = vec![format!(
        "{}: {} fine",
        counted(pools().count(), "pool", "pools"),
        of(Status::Ok)
    )];
    for (count, text, style) in [
        (of(Status::Warning), "with warnings", WARN),
        (of(Status::Error), "failed", ERROR),
    ] {
        if count > 0 {
            parts.push(format!("{style}{count} {text}{style:#}"));
        }
    }
    let problems: usize = reports.iter().map(|report| report.problems.len()).sum();
    if problems > 0 {
        let text = counted(
            problems,
            "problem of the sources",
            "problems of the sources",
        );
        parts.push(format!("{ERROR}{text}{ERROR:#}"));
    }
    parts.join(", ")
}
