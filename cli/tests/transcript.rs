//! What the README shows of `check` is what it prints. `cargo xtask docs` writes it.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::{env, fs};

use snakepit_test_tools as tools;
use support::Package;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

/// Stands before the transcript.
const MARK: &str = "<!-- `cargo xtask docs` writes this transcript -->\n";

/// Set by `cargo xtask docs`.
const WRITE: &str = "SNAKEPIT_WRITE_DOCS";

/// The folder and the version of the transcript: as long as the usual ones, so that the columns stay.
const FOLDER: &str = "/home/grace/app";
const VERSION: &str = "3.12.1";

const POOLS: &str = "    #[pool(environment = venv)]
    web: PoolConfig,

    #[pool(environment = venv, adapter = \"service\", python_path = [\"python\"])]
    ml: PoolConfig,

    #[pool(environment = uv(project_dir = \"batch\"))]
    batch: PoolConfig,";

#[test]
fn the_readme_shows_what_check_prints_of_a_good_a_warned_and_a_failed_pool() {
    let package = Package::with_pools(POOLS);
    package.venv(".venv");
    let adapter = "def greet(name):\n    return name\n";
    package.host.write("python/service.py", adapter);
    package.host.write("python/colorsys.py", "");
    let project = "[project]\nname = \"batch\"\nversion = \"1\"\n";
    package.host.write("batch/pyproject.toml", project);
    let printed = package.run(&["check"]).stdout;
    let folder = package.path("").display().to_string();
    let printed = printed.replace(folder.trim_end_matches('/'), FOLDER);
    let printed = printed.replace(&tools::python().version.to_string(), VERSION);
    let lines = printed.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.collect();
    let block = format!(
        "```text\n$ cargo snakepit check\n{}\n```\n",
        lines.join("\n")
    );

    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(MARK).expect("the README has the mark");
    let end = "\n```\n";
    let (shown, after) = rest.split_once(end).expect("the transcript ends");
    if env::var_os(WRITE).is_some() {
        fs::write(README, format!("{before}{MARK}{block}{after}")).unwrap();
        return;
    }
    // Of another folder's or version's length the columns are others.
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words(&format!("{shown}{end}")),
        words(&block),
        "`README.md` is not up to date: run `cargo xtask docs`"
    );
}
