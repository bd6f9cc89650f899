//! What a build costs when nothing changed for Python: an unchanged one, and the build script with a warm cache.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

use crate::Effort;
use crate::measure::{median, seconds};
use crate::table::{Row, Target};

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
const OUT: &str = env!("OUT_DIR");

/// Builds without a change and with one.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    unchanged(effort, rows);
    script(effort, rows);
}

/// An unchanged `cargo build` of this package. Only cargo knows how: `cargo run` tells.
fn unchanged(effort: Effort, rows: &mut Vec<Row>) {
    let Some(cargo) = env::var_os("CARGO") else {
        return;
    };
    let mut fresh = true;
    let times = (0..effort.of(10)).map(|_| {
        let mut build = Command::new(&cargo);
        build.args([
            "build",
            "--offline",
            "--verbose",
            "--package",
            "snakepit-bench",
        ]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        build.current_dir(PACKAGE);
        seconds(|| {
            let output = build.output().expect("cargo starts");
            let said = String::from_utf8_lossy(&output.stderr);
            fresh &= said.contains("Fresh snakepit-bench ") && !said.contains("Running");
        })
    });
    let time = median(times.collect());
    let what = if fresh {
        "unchanged `cargo build`: build script not run"
    } else {
        "unchanged `cargo build`: NOT FRESH"
    };
    rows.push(Row::time(what, time, Target::None));
}

/// The build script of this package, as after a change of a source line.
fn script(effort: Effort, rows: &mut Vec<Row>) {
    let Some(script) = newest_script() else {
        return;
    };
    let times = (0..effort.of(30)).map(|_| {
        let mut run = Command::new(&script);
        run.current_dir(PACKAGE)
            .env("CARGO_MANIFEST_DIR", PACKAGE)
            .env("OUT_DIR", OUT);
        seconds(|| {
            let output = run.output().expect("the build script starts");
            assert!(output.status.success(), "{output:?}");
        })
    });
    let what = "build script after a changed source line, probe cache warm";
    rows.push(Row::time(
        what,
        median(times.collect()),
        Target::Time(15e-3),
    ));
}

/// Cargo keeps a build script in a folder beside the one of its output.
fn newest_script() -> Option<PathBuf> {
    let all = Path::new(OUT).parent()?.parent()?;
    let scripts = fs::read_dir(all).ok()?.flatten().filter(|folder| {
        folder
            .file_name()
            .to_string_lossy()
            .starts_with("snakepit-bench-")
    });
    scripts
        .map(|folder| folder.path().join("build-script-build"))
        .filter_map(|script| Some((modified(&script)?, script)))
        .max()
        .map(|(_, script)| script)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
