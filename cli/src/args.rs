//! The command line, as clap reads it; help, completions and the man page are made of it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::package::Package;

/// How cargo starts it: `cargo-snakepit snakepit ...`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = clap_cargo::style::CLAP_STYLING)]
pub(crate) enum Cargo {
    Snakepit(Snakepit),
}

/// Look at, explain, repair and set up the Python environments of a program's worker pools.
///
/// Exit status: 0, all is fine; 1, something failed, such as a pool; 2, wrong arguments, or no package to look at.
#[derive(Debug, Args)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Snakepit {
    #[command(subcommand)]
    pub(crate) task: Task,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: clap::ColorChoice,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Tell what each pool gets, or what is wrong with it and how to mend it
    Check(Check),
    /// Write `snakepit.lock`, or tell how it differs from what is here
    Lock(Lock),
    /// Tell what a code such as `venv_not_found` means
    Explain(Explain),
    /// Show every Python environment that can be found for a directory
    List(List),
    /// Start a pool's Python with its environment, as the workers get it
    Run(Run),
    /// Set a package up: dependencies, `build.rs`, an annotated struct and an adapter
    Init(Init),
    /// Tell all that a bug report needs to know of this machine
    Doctor(Doctor),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man,
}

/// Which packages, and how they are built.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
}

impl Selection {
    /// The packages that are meant.
    ///
    /// # Errors
    /// Those of [`Package::selected`].
    pub(crate) fn packages(&self) -> Result<Vec<Package>, Failure> {
        Package::selected(&self.workspace, &self.manifest, &self.features)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Check this pool alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Vec<String>,
    /// Tell all that is known of each pool
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) verbose: bool,
    /// Print JSON, as `docs/check.schema.json` describes it
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask every interpreter again, also those that have not changed since
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Show the command that mends each failed pool, and run it after a yes
    #[arg(long, conflicts_with = "json")]
    pub(crate) offer_fix: bool,
    /// Take every question of `--offer-fix` as answered with yes
    #[arg(short, long, requires = "offer_fix")]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    /// Write nothing, and fail where the lock is not what is here
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing, and show every difference
    #[arg(long)]
    pub(crate) diff: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, as it stands in brackets behind a message
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The directory
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The pool, if there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// What Python is given: nothing for its prompt, a script, `-m pytest`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    /// The package, if the workspace has several
    #[arg(short, long, value_name = "SPEC")]
    pub(crate) package: Option<String>,
    /// Depend on the crates in this checkout of Snakepit instead of those of the registry
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) path: Option<PathBuf>,
    /// Only tell what would be changed
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
}
