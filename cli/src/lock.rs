//! `lock`: writes `snakepit.lock`, or tells how it differs from what is here.

use clap_cargo::Features;
use clap_cargo::style::{ERROR, GOOD, HEADER};
use snakepit_build::named::Pool;
use snakepit_build::{Builder, Difference, Lock};

use crate::args;
use crate::failure::Failure;
use crate::interrupt::{self, Interruptible};
use crate::last_build::LastBuild;
use crate::output::Output;
use crate::package::Package;
use crate::snippet;
use crate::survey::{declared, enter};

/// Whether all is as it was asked to be.
pub(crate) fn run(lock: &args::Lock, output: &mut Output) -> Result<bool, Failure> {
    let packages = Package::selected(&lock.workspace, &lock.manifest, &Features::default())?;
    interrupt::guard()?;
    let mut is_fine = true;
    for package in &packages {
        is_fine &= one(package, lock, output)?;
    }
    Ok(is_fine)
}

fn one(package: &Package, lock: &args::Lock, output: &mut Output) -> Result<bool, Failure> {
    let name = &package.name;
    let Some(found) = found(package, output)? else {
        return Ok(false);
    };
    let path = package.folder.join("snakepit.lock");
    let known = match Lock::read(&package.folder) {
        Ok(known) => known,
        Err(fault) if lock.check || lock.diff => {
            output.line(format!("{ERROR}error{ERROR:#}: {fault}"));
            return Ok(!lock.check);
        }
        // Whoever writes it anew mends it.
        Err(_) => None,
    };
    let is_new = known.is_none();
    let differences = known.unwrap_or_default().compare(&found);
    if is_new && differences.is_empty() {
        output.line(format!(
            "{GOOD}{name}{GOOD:#}: no pool is declared, and there is nothing to lock"
        ));
        return Ok(true);
    }
    if lock.check || lock.diff {
        if differences.is_empty() {
            output.line(format!("{GOOD}{name}{GOOD:#}: the lock is what is here"));
            return Ok(true);
        }
        let what = if is_new {
            "there is no lock"
        } else {
            "the lock is not what is here"
        };
        output.line(format!("{ERROR}{name}{ERROR:#}: {what}"));
        tell(&differences, output);
        if lock.check {
            output.line(match is_new {
                true => "help: write it: `cargo snakepit lock`",
                false => "help: restore what the lock says, or accept what is here: `cargo snakepit lock`",
            });
        }
        return Ok(!lock.check);
    }
    let is_written = found.write(&package.folder).map_err(|error| {
        Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
    })?;
    if is_written {
        output.line(format!("{GOOD}{name}{GOOD:#}: wrote {}", path.display()));
        if !is_new {
            tell(&differences, output);
        }
    } else {
        output.line(format!("{GOOD}{name}{GOOD:#}: the lock is up to date"));
    }
    Ok(true)
}

/// What a lock would have to say; `None`: a pool cannot be resolved, which is told.
fn found(package: &Package, output: &mut Output) -> Result<Option<Lock>, Failure> {
    // As cargo starts a build script.
    enter(&package.folder)?;
    // A pool that cannot be read would be taken for one that is gone.
    let declared = declared(package);
    if !declared.problems.is_empty() {
        for problem in &declared.problems {
            output.line(snippet::rendered(problem, None, None));
        }
        return Ok(None);
    }
    let pools = &declared.named;
    if pools.iter().any(|pool| pool.request.custom.is_some()) {
        return of_last_build(package, pools).map(Some);
    }
    let mut builder = Builder::new();
    for source in &package.sources {
        builder = builder.source(source);
    }
    match builder.lock_on(&package.folder, &Interruptible) {
        Ok(found) => Ok(Some(found)),
        Err(refused) => {
            for refused in refused {
                let (pool, problem) = declared.problem(&refused.pool, &refused.fault);
                output.line(snippet::rendered(
                    &problem,
                    Some(pool.unwrap_or(&refused.pool)),
                    None,
                ));
                if pool.is_none() {
                    output.line(format!(" --> {}", refused.place));
                }
            }
            Ok(None)
        }
    }
}

/// What the package's own build script, which alone knows its custom environments, would lock.
fn of_last_build(package: &Package, pools: &[Pool]) -> Result<Lock, Failure> {
    let last = LastBuild::of(package);
    let is_known = |last: &LastBuild| {
        let mut enabled = pools.iter().filter(|pool| pool.is_enabled);
        enabled.all(|pool| last.manifest.pools.contains_key(&pool.key))
    };
    let lock = last
        .filter(is_known)
        .and_then(|last| Lock::read(last.path.parent()?).ok()?);
    lock.ok_or_else(|| {
        Failure::failed(format!(
            "`{}` has environments of its own, which only its build script knows: run `cargo build` first, which may \
             fail over the lock, but not over a pool",
            package.name
        ))
    })
}

/// Every difference, as a patch has it.
fn tell(differences: &[Difference], output: &mut Output) {
    let mut pool = "";
    for difference in differences {
        if difference.pool != pool {
            pool = &difference.pool;
            output.line(format!("  {HEADER}{pool}{HEADER:#}"));
        }
        output.line(format!("    {}", difference.fact));
        for (mark, value, style) in [
            ("-", &difference.locked, ERROR),
            ("+", &difference.found, GOOD),
        ] {
            for line in value.iter().flat_map(|value| value.lines()) {
                output.line(format!("      {style}{mark} {line}{style:#}"));
            }
        }
        if difference.locked.is_none() && difference.found.is_none() {
            output.line("      in another order");
        }
    }
}
