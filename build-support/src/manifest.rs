//! What the build script hands the macro: one JSON file in `OUT_DIR`, keyed by the pools' requests.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::diagnostic::Diagnostic;
use crate::json::Value;
use crate::replace::replace;
use crate::wire::{Read, Written, holding, parse, record, unknown_variant, variant, variants};

/// The variable that the compiler sees where the last run of the build script wrote the manifest: Cargo keeps `OUT_DIR`,
/// and with it the manifest of a script that no longer writes one.
pub const EMITTED: &str = "SNAKEPIT_EMITTED";

/// The manifest's name in `OUT_DIR`.
pub const FILE_NAME: &str = "snakepit-manifest.json";

/// All pools of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// What became of each pool, by [`PoolDeclaration::key`](crate::declaration::PoolDeclaration::key).
    pub pools: BTreeMap<String, Outcome>,
    /// The package's folder on the machine that will run the program.
    pub package: String,
    /// The files that the build script names beside those that are read anyway.
    pub sources: Vec<String>,
}

record!(Manifest {
    pools,
    package,
    sources
});

/// What became of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Found and checked.
    Resolved(Box<Resolution>),
    /// Everything that is wrong with it.
    Failed(Vec<Diagnostic>),
}

impl Written for Outcome {
    fn tree(&self) -> Value {
        match self {
            Self::Resolved(resolution) => holding("Resolved", resolution.tree()),
            Self::Failed(faults) => holding("Failed", faults.tree()),
        }
    }
}

impl Read for Outcome {
    fn read(tree: Value) -> Result<Self, String> {
        let (name, value) = variant(tree)?;
        match name.as_str() {
            "Resolved" => Read::read(value).map(Self::Resolved),
            "Failed" => Read::read(value).map(Self::Failed),
            other => Err(unknown_variant(other)),
        }
    }
}

/// Everything that a spawn spec needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The program: an absolute path.
    pub command: String,
    /// Its arguments, before those of the worker.
    pub args: Vec<String>,
    /// Changes to the worker's environment, in order.
    pub env: Vec<EnvOp>,
    /// The working directory, where the environment demands one.
    pub cwd: Option<String>,
    /// What is known about the interpreter.
    pub metadata: Metadata,
    /// Facts for the re-check.
    pub checks: Vec<Check>,
    /// Folders put before `sys.path`: absolute.
    pub python_path: Vec<String>,
    /// What the place is called whose files the interpreter sees, where those are not the files of the machine that
    /// starts it.
    pub elsewhere: Option<String>,
    /// The file of an adapter that is compiled into the program: absolute.
    pub embedded: Option<String>,
    /// The tools that the adapter's source offers, as far as it shows them.
    pub tools: Vec<Tool>,
    /// What Cargo warns of.
    pub warnings: Vec<Diagnostic>,
    /// What tells this environment from another one.
    pub fingerprint: Fingerprint,
}

record!(Resolution {
    command,
    args,
    env,
    cwd,
    metadata,
    checks,
    python_path,
    elsewhere,
    embedded,
    tools,
    warnings,
    fingerprint
});

/// What tells an environment from one that would serve as well. The program does not need it: a lock does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The tag of the interpreter's binary interface.
    pub abi: String,
    /// `linux-x86_64`, ...
    pub platform: String,
    /// The folders where the interpreter finds distributions; empty for one that is elsewhere.
    pub site_packages: Vec<String>,
    /// The versions of the installed distributions, by normalized name.
    pub distributions: BTreeMap<String, String>,
    /// Digests of the manager's lock files, by path.
    pub lock_files: BTreeMap<String, String>,
    /// The digest of an adapter's source that is compiled into the program.
    pub adapter: Option<String>,
}

record!(Fingerprint {
    abi,
    platform,
    site_packages,
    distributions,
    lock_files,
    adapter
});

/// A function of the adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The name to call it by.
    pub name: String,
    /// What it takes, in the order of the source.
    pub parameters: Vec<Parameter>,
    /// The source of its return annotation.
    pub returns: Option<String>,
    /// The first line of its docstring.
    pub doc: Option<String>,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Whether it is a generator.
    pub is_streaming: bool,
}

