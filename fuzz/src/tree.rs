//! A machine that is made of a few files in memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use snakepit_build::Host;
use snakepit_build::host::{Answer, FileInfo, Program};
use snakepit_build::sysroot::Target;

/// What a program prints, by its path and arguments.
type Run<'a> = Box<dyn Fn(&Program<'_>) -> Vec<u8> + Sync + 'a>;

/// Files, variables and programs; everything below a folder named `bin` may be executed.
pub(crate) struct Tree<'a> {
    files: BTreeMap<PathBuf, Vec<u8>>,
    variables: BTreeMap<String, OsString>,
    /// Where programs are found by name: this folder.
    bin: Option<PathBuf>,
    /// What it is the root file system of, if it is not this machine.
    target: Option<Target>,
    run: Run<'a>,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(run: impl Fn(&Program<'_>) -> Vec<u8> + Sync + 'a) -> Self {
        Self {
            files: BTreeMap::new(),
            variables: BTreeMap::new(),
            bin: None,
            target: None,
            run: Box::new(run),
        }
    }

    pub(crate) fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// The root file system of a target.
    pub(crate) fn of_target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The search path.
    pub(crate) fn programs_in(mut self, folder: &str) -> Self {
        self.bin = Some(folder.into());
        self
    }

    fn below(&self, folder: &Path) -> impl Iterator<Item = &Path> {
        // In the order of their parts, so that what is in a folder stands behind its name and together.
        let paths = self.files.range(folder.to_owned()..).map(|(path, _)| path);
        paths.map_while(move |path| path.strip_prefix(folder).ok())
    }
}

impl Host for Tree<'_> {
    fn info(&self, path: &Path) -> Option<FileInfo> {
        let file = self.files.get(path);
        if file.is_none() {
            self.below(path).next()?;
        }
        let folder = path.parent().and_then(Path::file_name);
        Some(FileInfo {
            is_dir: file.is_none(),
            is_executable: file.is_some() && folder.is_some_and(|name| name == "bin"),
            len: file.map_or(0, |content| content.len() as u64),
            modified: None,
        })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.files.get(path);
        file.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_script(&self, path: &Path) -> bool {
        self.files
            .get(path)
            .is_some_and(|file| file.starts_with(b"#!"))
    }

    fn is_link(&self, _: &Path) -> bool {
        false
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        match self.info(path) {
            Some(_) => Ok(path.to_owned()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let names = self.below(path).filter_map(|rest| rest.iter().next());
        let mut found: Vec<PathBuf> = names.map(|name| path.join(name)).collect();
        found.dedup();
        found
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }

    fn which(&self, name: &str) -> Option<PathBuf> {
        let path = self.bin.as_ref()?.join(name);
        self.files.contains_key(&path).then_some(path)
    }

    fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    fn run(&self, program: &Program<'_>) -> io::Result<Answer> {
        Ok(Answer {
            success: true,
            status: "exit status: 0".to_owned(),
            stdout: (self.run)(program),
            stderr: Vec::new(),
        })
    }
}
