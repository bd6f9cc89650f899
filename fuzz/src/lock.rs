//! `snakepit.lock`, as a build reads it that has nothing else.

use std::path::Path;

use snakepit_build::Lock;
use snakepit_build::cache::Cache;
use snakepit_build::manifest::Outcome;
use snakepit_build::named::of_text;
use snakepit_build::outcome::outcomes;
use snakepit_build::package::World;
use snakepit_build::resolver::Custom;

use crate::tree::Tree;
use crate::verdict::{readable, startable};

/// The pool of the seeds.
const SOURCE: &str =
    "#[snakepit_pools] struct AppConfig { #[pool(environment = venv)] ml: PoolConfig }";

/// A lock.
///
/// # Panics
/// It is written otherwise than it was read, or what is made of it is neither a whole resolution nor clear faults.
pub(crate) fn lock(data: &[u8]) {
    if let Ok(lock) = Lock::parse(data, "`snakepit.lock`") {
        let text = lock.text();
        let again = Lock::parse(text.as_bytes(), "`snakepit.lock`");
        assert_eq!(again.as_ref(), Ok(&lock), "{text}");
        assert!(lock.compare(&lock).is_empty(), "{text}");
    }
    for offline in [true, false] {
        let tree = Tree::new(|_| Vec::new())
            .variable("HOME", "/home/me")
            .file("/app/snakepit.lock", data);
        let tree = match offline {
            true => tree.variable("SNAKEPIT_OFFLINE", "1"),
            false => tree,
        };
        let world = World {
            package: Path::new("/app"),
            custom: &Custom::new(),
            probes: &Cache::default(),
            host: &tree,
            done: &|_| {},
        };
        for (_, outcome) in outcomes(&of_text(SOURCE), world).pools {
            match outcome {
                Outcome::Resolved(resolution) => startable(&resolution),
                Outcome::Failed(faults) => {
                    assert!(!faults.is_empty(), "a failure without a fault");
                    faults.iter().for_each(readable);
                }
            }
        }
    }
}
