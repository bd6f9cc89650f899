//! What the first build of the smallest program costs, beside that of the smallest one with PyO3; and what an edit
//! costs, beside a program that knows nothing of Python.

use std::path::Path;

use snakepit_tests::{HostPackage, Outcome};

use crate::Effort;
use crate::measure::{Pairs, seconds, time};
use crate::table::{Row, Target};

const MAIN: &str = r#"use snakepit::{PoolConfig, snakepit_pools};

#[snakepit_pools]
#[derive(Default)]
pub struct AppConfig {
    #[pool(environment = system)]
    pub ml: PoolConfig,
}

fn main() {
    println!("{} 0", AppConfig::ML.command);
}
"#;

const BARE: &str = r#"fn main() {
    println!("{} 0", "/usr/bin/python3");
}
"#;

/// First builds, and builds after an edit.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    edit(effort, rows);
    cold(effort, rows);
}

/// Each build begins with an empty target folder; the registry's crates are there already.
fn cold(effort: Effort, rows: &mut Vec<Row>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let rival = match HostPackage::pyo3(&folder.path().join("pyo3")) {
        Ok(rival) => rival,
        Err(lacking) => {
            return rows.push(Row::skipped("first `cargo build`", &lacking));
        }
    };
    for (name, dependency, most) in [
        ("thin", "default-features = false", 1.0),
        ("default", "", 2.0),
    ] {
        let target = folder.path().join(name);
        let ours = HostPackage::new(&format!("first-{name}"), &target, dependency, MAIN);
        let (mut our_crates, mut their_crates) = (0, 0);
        let pairs = Pairs::take(
            effort.of(3),
            || build(&ours, &target, &mut our_crates),
            || build(&rival, &folder.path().join("pyo3"), &mut their_crates),
        );
        let what = format!("first `cargo build`, {name} features, {our_crates} crates");
        let other = format!("PyO3, {their_crates} crates");
        rows.push(Row::pairs(&what, &pairs, &other, Target::Ratio(most)));
    }
}

fn build(package: &HostPackage, target: &Path, crates: &mut usize) -> f64 {
    // It is not there before the first build.
    let _ = std::fs::remove_dir_all(target);
    let mut outcome = None;
    let time = seconds(|| outcome = Some(package.build(&[])));
    let said = outcome.expect("it has ended");
    assert!(said.success, "{}", said.stderr);
    *crates = said.stderr.matches("Compiling ").count();
    time
}

/// A line of the source is changed, and the program built.
fn edit(effort: Effort, rows: &mut Vec<Row>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let target = folder.path();
    let ours = HostPackage::new("edit-annotated", target, "default-features = false", MAIN);
    let bare = HostPackage::new("edit-bare", target, "default-features = false", BARE);
    bare.write(
        "build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n}\n",
    );
    let pairs = Pairs::take(
        effort.of(20),
        || edited(&ours, MAIN),
        || edited(&bare, BARE),
    );
    let added = pairs.ours - pairs.theirs;
    let what = format!(
        "build after an edit: the helper and the macro add {}",
        time(added)
    );
    rows.push(Row::pairs(&what, &pairs, "without a pool", Target::None));
    rows.push(Row::time(
        "of it, the helper and the macro",
        added,
        Target::Time(30e-3),
    ));
}

fn edited(package: &HostPackage, source: &str) -> f64 {
    package.write(
        "src/main.rs",
        &source.replace(" 0\"", &format!(" {}\"", stamp())),
    );
    let mut cargo = package.cargo(["build", "--offline"]);
    cargo.env("CARGO_INCREMENTAL", "1");
    seconds(|| {
        let built = Outcome::of(&mut cargo);
        assert!(built.success, "{}", built.stderr);
    })
}

/// A text that no edit had before.
fn stamp() -> u128 {
    let since = std::time::UNIX_EPOCH.elapsed();
    since.map_or(0, |since| since.as_nanos())
}