record!(Tool {
    name,
    parameters,
    returns,
    doc,
    is_async,
    is_streaming
});

/// One parameter of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How it is passed.
    pub kind: ParameterKind,
    /// The source of its default.
    pub default: Option<String>,
    /// The source of its annotation.
    pub annotation: Option<String>,
}

record!(Parameter {
    name,
    kind,
    default,
    annotation
});

/// How a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Before `/`.
    PositionalOnly,
    /// The usual one.
    PositionalOrKeyword,
    /// `*args`.
    VarPositional,
    /// After `*` or `*args`.
    KeywordOnly,
    /// `**kwargs`.
    VarKeyword,
}

impl ParameterKind {
    pub(crate) const ALL: [Self; 5] = [
        Self::PositionalOnly,
        Self::PositionalOrKeyword,
        Self::VarPositional,
        Self::KeywordOnly,
        Self::VarKeyword,
    ];
}

/// By its name.
impl Written for ParameterKind {
    fn tree(&self) -> Value {
        Value::String(format!("{self:?}"))
    }
}

impl Read for ParameterKind {
    fn read(tree: Value) -> Result<Self, String> {
        let name = String::read(tree)?;
        let kind = Self::ALL
            .into_iter()
            .find(|kind| format!("{kind:?}") == name);
        kind.ok_or_else(|| format!("no kind of parameter is called `{name}`"))
    }
}

/// One change to a worker's environment.
///
/// ```
/// use snakepit_build::EnvOp;
///
/// let changes = [
///     EnvOp::Set {
///         name: "OMP_NUM_THREADS".to_owned(),
///         value: "1".to_owned(),
///     },
///     // `/opt/lib` before what `LD_LIBRARY_PATH` has when the program runs
///     EnvOp::Prepend {
///         name: "LD_LIBRARY_PATH".to_owned(),
///         value: "/opt/lib".to_owned(),
///     },
///     EnvOp::Unset {
///         name: "PYTHONHOME".to_owned(),
///     },
/// ];
/// # let _ = changes;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvOp {
    /// Sets a variable.
    Set {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
    },
    /// Puts a path before a list of paths.
    Prepend {
        /// The variable.
        name: String,
        /// The path.
        value: String,
    },
    /// Removes a variable.
    Unset {
        /// The variable.
        name: String,
    },
}

variants!(EnvOp {
    Set { name, value },
    Prepend { name, value },
    Unset { name },
});

/// One fact for the re-check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A file has this length; links are followed.
    Size {
        /// The file.
        path: String,
        /// Its length.
        bytes: u64,
    },
    /// A small file has exactly this text.
    Content {
        /// The file.
        path: String,
        /// Its text.
        text: String,
    },
    /// The `pyvenv.cfg` of an environment that is moved says this, save for its `command`.
    Settings {
        /// The file.
        path: String,
        /// Its text without the `command`.
        text: String,
    },
}

variants!(Check {
    Size { path, bytes },
    Content { path, text },
    Settings { path, text },
});

/// What is known about an interpreter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The kind of environment.
    pub environment: String,
    /// `declared`, the marker that was found, or `fallback`.
    pub detected_by: String,
    /// `3.13.2`.
    pub python_version: String,
    /// `cpython`, `pypy`, ...
    pub implementation: String,
    /// `sys.prefix`.
    pub prefix: String,
    /// `sys.base_prefix`.
    pub base_prefix: String,
    /// Whether it was built without a GIL.
    pub free_threading: bool,
    /// Further values.
    pub extra: BTreeMap<String, String>,
}

record!(Metadata {
    environment,
    detected_by,
    python_version,
    implementation,
    prefix,
    base_prefix,
    free_threading,
    extra
});

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Self::parse(&text).map_err(|why| format!("`{}`: {why}", path.display()))
    }

    /// Reads the text of one.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse(text)
    }

    /// Its text, with a line for each field.
    pub fn text(&self) -> String {
        format!("{:#}\n", self.tree())
    }

    /// Writes it, unless the file has this content already: then the program is not compiled again.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, self.text().as_bytes()).map(drop)
    }
}
