//! The house seen from outside: what each published crate brings along, how large it is, and how long its first build
//! takes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A crate as somebody depends on it.
struct Crate {
    package: &'static str,
    folder: &'static str,
    /// How its features are told, and how they are chosen.
    features: (&'static str, &'static [&'static str]),
}

const CRATES: &[Crate] = &[
    Crate {
        package: "snakepit-build",
        folder: "build-support",
        features: ("", &[]),
    },
    Crate {
        package: "snakepit-macros",
        folder: "macros",
        features: ("", &[]),
    },
    Crate {
        package: "snakepit",
        folder: "runtime",
        features: ("none", &["--no-default-features"]),
    },
    Crate {
        package: "snakepit",
        folder: "runtime",
        features: ("`pool`, the default", &[]),
    },
    Crate {
        package: "snakepit",
        folder: "runtime",
        features: ("`grpc`", &["--features", "grpc"]),
    },
    Crate {
        package: "cargo-snakepit",
        folder: "cli",
        features: ("", &[]),
    },
];

const PAGE: &str = "docs/benchmarks/house.md";

/// Writes the page, and prints it.
///
/// # Errors
/// A crate cannot be built, or the page cannot be written.
pub(crate) fn run() -> Result<(), String> {
    let mut page = "# The house seen from outside\n\n\
                    `cargo xtask house` measures it: every crate that is published, with the crates that it brings along \
                    (its procedural macros and build scripts included), the lines of its sources, and the time of a first \
                    `cargo build` with all of them, their downloads left out.\n\n\
                    | crate | features | dependencies | lines of Rust | lines of Python | first build |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for one in CRATES {
        eprintln!("{} {}", one.package, one.features.0);
        let folder = Path::new(one.folder);
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {:.1} s |",
            one.package,
            one.features.0,
            dependencies(one)?,
            lines(folder, "rs")?,
            lines(folder, "py")?,
            first_build(one)?,
        );
    }
    fs::write(PAGE, &page).map_err(|error| format!("`{PAGE}`: {error}"))?;
    print!("{page}");
    Ok(())
}

fn dependencies(one: &Crate) -> Result<usize, String> {
    let output = Command::new("cargo")
        .args(["tree", "--package", one.package, "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(one.features.1)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`cargo tree`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`cargo tree` ended with {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // Each is there as often as something depends on it, later ones with a mark.
    let names = text.lines().map(|line| line.trim_end_matches(" (*)"));
    Ok(names.collect::<BTreeSet<_>>().len() - 1)
}

/// Seconds until it is built, with nothing there before.
fn first_build(one: &Crate) -> Result<f64, String> {
    let target = std::env::temp_dir().join(format!("snakepit-house-{}", std::process::id()));
    let begin = Instant::now();
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--package", one.package, "--target-dir"])
        .arg(&target)
        .args(one.features.1)
        .env("CARGO_INCREMENTAL", "0")
        .status();
    let time = begin.elapsed().as_secs_f64();
    let _ = fs::remove_dir_all(&target);
    let status = status.map_err(|error| format!("`cargo build`: {error}"))?;
    match status.success() {
        true => Ok(time),
        false => Err(format!("`cargo build` ended with {status}")),
    }
}

/// Lines of all files with this ending.
fn lines(folder: &Path, ending: &str) -> Result<usize, String> {
    let mut count = 0;
    for inner in ["src", "python"] {
        count += lines_below(&folder.join(inner), ending)
            .map_err(|error| format!("`{}`: {error}", folder.display()))?;
    }
    Ok(count)
}

fn lines_below(folder: &Path, ending: &str) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            count += lines_below(&path, ending)?;
        } else if path.extension().is_some_and(|found| found == ending) {
            count += fs::read_to_string(&path)?.lines().count();
        }
    }
    Ok(count)
}
