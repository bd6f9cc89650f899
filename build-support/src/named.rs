//! The pools that a package's sources declare, and what each is called where a person reads of it.

use std::path::Path;

use syn::ext::IdentExt;

use crate::Lock;
use crate::declaration::{Declaration, Request};
use crate::declare;
use crate::document::Table;
use crate::ordered::{Map, Ordered, Set};
use crate::package::{Sources, is_disabled};

/// One pool. Spans cannot cross threads; this can.
#[derive(Debug, Clone)]
pub struct Pool {
    /// `AppConfig.ml`; where that could mean several, with its file: `AppConfig.ml@src/config.rs`.
    pub name: String,
    /// Its key in the manifest.
    pub key: String,
    /// What it asks for.
    pub request: Request,
    /// Whether it can be read, and the compiler will not leave it out, as far as Cargo tells.
    pub is_enabled: bool,
    /// Whether it, or one that may have the same name, has a mistake: once that is mended it may be called otherwise.
    is_doubtful: bool,
    /// Where it stands, as `src/main.rs:7`. The manifest does not have it: it is the same wherever a pool stands.
    pub(crate) place: String,
}

impl Pool {
    /// A pool that stands in no file.
    pub fn new(name: &str, request: Request) -> Self {
        Self {
            name: name.to_owned(),
            key: request.key(),
            request,
            is_enabled: true,
            is_doubtful: false,
            place: String::new(),
        }
    }

    /// What a lock says of it.
    pub(crate) fn locked<'a>(&self, lock: &'a Lock) -> Option<&'a Table> {
        let other = || lock.pool(short(&self.name)).filter(|_| self.is_doubtful);
        lock.pool(&self.name).or_else(other)
    }

    /// Whether this name in a lock may mean it.
    pub(crate) fn may_be(&self, name: &str) -> bool {
        self.name == name || (self.is_doubtful && short(&self.name) == short(name))
    }
}

/// A name without what tells it from others.
fn short(name: &str) -> &str {
    name.split('@').next().unwrap_or_default()
}

