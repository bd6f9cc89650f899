//! Every declared pool to its outcome: resolved side by side and held against the lock, or in an offline build taken
//! from the lock alone (`offline`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalogue::Code;
use crate::declaration::Request;
use crate::diagnostic::Diagnostic;
use crate::distribution;
use crate::document::Table;
use crate::host::Host;
use crate::lock::{self, Difference, Lock, Roots};
use crate::machine::Machine;
use crate::manifest::Outcome;
use crate::named::Pool;
use crate::offline::offline;
use crate::ordered::{Map, Ordered, Set};
use crate::package::{World, resolve_all};
use crate::recorder::Facts;
use crate::sysroot::{self, Sysroot};

/// Says that the lock is believed, and the machine not looked at.
pub(crate) const OFFLINE: &str = "SNAKEPIT_OFFLINE";

/// The longest list of differences of one message, in bytes; more of them come in further messages.
const MOST_LISTED: usize = 3000;

/// The longest value that a difference shows, in bytes.
const MOST_SHOWN: usize = 200;

/// What became of a package's pools.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// By their keys.
    pub pools: BTreeMap<String, Outcome>,
    /// What was looked at.
    pub(crate) facts: Vec<Facts>,
    /// Where there is a lock: what it would have to say; `None` where a pool could not be resolved.
    pub(crate) found: Option<Lock>,
    /// Whether there is a lock, be it a good one or not.
    pub(crate) is_locked: bool,
    /// Whether the lock alone was believed.
    pub(crate) is_offline: bool,
    /// The root file system that was looked at instead of this machine.
    pub(crate) sysroot: Option<Sysroot>,
}

impl Outcomes {
    /// The files that tell what is installed where the lock says what shall be: whoever upgrades or removes one of
    /// those distributions replaces its file.
    pub(crate) fn locked_files(&self) -> Set<PathBuf> {
        let resolutions = self.pools.values().filter_map(|outcome| match outcome {
            Outcome::Resolved(resolution) => Some(resolution),
            Outcome::Failed(_) => None,
        });
        let folders: Set<&String> = resolutions
            .flat_map(|resolution| &resolution.fingerprint.site_packages)
            .ordered();
        let folders: Vec<String> = folders.into_iter().cloned().collect();
        let files = distribution::metadata_files(&folders, self.host());
        files
            .into_iter()
            .map(|file| self.host().on_this_machine(&file))
            .ordered()
    }

    /// Where the package of a folder will be on the machine that runs the program.
    pub(crate) fn package(&self, built: &Path) -> PathBuf {
        match self.is_offline {
            true => sysroot::package_on_target(built, &Machine),
            false => self.host().package(built),
        }
    }

    /// What was looked at.
    pub(crate) fn host(&self) -> &dyn Host {
        match &self.sysroot {
            Some(sysroot) => sysroot,
            None => &Machine,
        }
    }
}

/// Resolves the pools of a package that are not left out, or takes them from its lock.
pub fn outcomes(pools: &[Pool], world: World<'_>) -> Outcomes {
    let World {
        package,
        probes,
        host,
        ..
    } = world;
    let file = lock::File::of(package, host);
    let is_locked = file.is_some();
    let lock = || file.as_ref().map(|file| file.lock(package)).transpose();
    if host.variable(OFFLINE).is_some_and(|value| value != "0") {
        return Outcomes {
            is_locked,
            ..offline(pools, package, lock(), probes, host)
        };
    }
    let mut outcomes = Outcomes {
        is_locked,
        ..resolved(pools, world)
    };
    let Some(file) = &file else {
        return outcomes;
    };
    let sysroot = outcomes.sysroot.clone();
    let world = looked_at(world, &sysroot);
    if enabled(pools).count() == pools.len() {
        outcomes.found = found(pools, &outcomes.pools, None, world);
        // Mostly nothing has changed, and the lock need not be understood.
        if outcomes.found.as_ref().is_some_and(|found| file.is(found)) {
            return outcomes;
        }
    }
    let mut faults = Faults::default();
    match file.lock(package) {
        Err(fault) => faults.of_all(pools, &fault),
        Ok(lock) => {
            faults.of_unknown(pools, &lock);
            let entries = entries(pools, &outcomes.pools, Some(&lock), world);
            for pool in enabled(pools) {
                // What is wrong with the environment itself was told before.
                if let Some(Outcome::Resolved(_)) = outcomes.pools.get(&pool.key)
                    && let Some(entry) = entries.pool(&pool.name)
                {
                    faults.of_pool(&pool.key, held(pool, &lock, entry));
                }
            }
            outcomes.found = is_whole(&outcomes.pools).then_some(entries);
        }
    }
    faults.into(&mut outcomes.pools);
    outcomes
}

/// The pools that the compiler will see.
pub(crate) fn enabled(pools: &[Pool]) -> impl Iterator<Item = &Pool> {
    pools.iter().filter(|pool| pool.is_enabled)
}

/// The world with the root file system in this machine's place, where there is one.
pub(crate) fn looked_at<'a>(world: World<'a>, sysroot: &'a Option<Sysroot>) -> World<'a> {
    match sysroot {
        Some(sysroot) => World {
            host: sysroot,
            ..world
        },
        None => world,
    }
}

