//! What a lock says of real environments, and that it says the same wherever the package lies.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::{Outcome, Resolution};
use snakepit_build::named::{self, Pool};
use snakepit_build::outcome::{found, outcomes};
use snakepit_build::resolver::Custom;
use snakepit_build::{
    Builder, Config, Diagnostic, Host, Launch, Lock, PythonEnvironment, Refused, package,
};
use snakepit_test_tools::{conda_environment, poetry_project, python, tool, uv_project};
use support::{World, request};
use tempfile::TempDir;

/// A package on a machine with a home folder.
struct Site {
    folder: TempDir,
    world: World,
    custom: Custom,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::with(None);
        fs::create_dir_all(folder.path().join("home/work/app")).unwrap();
        let home = folder.path().join("home");
        world
            .variables
            .insert("HOME".to_owned(), home.into_os_string());
        Self {
            folder,
            world,
            custom: Custom::new(),
        }
    }

    fn package(&self) -> PathBuf {
        self.folder.path().join("home/work/app")
    }

    fn with<T>(&self, then: impl FnOnce(package::World<'_>) -> T) -> T {
        then(package::World {
            package: &self.package(),
            custom: &self.custom,
            probes: &Cache::default(),
            host: &self.world,
            done: &|_| {},
        })
    }

    /// The lock of what is here.
    #[track_caller]
    fn lock(&self, pools: &[Pool]) -> Lock {
        self.with(|world| {
            let outcomes = outcomes(pools, world).pools;
            found(pools, &outcomes, None, world).unwrap_or_else(|| panic!("{outcomes:?}"))
        })
    }

    /// The pools as an offline build has them, in the order of their keys.
    #[track_caller]
    fn offline(&mut self, pools: &[Pool]) -> Vec<Resolution> {
        let set = |name: &str, value: &str| (name.to_owned(), value.into());
        self.world.variables.extend([set("SNAKEPIT_OFFLINE", "1")]);
        // Whoever ran a program or looked for one would be told.
        self.world.runs = false;
        self.world.which = Box::new(|name| panic!("`{name}` is looked for"));
        let outcomes = self.with(|world| outcomes(pools, world).pools);
        self.world.variables.remove("SNAKEPIT_OFFLINE");
        self.world.runs = true;
        let resolved = outcomes.into_values().map(|outcome| match outcome {
            Outcome::Resolved(resolution) => *resolution,
            Outcome::Failed(faults) => panic!("{faults:?}"),
        });
        resolved.collect()
    }
}

fn pool(request: Request) -> [Pool; 1] {
    [Pool::new("AppConfig.ml", request)]
}

