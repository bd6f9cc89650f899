//! What the command line costs: `check` of ten pools over all kinds but docker, and `list` of a directory, each a
//! process from its start to its end.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use crate::Effort;
use crate::kinds::{Kinds, kinds};
use crate::measure::{median, seconds};
use crate::table::{Row, Target};

/// With warm caches.
pub(crate) fn measure(effort: Effort, rows: &mut Vec<Row>) {
    let what = "`cargo snakepit`";
    let made = kinds().map_err(str::to_owned);
    let (kinds, program) = match made.and_then(|kinds| Ok((kinds, built()?))) {
        Ok(made) => made,
        Err(lacking) => return rows.push(Row::skipped(what, &lacking)),
    };
    as_package(kinds);
    let program = program.as_path();
    let cargo = env::var_os("CARGO").map(PathBuf::from);
    if let Some(cargo) = &cargo {
        let args = ["metadata", "--no-deps", "--format-version", "1"];
        let time = of(effort, || kinds.manager(cargo, &args, "."));
        let text = "`cargo metadata` alone, which every `cargo snakepit check` waits for";
        rows.push(Row::time(text, time, Target::None));
    }
    let time = of(effort, || {
        kinds.manager(program, &["snakepit", "check"], ".")
    });
    let text = "`cargo snakepit check` of ten pools over six kinds, warm";
    rows.push(Row::time(text, time, Target::Time(100e-3)));
    let time = of(effort, || {
        kinds.manager(program, &["snakepit", "list", "auto"], ".")
    });
    let text = "`cargo snakepit list` of a directory";
    rows.push(Row::time(text, time, Target::Time(50e-3)));
}

/// Seconds that a command takes; the first run warms what can be warmed.
fn of(effort: Effort, command: impl Fn() -> Command) -> f64 {
    let run = || {
        let mut command = command();
        seconds(|| {
            let output = command.output().expect("the program starts");
            assert!(output.status.success(), "{output:?}");
        })
    };
    run();
    median((0..effort.of(50)).map(|_| run()).collect())
}

/// The command line, built as this program is.
fn built() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let program = own.with_file_name(format!("cargo-snakepit{}", env::consts::EXE_SUFFIX));
    let mut cargo = Command::new(env::var_os("CARGO").ok_or("cargo (start it by `cargo run`)")?);
    cargo.args(["build", "--package", "cargo-snakepit"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    let is_built = status.is_ok_and(|status| status.success()) && program.is_file();
    is_built
        .then_some(program)
        .ok_or_else(|| "a build of `cargo-snakepit`".to_owned())
}

/// Makes the folder a package, as far as `cargo metadata` looks at it.
fn as_package(kinds: &Kinds) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let manifest = format!(
        "[package]\nname = \"kinds\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         snakepit = {{ path = \"{root}/runtime\" }}\n\n[build-dependencies]\n\
         snakepit-build = {{ path = \"{root}/build-support\" }}\n"
    );
    for (file, text) in [
        ("Cargo.toml", manifest.as_str()),
        ("build.rs", "fn main() {\n    snakepit_build::emit();\n}\n"),
    ] {
        fs::write(kinds.path(file), text).expect("the package can be written");
    }
}