/// Resolves all pools side by side, whatever a lock says: on this machine, or in the root file system of a target.
pub(crate) fn resolved(pools: &[Pool], world: World<'_>) -> Outcomes {
    let sysroot = match Sysroot::named(world.host).transpose() {
        Ok(sysroot) => sysroot,
        Err(fault) => {
            let mut faults = Faults::default();
            faults.of_all(pools, &fault);
            let mut outcomes = Outcomes::default();
            faults.into(&mut outcomes.pools);
            return outcomes;
        }
    };
    let world = looked_at(world, &sysroot);
    let requests: Map<&String, &Request> = enabled(pools)
        .map(|pool| (&pool.key, &pool.request))
        .ordered();
    let requests = requests.into_iter();
    let requests = requests.map(|(key, request)| (key.clone(), request));
    let (pools, facts) = resolve_all(requests, world).into_iter().unzip();
    Outcomes {
        pools,
        facts,
        sysroot,
        ..Outcomes::default()
    }
}

/// The lock of what was found, if that is everything. A pool that is left out this time keeps what a lock has of it.
pub fn found(
    pools: &[Pool],
    outcomes: &BTreeMap<String, Outcome>,
    known: Option<&Lock>,
    world: World<'_>,
) -> Option<Lock> {
    is_whole(outcomes).then(|| entries(pools, outcomes, known, world))
}

fn is_whole(outcomes: &BTreeMap<String, Outcome>) -> bool {
    let mut outcomes = outcomes.values();
    outcomes.all(|outcome| matches!(outcome, Outcome::Resolved(_)))
}

fn entries(
    pools: &[Pool],
    outcomes: &BTreeMap<String, Outcome>,
    known: Option<&Lock>,
    world: World<'_>,
) -> Lock {
    let roots = Roots::of(&world.host.package(world.package), world.host);
    let mut lock = Lock::default();
    for pool in pools {
        match outcomes.get(&pool.key) {
            Some(Outcome::Resolved(resolution)) => {
                lock.insert(&pool.name, lock::entry(&pool.request, resolution, &roots));
            }
            Some(Outcome::Failed(_)) => {}
            None => {
                let kept = known.and_then(|known| known.pool(&pool.name));
                if let Some(kept) = kept {
                    lock.insert(&pool.name, kept.clone());
                }
            }
        }
    }
    lock
}

/// What the lock does not say of a pool as it was found.
fn held(pool: &Pool, lock: &Lock, entry: &Table) -> Vec<Diagnostic> {
    match pool.locked(lock) {
        Some(locked) => mismatch(&lock::differences(&pool.name, locked, entry)),
        None => vec![missing(pool)],
    }
}

pub(crate) fn missing(pool: &Pool) -> Diagnostic {
    let message = format!("`{}` has no pool `{}`", lock::FILE_NAME, pool.name);
    let help = "add it where its environment is: `cargo snakepit lock`";
    Diagnostic::new(Code::LockPoolMissing, message, help).at("pool")
}

/// One message with all differences, or a few where they are long.
pub(crate) fn mismatch(differences: &[Difference]) -> Vec<Diagnostic> {
    let mut lists = Vec::new();
    let mut list = String::new();
    for difference in differences {
        let line = format!("\n  {}", brief(difference));
        if list.len() + line.len() > MOST_LISTED && !list.is_empty() {
            lists.push(std::mem::take(&mut list));
        }
        list.push_str(&line);
    }
    if !list.is_empty() {
        lists.push(list);
    }
    let fault = |list| {
        let message = format!("this is not what `{}` says:{list}", lock::FILE_NAME);
        let help = "restore what the lock says, or accept what is here: `cargo snakepit lock`";
        Diagnostic::new(Code::LockMismatch, message, help).at("pool")
    };
    lists.into_iter().map(fault).collect()
}

/// A difference in a line of bearable length.
fn brief(difference: &Difference) -> String {
    let shorter = |value: &Option<String>| {
        value.as_ref().map(|value| match value.len() > MOST_SHOWN {
            true => format!("{}[...]", &value[..value.floor_char_boundary(MOST_SHOWN)]),
            false => value.clone(),
        })
    };
    let difference = Difference {
        locked: shorter(&difference.locked),
        found: shorter(&difference.found),
        ..difference.clone()
    };
    difference.to_string().replace('\n', " ")
}

/// What is wrong with pools beside what their environments are.
#[derive(Default)]
pub(crate) struct Faults(Map<String, Vec<Diagnostic>>);

impl Faults {
    pub(crate) fn of_pool(&mut self, key: &str, faults: Vec<Diagnostic>) {
        let known = self.0.or_insert_with(key.to_owned(), Vec::new);
        // Structs may share a pool.
        known.extend(faults);
    }

    /// A fault of the whole lock; the macro shows it once for each struct.
    pub(crate) fn of_all(&mut self, pools: &[Pool], fault: &Diagnostic) {
        let keys: Set<&String> = enabled(pools).map(|pool| &pool.key).ordered();
        for key in keys {
            self.of_pool(key, vec![fault.clone()]);
        }
    }

    pub(crate) fn of_unknown(&mut self, pools: &[Pool], lock: &Lock) {
        let is_unknown = |name: &&str| !pools.iter().any(|pool| pool.may_be(name));
        for name in lock.pools().filter(is_unknown) {
            let message = format!(
                "`{}` has a pool `{name}`, which no struct declares",
                lock::FILE_NAME
            );
            let help = "remove it from the lock: `cargo snakepit lock`";
            let fault = Diagnostic::new(Code::LockPoolUnknown, message, help).at("struct");
            self.of_all(pools, &fault);
        }
    }

    pub(crate) fn into(self, outcomes: &mut BTreeMap<String, Outcome>) {
        for (key, faults) in self.0 {
            if faults.is_empty() {
                continue;
            }
            match outcomes.get_mut(&key) {
                Some(Outcome::Failed(known)) => known.extend(faults),
                _ => _ = outcomes.insert(key, Outcome::Failed(faults)),
            }
        }
    }
}
