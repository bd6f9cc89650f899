//! A package on a machine of its own: its folder, its programs, its variables, and a pool that cannot be resolved yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::declaration::Request;
use snakepit_build::manifest::{Outcome, Resolution};
use snakepit_build::named::Pool;
use snakepit_build::outcome::{found, outcomes};
use snakepit_build::package;
use snakepit_build::resolver::Custom;
use snakepit_test_tools::{Container, python};
use tempfile::TempDir;

use crate::support::{World, request, script};

pub(crate) struct Site {
    /// The package's folder.
    pub(crate) root: PathBuf,
    pub(crate) world: World,
    pub(crate) request: Request,
    pub(crate) custom: Custom,
    /// What the pool runs in, if that is a container.
    pub(crate) container: Option<Container<'static>>,
    keep: TempDir,
}

impl Site {
    /// A machine with `sh` and the usual small programs, and nothing else.
    pub(crate) fn new(kind: &str, options: &[(&str, &str)]) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().canonicalize().unwrap();
        let bin = folder.join("bin");
        let root = folder.join("my app");
        for folder in [&bin, &root, &folder.join("home")] {
            fs::create_dir(folder).unwrap();
        }
        let mut world = World::with(None);
        let programs = bin.clone();
        world.which = Box::new(move |name| Some(programs.join(name)).filter(|path| path.exists()));
        let mut site = Self {
            root,
            world,
            request: request(kind, options),
            custom: Custom::new(),
            container: None,
            keep,
        };
        site.set("HOME", folder.join("home"));
        let path = format!("{}:/usr/bin:/bin", bin.display());
        site.set("PATH", path);
        for name in ["env", "bash"] {
            site.provide(name, Path::new("/usr/bin").join(name));
        }
        site
    }

    /// The same with the tests' Python as `python3`.
    pub(crate) fn with_python(kind: &str, options: &[(&str, &str)]) -> Self {
        let site = Self::new(kind, options);
        site.provide("python3", &python().path);
        site
    }

    /// A package whose virtual environment is whole.
    pub(crate) fn with_venv() -> Self {
        let site = Self::with_python("venv", &[]);
        python().make_venv(&site.path(".venv"));
        site
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<std::ffi::OsString>) {
        self.world.variables.insert(name.to_owned(), value.into());
    }

    pub(crate) fn option(&mut self, name: &str, value: &str) {
        let options = &mut self.request.options;
        options.insert(name.to_owned(), value.to_owned());
    }

    /// A path in the package.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path beside the package.
    pub(crate) fn beside(&self, relative: &str) -> PathBuf {
        self.root.with_file_name(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: &str) {
        let file = self.path(relative);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Puts a program on the search path.
    pub(crate) fn provide(&self, name: &str, program: impl AsRef<Path>) {
        let program = program.as_ref().display();
        let text = format!("#!/bin/sh\nexec '{program}' \"$@\"\n");
        script(&self.keep.path().join("bin").join(name), &text);
    }

    /// Takes it away.
    pub(crate) fn remove_program(&self, name: &str) {
        fs::remove_file(self.keep.path().join("bin").join(name)).unwrap();
    }

    /// The pool, and the world that a build sees.
    fn build<T>(&self, then: impl FnOnce(&[Pool], package::World<'_>) -> T) -> T {
        let world = package::World {
            package: &self.root,
            custom: &self.custom,
            probes: &Cache::default(),
            host: &self.world,
            done: &|_| {},
        };
        then(&[Pool::new("AppConfig.ml", self.request.clone())], world)
    }

    /// Resolves the pool and holds it against the lock, if there is one; of several faults it gives the first.
    pub(crate) fn resolve(&self) -> Result<Resolution, Diagnostic> {
        let outcomes = self.build(|pools, world| outcomes(pools, world).pools);
        match outcomes.into_values().next().unwrap() {
            Outcome::Resolved(resolution) => Ok(*resolution),
            Outcome::Failed(mut faults) => Err(faults.remove(0)),
        }
    }

    /// Locks what is there.
    pub(crate) fn lock(&mut self) {
        let offline = self.world.variables.remove("SNAKEPIT_OFFLINE");
        let _ = fs::remove_file(self.path("snakepit.lock"));
        let lock =
            self.build(|pools, world| found(pools, &outcomes(pools, world).pools, None, world));
        lock.unwrap().write(&self.root).unwrap();
        let offline = offline.map(|value| ("SNAKEPIT_OFFLINE".to_owned(), value));
        self.world.variables.extend(offline);
    }

    /// A package whose lock was edited by hand.
    pub(crate) fn with_edited_lock(edit: impl FnOnce(&str) -> String) -> Self {
        let mut site = Self::with_venv();
        site.lock();
        let text = fs::read_to_string(site.path("snakepit.lock")).unwrap();
        let edited = edit(&text);
        assert_ne!(edited, text);
        site.write("snakepit.lock", &edited);
        site
    }

    #[track_caller]
    pub(crate) fn refused(&self) -> Diagnostic {
        self.resolve().expect_err("the site is broken")
    }

    /// Runs what a shell would on this machine; it gets no input.
    #[track_caller]
    pub(crate) fn shell(&self, command: &str, folder: &Path) {
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(folder)
            .envs(&self.world.variables)
            .env_remove("VIRTUAL_ENV")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "`{command}`: {output:?}");
    }

    /// Runs the commands of a help as they stand there: ``run `A` in `FOLDER`, then `B` ``.
    #[track_caller]
    pub(crate) fn follow(&mut self, help: &str) {
        let parts: Vec<&str> = help.split('`').collect();
        let word_before = |index: usize| parts[index - 1].trim_end().rsplit(' ').next();
        let quoted = (1..parts.len()).step_by(2);
        let folder = quoted
            .clone()
            .find(|&index| word_before(index) == Some("in"));
        let folder = folder.map_or_else(|| self.root.clone(), |index| PathBuf::from(parts[index]));
        let commands: Vec<&str> = quoted
            .filter(|&index| matches!(word_before(index), Some("run" | "then" | "again:")))
            .map(|index| parts[index])
            .collect();
        assert!(!commands.is_empty(), "no command in the help: {help}");
        for command in commands {
            self.shell(command, &folder);
        }
    }
}
