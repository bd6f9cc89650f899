//! What has to hold of every outcome.

use std::path::Path;

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::{EnvOp, Manifest, Outcome, Resolution};
use snakepit_build::resolver::{Custom, resolve};

use crate::tree::Tree;

/// The longest text that a person is shown, in bytes.
const LONGEST: usize = 4096;

/// Resolves a pool of the package `/app` and looks at what comes out.
pub(crate) fn resolved(request: &Request, tree: &Tree<'_>) {
    let outcome = resolve(
        request,
        Path::new("/app"),
        &Custom::new(),
        &Cache::default(),
        tree,
    );
    let outcome = match outcome {
        Ok(resolution) => {
            startable(&resolution);
            Outcome::Resolved(Box::new(resolution))
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "a failure without a fault");
            faults.iter().for_each(readable);
            Outcome::Failed(faults)
        }
    };
    let written = Manifest {
        pools: [("ml".to_owned(), outcome)].into(),
        package: "/app".to_owned(),
        ..Manifest::default()
    };
    let read = Manifest::parse(&written.text()).expect("a manifest can be read again");
    assert_eq!(read, written);
}

/// What the program gets can be given to a process.
pub(crate) fn startable(resolution: &Resolution) {
    assert!(Path::new(&resolution.command).is_absolute());
    for text in [&resolution.command].into_iter().chain(&resolution.args) {
        assert!(!text.contains('\0'), "{text:?}");
    }
    for op in &resolution.env {
        let (name, value) = match op {
            EnvOp::Set { name, value } | EnvOp::Prepend { name, value } => (name, value.as_str()),
            EnvOp::Unset { name } => (name, ""),
        };
        assert!(!name.is_empty() && !name.contains(['=', '\0']), "{op:?}");
        assert!(!value.contains('\0'), "{op:?}");
    }
    for warning in &resolution.warnings {
        readable(warning);
    }
}

/// A fault says something, in lines that a terminal shows as they are.
pub(crate) fn readable(fault: &Diagnostic) {
    assert!(!fault.code().is_empty(), "{fault:?}");
    for text in [fault.message(), fault.help()] {
        assert!(!text.is_empty() && text.len() <= LONGEST, "{fault:?}");
        let is_shown = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        assert!(text.chars().all(is_shown), "{fault:?}");
    }
}
