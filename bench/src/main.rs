//! Measures what Snakepit costs beside hand-written code: medians, as ratios in one run, as a table in Markdown.

mod bare;
mod build;
mod first_build;
mod frozen;
mod measure;
mod pool;
mod table;

use std::io::Write;
use std::process::ExitCode;

use snakepit::{PoolConfig, snakepit_pools};

use crate::table::Row;

const HELP: &str = "\
Measures what Snakepit costs beside hand-written code and prints a table.

usage: cargo run --release -p snakepit-bench [-- OPTION...]

  --quick          a tenth of the samples: shows that all runs, not how fast
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

fn main() -> ExitCode {
    let mut effort = Effort::Full;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => effort = Effort::Quick,
            "--recheck-once" => return recheck_once(),
            "--help" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprint!("unknown option `{other}`\n\n{HELP}");
                return ExitCode::FAILURE;
            }
        }
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
    let mut rows = Vec::new();
    let mut print = |measure: &dyn Fn(&mut Vec<Row>)| {
        measure(&mut rows);
        for row in rows.drain(..) {
            println!("{row}");
        }
    };
    print(&|rows| frozen::recheck(effort, Pools::POOLS, rows));
    print(&|rows| frozen::command(effort, Pools::VENV, rows));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    print(&|rows| pool::ready(effort, &runtime, Pools::VENV, rows));
    print(&|rows| pool::one_by_one(effort, &runtime, Pools::VENV, rows));
    print(&|rows| pool::in_flight(effort, &runtime, Pools::VENV, rows));
    print(&|rows| build::unchanged(effort, rows));
    print(&|rows| build::script(effort, rows));
    print(&|rows| first_build::edit(effort, rows));
    print(&|rows| first_build::cold(effort, rows));
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
