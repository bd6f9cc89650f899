//! An offline build: the pools as the lock has them, for a machine that has none of their environments.

use std::path::Path;

use crate::adapter;
use crate::cache::Cache;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::digest::digest;
use crate::host::Host;
use crate::lock::{self, Lock, RootFault, Roots};
use crate::manifest::{Outcome, Resolution};
use crate::named::Pool;
use crate::outcome::{Faults, OFFLINE, Outcomes, enabled, mismatch, missing};
use crate::recorder::Recorder;

/// The pools as the lock has them: no interpreter, manager or container is looked for.
pub(crate) fn offline(
    pools: &[Pool],
    package: &Path,
    lock: Result<Option<Lock>, Diagnostic>,
    probes: &Cache,
    host: &dyn Host,
) -> Outcomes {
    let mut outcomes = Outcomes {
        is_offline: true,
        ..Outcomes::default()
    };
    let mut faults = Faults::default();
    let lock = lock.and_then(|lock| {
        lock.ok_or_else(|| {
            let path = lock::path(package);
            let message = format!(
                "`{OFFLINE}` wants a build from the lock alone, but there is no `{}`",
                path.display()
            );
            let help = format!(
                "run `cargo snakepit lock` on a machine with the environments, and commit the file; or unset `{OFFLINE}`"
            );
            Diagnostic::new(Code::LockNotFound, message, help).at("struct")
        })
    });
    match &lock {
        Err(fault) => faults.of_all(pools, fault),
        Ok(lock) => {
            faults.of_unknown(pools, lock);
            let recorder = Recorder::new(host, probes);
            let roots = Roots::offline(package, &recorder).told(&recorder);
            for pool in enabled(pools) {
                match taken(pool, lock, package, &roots, probes, &recorder) {
                    Ok(resolution) => {
                        let outcome = Outcome::Resolved(Box::new(resolution));
                        outcomes.pools.insert(pool.key.clone(), outcome);
                    }
                    Err(more) => faults.of_pool(&pool.key, more),
                }
            }
            outcomes.facts.push(recorder.into_facts());
        }
    }
    faults.into(&mut outcomes.pools);
    outcomes
}

/// A pool as the lock has it, if it was locked of these sources: of the same declaration, the same embedded adapter
/// and, as far as they are part of the package, the same lock files of its manager.
fn taken(
    pool: &Pool,
    lock: &Lock,
    package: &Path,
    roots: &Roots,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Resolution, Vec<Diagnostic>> {
    let locked = pool.locked(lock).ok_or_else(|| vec![missing(pool)])?;
    let mut faults = Vec::new();
    let source = adapter::read(&pool.request, package, host).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    // Where the program will find the package does not matter to where its sources are now.
    let here = Roots::offline(package, host);
    let now = lock::Sources {
        request: &pool.request,
        adapter: source.as_ref().map(|source| digest(source.text.as_bytes())),
        lock_file: &|path| probes.digest(Path::new(&here.here(path).ok()?), host),
    };
    if faults.is_empty() {
        faults = mismatch(&lock::differences(&pool.name, locked, &now.entry(locked)));
    }
    match lock::resolution(locked, roots) {
        Ok(resolution) if faults.is_empty() => Ok(Resolution {
            embedded: source.and_then(|source| source.file.to_str().map(str::to_owned)),
            ..resolution
        }),
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.push(unfound(&fault));
            Err(faults)
        }
    }
}

/// The pool of a lock cannot be had here.
fn unfound(fault: &RootFault) -> Diagnostic {
    let (code, message, help) = match fault {
        RootFault::Unknown(name) => (
            Code::LockRootUnknown,
            format!(
                "`{}` has paths from the root `{{{name}}}`, and this machine does not tell where that is",
                lock::FILE_NAME
            ),
            format!(
                "set `{}` to the whole path of that folder on the machine that runs the program",
                lock::variable(name)
            ),
        ),
        RootFault::Invalid(why) => (
            Code::LockInvalid,
            format!(
                "`{}` has a pool that cannot be used: {why}",
                lock::FILE_NAME
            ),
            "write it again: `cargo snakepit lock`".to_owned(),
        ),
    };
    Diagnostic::new(code, message, help).at("pool")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_is_not_known_is_told_from_a_pool_that_is_none() {
        assert!(unfound(&RootFault::Unknown("conda")).is(Code::LockRootUnknown));
        assert!(unfound(&RootFault::Invalid("why".to_owned())).is(Code::LockInvalid));
    }
}