/// The pools of a package's sources, in the order in which they stand there, also those that cannot be read. `variable`
/// gives what Cargo tells a build script of target and features.
pub fn pools(sources: &Sources, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Pool> {
    let mut pools = Vec::new();
    for source in &sources.files {
        // A file that cannot be read or parsed is the compiler's to report, at its place.
        let declarations = source.declarations.iter().flatten();
        pools.extend(pools_of(declarations, &source.shown, variable));
    }
    named(&mut pools);
    pools
}

/// The pools of one source file; several may have the same name still.
fn pools_of<'a>(
    declarations: impl IntoIterator<Item = &'a Declaration>,
    shown: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Vec<Pool> {
    let mut pools = Vec::new();
    for declaration in declarations {
        for pool in &declaration.pools {
            let name = format!("{}.{}", declaration.name, pool.name);
            pools.push(Pool {
                is_enabled: !is_disabled(pool, variable),
                place: format!("{}:{}", shown.display(), pool.span("pool").start().line),
                ..Pool::new(&name, pool.request.clone())
            });
        }
        for field in &declaration.unread {
            let field_name = field.unraw().to_string();
            let name = format!("{}.{field_name}", declaration.name);
            let place = format!("{}:{}", shown.display(), field.span().start().line);
            pools.push(Pool {
                // What it would be is unknown, and so no other is the same.
                key: place.clone(),
                is_enabled: false,
                is_doubtful: true,
                place,
                ..Pool::new(&name, Request::new(field_name))
            });
        }
    }
    pools
}

/// Those of a package of one file that need not be there; none of them is left out.
pub fn of_text(text: &str) -> Vec<Pool> {
    let declarations = declare::parse_file(text).unwrap_or_default();
    let mut pools = pools_of(&declarations, Path::new("src/main.rs"), &|_| None);
    for pool in pools.iter_mut().filter(|pool| !pool.is_doubtful) {
        pool.is_enabled = true;
    }
    named(&mut pools);
    pools
}

/// Sees to it that a name means one request.
fn named(pools: &mut [Pool]) {
    let doubtful = pools.iter().filter(|pool| pool.is_doubtful);
    let doubtful: Set<String> = doubtful.map(|pool| pool.name.clone()).ordered();
    for pool in pools.iter_mut() {
        pool.is_doubtful = doubtful.contains(&pool.name);
    }
    for step in [Name::with_file, Name::with_number] {
        let mut keys: Map<String, Set<String>> = Map::new();
        for pool in pools.iter() {
            let known = keys.or_insert_with(pool.name.clone(), Set::new);
            known.insert(pool.key.clone());
        }
        let mut name = Name::default();
        let is_shared = |pool: &&mut Pool| keys.get(&pool.name).is_some_and(|keys| keys.len() > 1);
        for pool in pools.iter_mut().filter(is_shared) {
            pool.name = step(&mut name, pool);
        }
    }
}

/// Longer names.
#[derive(Default)]
struct Name {
    seen: Map<String, u32>,
}

impl Name {
    fn with_file(&mut self, pool: &Pool) -> String {
        let file = pool.place.rsplit_once(':').map_or("", |(file, _)| file);
        format!("{}@{file}", pool.name)
    }

    fn with_number(&mut self, pool: &Pool) -> String {
        let count = self.seen.or_insert_with(pool.name.clone(), || 0);
        *count += 1;
        format!("{}#{count}", pool.name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(pools: &[Pool]) -> Vec<&str> {
        pools.iter().map(|pool| pool.name.as_str()).collect()
    }

    #[test]
    fn pools_are_found_with_the_line_of_their_attribute() {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir(package.path().join("src")).unwrap();
        let source = "//! A program.\n\n#[snakepit_pools]\nstruct C {\n    #[pool]\n    ml: PoolConfig,\n}\n";
        fs::write(package.path().join("src/main.rs"), source).unwrap();
        let pools = pools(&Sources::read(package.path(), &[]), &|_| None);
        assert_eq!(pools[0].place, "src/main.rs:5");
        assert_eq!(names(&pools), ["C.ml"]);
    }

    #[test]
    fn a_name_means_one_pool_of_a_package() {
        let pool = |attribute: &str| {
            format!("#[snakepit_pools]\nstruct C {{\n    {attribute}\n    ml: PoolConfig,\n}}\n")
        };
        let [bare, venv] = [pool("#[pool]"), pool("#[pool(environment = venv)]")];
        assert_eq!(names(&of_text(&(bare.clone() + &bare))), ["C.ml", "C.ml"]);
        let both = of_text(&(bare.clone() + &venv));
        assert_eq!(names(&both), ["C.ml@src/main.rs#1", "C.ml@src/main.rs#2"]);
        let package = tempfile::tempdir().unwrap();
        for (folder, text) in [("src", bare), ("examples", venv)] {
            fs::create_dir(package.path().join(folder)).unwrap();
            fs::write(package.path().join(folder).join("a.rs"), text).unwrap();
        }
        let pools = pools(&Sources::read(package.path(), &[]), &|_| None);
        assert_eq!(names(&pools), ["C.ml@src/a.rs", "C.ml@examples/a.rs"]);
    }

    #[test]
    fn a_pool_with_a_mistake_has_its_name() {
        let [ml, tools] = ["sise = 2", "size = 2"].map(|settings| {
            format!("#[snakepit_pools]\nstruct C {{ #[pool({settings})] r#ml: PoolConfig }}\n")
        });
        let pools = of_text(&(ml + &tools));
        assert_eq!(names(&pools), ["C.ml@src/main.rs#1", "C.ml@src/main.rs#2"]);
        assert_eq!(
            pools.iter().map(|pool| pool.is_enabled).collect::<Vec<_>>(),
            [false, true]
        );
        for pool in &pools {
            assert!(pool.may_be("C.ml") && pool.may_be("C.ml@src/a.rs"));
            assert!(!pool.may_be("C.other"));
        }
    }
}
