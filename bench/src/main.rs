//! Measures what Snakepit costs beside hand-written code: medians, as ratios in one run, as a table in Markdown.

mod arrays;
mod bare;
mod build;
mod cli;
mod first_build;
mod footprint;
mod frozen;
mod grpc;
mod kinds;
mod launch;
mod measure;
mod pinned;
mod plot;
mod pool;
mod report;
mod resolve;
mod rivals;
mod sweep;
mod table;
mod wires;

use std::io::Write;
use std::process::ExitCode;

use snakepit::{PoolConfig, snakepit_pools};

use crate::table::Row;

const HELP: &str = "\
Measures what Snakepit costs beside hand-written code and prints a table.

usage: cargo run --release -p snakepit-bench [-- [OPTION...] [SUBJECT...]]

subjects: frozen, launch, pool, arrays, footprint, grpc, sweep, build, resolve, cli, first-build; all of them if none is named

  --quick          a tenth of the samples: shows that all runs, not how fast
  --save           writes each subject's table, also as JSON, and the plots of `sweep` into `docs/benchmarks`
  --recheck-once   only re-checks each pool, between two lines on stderr: for `strace`
  --help           this text
";

/// What goes to a tool and comes back.
const SMALL: &str = r#"{"text":"hello","number":1}"#;

#[snakepit_pools]
struct Pools {
    #[pool(environment = venv(venv_path = "../target/bench-venv"))]
    venv: PoolConfig,
    #[pool(environment = system)]
    system: PoolConfig,
}

/// How many samples are taken.
#[derive(Debug, Clone, Copy)]
enum Effort {
    Full,
    Quick,
}

impl Effort {
    fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full.div_ceil(10),
        }
    }
}

/// What can be measured by itself: its name, and what adds its rows.
type Subject = (&'static str, fn(Effort, &mut Vec<Row>));

const SUBJECTS: &[Subject] = &[
    ("frozen", frozen::measure),
    ("launch", launch::measure),
    ("pool", pool::measure),
    ("arrays", arrays::measure),
    ("footprint", footprint::measure),
    ("grpc", wires::measure),
    ("sweep", sweep::measure),
    ("build", build::measure),
    ("resolve", resolve::measure),
    ("cli", cli::measure),
    ("first-build", first_build::measure),
];

fn main() -> ExitCode {
    let mut effort = Effort::Full;
    let mut named = Vec::new();
    let mut save = false;
    for argument in std::env::args().skip(1) {
        let subject = SUBJECTS.iter().find(|(name, _)| *name == argument);
        match (argument.as_str(), subject) {
            (_, Some(subject)) => named.push(subject),
            ("--quick", _) => effort = Effort::Quick,
            ("--save", _) => save = true,
            ("--recheck-once", _) => return recheck_once(),
            // Not for people: it plays the build script of another package.
            (kinds::EMIT, _) => {
                snakepit_build::emit();
                return ExitCode::SUCCESS;
            }
            ("--help", _) => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            (other, _) => {
                eprint!("no option and no subject `{other}`\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    if named.is_empty() {
        named.extend(SUBJECTS);
    }
    if cfg!(debug_assertions) {
        eprintln!("this is not a release build: its times mean little");
    }
    let python = &Pools::VENV.metadata;
    println!(
        "{} {}, medians\n",
        python.implementation, python.python_version
    );
    println!("{}", Row::HEAD);
    for (name, measure) in named {
        eprintln!("measuring {name}");
        let mut rows = Vec::new();
        measure(effort, &mut rows);
        for row in &rows {
            println!("{row}");
        }
        if save && let Err(why) = report::write(name, effort, &rows) {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What stands between the two lines in the output of `strace` is the re-check.
fn recheck_once() -> ExitCode {
    for spec in Pools::POOLS {
        say(format!("re-check of `{}` begins\n", spec.pool));
        let result = spec.recheck();
        say(format!("re-check of `{}` ended: {result:?}\n", spec.pool));
    }
    ExitCode::SUCCESS
}

/// One system call, where `eprintln!` makes several.
fn say(line: String) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}