#[test]
fn the_lock_of_a_package_has_the_same_bytes_wherever_it_lies_and_whoever_builds() {
    let texts = [(), ()].map(|()| {
        let site = Site::new();
        fs::create_dir(site.package().join("python")).unwrap();
        fs::write(
            site.package().join("python/tools.py"),
            "def f(x='/'):\n    pass\n",
        )
        .unwrap();
        python().make_venv(&site.package().join(".venv"));
        python().make_venv(&site.folder.path().join("home/shared"));
        let mut own = request("venv", &[]);
        own.python_path.push("python".to_owned());
        let shared = request("venv", &[("venv_path", "../../shared")]);
        let pools = [Pool::new("A.own", own), Pool::new("A.shared", shared)];
        let text = site.lock(&pools).text();
        assert!(
            !text.contains(site.folder.path().to_str().unwrap()),
            "{text}"
        );
        assert!(
            text.contains("command = \"{home}/shared/bin/python3\""),
            "{text}"
        );
        text
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn an_offline_build_has_the_resolution_of_the_build_that_was_locked() {
    let mut site = Site::new();
    python().make_venv(&site.package().join(".venv"));
    let mut wanted = request("venv", &[]);
    wanted.env.insert("A".to_owned(), "{x} /home".to_owned());
    let pools = pool(wanted);
    let online = site.with(|world| outcomes(&pools, world).pools);
    let lock = site.lock(&pools);
    lock.write(&site.package()).unwrap();
    fs::remove_dir_all(site.package().join(".venv")).unwrap();
    let offline = site
        .offline(&pools)
        .into_iter()
        .map(|one| Outcome::Resolved(Box::new(one)));
    assert_eq!(
        offline.collect::<Vec<_>>(),
        online.into_values().collect::<Vec<_>>()
    );

    let told = ("SNAKEPIT_ROOT_PACKAGE".to_owned(), "/srv/app/".into());
    site.world.variables.extend([told]);
    let told = site.offline(&pools).remove(0);
    assert_eq!(told.command, "/srv/app/.venv/bin/python3");
    assert_eq!(told.metadata.prefix, "/srv/app/.venv");
}

#[test]
fn what_features_leave_out_keeps_its_place_in_the_lock() {
    let site = Site::new();
    python().make_venv(&site.package().join(".venv"));
    let text = "#[snakepit_pools] struct C { #[pool(environment = venv)] a: PoolConfig,
        #[cfg(feature = \"b\")] #[pool(environment = venv, size = 2)] b: PoolConfig }";
    let mut pools = named::of_text(text);
    let whole = site.lock(&pools);
    whole.write(&site.package()).unwrap();
    pools[1].is_enabled = false;
    let kept = site.with(|world| {
        let outcomes = outcomes(&pools, world).pools;
        assert!(
            outcomes
                .values()
                .all(|one| matches!(one, Outcome::Resolved(_))),
            "{outcomes:?}"
        );
        found(&pools, &outcomes, Some(&whole), world)
    });
    assert_eq!(kept.unwrap(), whole);
}

#[test]
fn the_lock_files_of_uv_and_poetry_are_locked_and_a_change_of_one_fails_offline_too() {
    let (Some(uv), Some(poetry)) = (tool("uv"), tool("poetry")) else {
        return;
    };
    for (kind, file) in [("uv", "uv.lock"), ("poetry", "poetry.lock")] {
        let mut site = Site::new();
        let package = site.package();
        match kind {
            "uv" => uv_project(&uv, &package),
            _ => _ = poetry_project(&poetry, &package),
        }
        let pools = pool(request(kind, &[]));
        let lock = site.lock(&pools);
        let text = lock.text();
        assert!(
            text.contains(&format!("\"{{package}}/{file}\" = \"sha256:")),
            "{text}"
        );
        lock.write(&package).unwrap();
        site.offline(&pools);
        let locked = fs::read_to_string(package.join(file)).unwrap();
        fs::write(package.join(file), locked + "# edited\n").unwrap();
        let offline = ("SNAKEPIT_OFFLINE".to_owned(), "1".into());
        site.world.variables.extend([offline]);
        let outcomes = site.with(|world| outcomes(&pools, world).pools);
        let [Outcome::Failed(faults)] = &outcomes.into_values().collect::<Vec<_>>()[..] else {
            panic!("`{file}` was edited");
        };
        let fact = format!("fingerprint.lock_files.{{package}}/{file}: the lock says `sha256:");
        assert!(faults[0].message().contains(&fact), "{faults:?}");
        fs::remove_file(package.join(file)).unwrap();
        site.offline(&pools);
    }
}

#[test]
fn conda_environments_are_kept_from_their_installation() {
    let site = Site::new();
    let mut texts = Vec::new();
    for root in ["mamba", "forge"] {
        let root = site.folder.path().join(root);
        fs::create_dir_all(root.join("conda-meta")).unwrap();
        let prefix = root.join("envs/ml");
        if conda_environment(site.folder.path(), &prefix, &["python"]).is_none() {
            return;
        }
        let mut world = World::with(None);
        world.variables = site.world.variables.clone();
        world
            .variables
            .insert("MAMBA_ROOT_PREFIX".to_owned(), root.into_os_string());
        let site = Site {
            folder: tempfile::tempdir().unwrap(),
            world,
            custom: Custom::new(),
        };
        fs::create_dir_all(site.package()).unwrap();
        let text = site
            .lock(&pool(request("conda", &[("environment_name", "ml")])))
            .text();
        assert!(
            text.contains("command = \"{conda}/envs/ml/bin/python"),
            "{text}"
        );
        assert!(
            text.contains("CONDA_PREFIX\", value = \"{conda}/envs/ml\""),
            "{text}"
        );
        texts.push(text);
    }
    assert_eq!(texts[0], texts[1]);
}

/// A kind of the program's own, which consults its own lock file.
struct Flake;

impl PythonEnvironment for Flake {
    fn resolve_executable(&self, config: &Config, host: &dyn Host) -> Result<PathBuf, Diagnostic> {
        host.consult(&config.absolute("flake.lock")).unwrap();
        Ok(support::python())
    }

    fn resolve_environment(&self, _: &Config, _: &dyn Host) -> Result<Launch, Diagnostic> {
        Ok(Launch::default())
    }

    fn validate_environment(&self, _: &Config, _: &dyn Host) -> Result<(), Diagnostic> {
        Ok(())
    }
}

#[test]
fn a_kind_of_the_programs_own_is_locked_like_others_and_built_without_it() {
    let mut site = Site::new();
    site.custom.insert("flake".to_owned(), Box::new(Flake));
    fs::write(site.package().join("flake.lock"), "{}").unwrap();
    let mut wanted = request("custom", &[]);
    wanted.custom = Some("flake".to_owned());
    let pools = pool(wanted);
    let lock = site.lock(&pools);
    let digest = "\"{package}/flake.lock\" = \"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"";
    assert!(lock.text().contains(digest), "{}", lock.text());
    lock.write(&site.package()).unwrap();
    site.custom.clear();
    let offline = site.offline(&pools).remove(0);
    assert_eq!(Path::new(&offline.command), support::python());
    assert_eq!(offline.metadata.environment, "flake");
}

#[test]
fn a_lock_is_written_whole_or_not_at_all() {
    let site = Site::new();
    python().make_venv(&site.package().join(".venv"));
    let lock = site.lock(&pool(request("venv", &[])));
    assert!(lock.write(&site.package()).unwrap(), "the first one");
    let before = fs::metadata(site.package().join("snakepit.lock"))
        .unwrap()
        .modified()
        .unwrap();
    assert!(!lock.write(&site.package()).unwrap(), "the same again");
    let after = fs::metadata(site.package().join("snakepit.lock"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
    // A folder in its place cannot be replaced by a file.
    let taken = site.folder.path().join("taken");
    fs::create_dir_all(taken.join("snakepit.lock/full")).unwrap();
    lock.write(&taken).unwrap_err();
    let left: Vec<_> = fs::read_dir(&taken)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["snakepit.lock"], "nothing half-written is left");
}

#[test]
fn sources_that_cannot_be_read_have_no_lock() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("src")).unwrap();
    let refused = |text: &str| {
        fs::write(package.path().join("src/lib.rs"), text).unwrap();
        let refused = Builder::new().lock(package.path()).unwrap_err();
        let one = |refused: &Refused| {
            let Refused { pool, place, fault } = refused;
            (pool.clone(), place.clone(), fault.code().to_owned())
        };
        refused.iter().map(one).collect::<Vec<_>>()
    };
    let slip =
        "#[snakepit_pools]\nstruct Config {\n    #[pool(sizee = 2)]\n    ml: PoolConfig,\n}\n";
    let place = "src/lib.rs:3".to_owned();
    assert_eq!(
        refused(slip),
        [("Config".to_owned(), place, "key_unknown".to_owned())]
    );
    let broken = "#[snakepit_pools]\nstruct Config {\n";
    let [(_, place, code)] = &refused(broken)[..] else {
        panic!("one fault is wanted");
    };
    assert!(place.starts_with("src/lib.rs:"), "{place}");
    assert_eq!(code, "declaration_unknown");
}
