//! What an interpreter found behind an adapter's name, and what is wrong with that.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::MOST_SOURCE;
use crate::catalogue::Code;
use crate::declare::{hint, nearest};
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::manifest::Tool;
use crate::wire::{record, tagged};

/// The answer of `inspect.py`.
#[derive(Debug, Clone)]
pub(crate) struct Inspection {
    look: Look,
    facts: Vec<Fact>,
    /// Files of `python_path`, each with the name of Python's own module that it hides.
    hiding: Option<Vec<(String, String)>>,
}

record!(Inspection {
    look,
    facts,
    hiding
});

/// What is there for a program to use, and to be warned of.
#[derive(Debug, Default)]
pub(crate) struct Adapted {
    pub(crate) tools: Vec<Tool>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// A file or folder that decided the answer.
#[derive(Debug, Clone)]
struct Fact {
    path: String,
    /// In bytes.
    length: u64,
    /// In nanoseconds.
    modified: u64,
}

record!(Fact {
    path,
    length,
    modified
});

#[derive(Debug, Clone)]
pub(super) enum Look {
    /// No tools: it is no Python source.
    Found {
        tools: Option<Vec<Tool>>,
    },
    Missing {
        names: Vec<String>,
    },
    Namespace {
        folders: Vec<String>,
    },
    /// The module is there, and the class is not; the classes that are.
    Classless {
        names: Vec<String>,
    },
    Taken,
    Standard,
    TooLarge {
        file: String,
        bytes: u64,
    },
    Unreadable {
        file: String,
        reason: String,
    },
    SyntaxError {
        file: String,
        line: u64,
        column: u64,
        shown: String,
    },
}

tagged!(Look by "kind" {
    "found" => Found { tools },
    "missing" => Missing { names },
    "namespace" => Namespace { folders },
    "classless" => Classless { names },
    "taken" => Taken {},
    "standard" => Standard {},
    "too_large" => TooLarge { file, bytes },
    "unreadable" => Unreadable { file, reason },
    "syntax_error" => SyntaxError { file, line, column, shown },
});

impl Inspection {
    /// What was found without a question to the interpreter.
    pub(super) fn of(look: Look) -> Self {
        Self {
            look,
            facts: Vec::new(),
            hiding: None,
        }
    }

    /// Whether it would be the same now. What was not found may have come anywhere.
    pub(super) fn holds(&self, host: &dyn Host) -> bool {
        let is_there = !matches!(
            self.look,
            Look::Missing { .. } | Look::Namespace { .. } | Look::Taken | Look::Standard
        );
        let is_hiding = |(file, _): &(String, String)| host.info(Path::new(file)).is_some();
        is_there
            && self.facts.iter().all(|fact| fact.holds(host))
            && self.hiding.iter().flatten().all(is_hiding)
    }

    /// Makes its files facts of the build: those that decided the answer, and those that hide others, so that a warning
    /// ends with what it warns of. One that comes later is seen when something else makes the build look: no build can
    /// watch a file that is not there, and to watch its folder would be to watch all that is below, bytecode too.
    pub(super) fn record(&self, host: &dyn Host) {
        let decided = self.facts.iter().map(|fact| &fact.path);
        let hiding = self.hiding.iter().flatten().map(|(file, _)| file);
        for path in decided.chain(hiding) {
            // Asking is recording.
            let _ = host.info(Path::new(path));
        }
    }

    /// The tools with their warnings, or the fault.
    pub(crate) fn tools(self, asked: &Asked<'_>) -> Result<Adapted, Diagnostic> {
        let Asked {
            module, version, ..
        } = asked;
        let fault = match self.look {
            Look::Found { tools } => {
                let hiding = self.hiding.iter().flatten();
                return Ok(Adapted {
                    tools: tools.unwrap_or_default(),
                    warnings: hiding.map(|(file, name)| hidden(file, name)).collect(),
                });
            }
            Look::Missing { names } => asked.not_found(&names),
            Look::Namespace { folders } => Diagnostic::new(
                Code::AdapterWithoutInit,
                format!(
                    "the adapter `{module}` is a folder without `__init__.py`, which has no tools: `{}`",
                    folders.join("`, `")
                ),
                format!("write an `__init__.py` in it, or name a module in it: `{module}.tools`"),
            ),
            Look::Classless { names } => asked.without_class(&names),
            Look::Taken => Diagnostic::new(
                Code::AdapterNameTaken,
                format!(
                    "the adapter's name `{module}` is that of another module, which Python {version} has already"
                ),
                "give its file another name",
            ),
            Look::Standard => Diagnostic::new(
                Code::AdapterNameTaken,
                format!("the adapter `{module}` is a module of Python {version} itself"),
                "name a module of your own, and its folder in `python_path = [\"...\"]`",
            ),
            Look::TooLarge { file, bytes } => too_large(&file, bytes),
            Look::Unreadable { file, reason } => Diagnostic::new(
                Code::AdapterNotReadable,
                format!("Python {version} cannot read the adapter `{module}`: {reason}"),
                format!("mend `{file}`"),
            ),
            Look::SyntaxError {
                file,
                line,
                column,
                shown,
            } => Diagnostic::new(
                Code::AdapterSyntaxError,
                format!(
                    "Python {version} finds a syntax error in the adapter `{module}`: line {line}, column {column}\n{shown}"
                ),
                format!("mend `{file}`"),
            ),
        };
        Err(fault.at("adapter"))
    }
}

impl Fact {
    fn holds(&self, host: &dyn Host) -> bool {
        host.info(Path::new(&self.path)).is_some_and(|info| {
            let since = info
                .modified
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let is_same = |time: Duration| time.as_nanos() == u128::from(self.modified);
            info.len == self.length && since.is_some_and(is_same)
        })
    }
}

/// What was asked for, as messages name it.
pub(crate) struct Asked<'a> {
    pub(crate) module: &'a str,
    pub(crate) class: Option<&'a str>,
    /// The interpreter as a person would start it.
    pub(crate) command: &'a str,
    pub(crate) version: &'a str,
    pub(crate) python_path: &'a [String],
}

impl Asked<'_> {
    fn not_found(&self, names: &[String]) -> Diagnostic {
        let mut message = format!("`{}` finds no module `{}`", self.command, self.module);
        if !self.python_path.is_empty() {
            message.push_str(&format!(", nor does `{}`", self.python_path.join("`, `")));
        }
        let near = nearest(self.module, names.iter().map(String::as_str));
        let near = near.or_else(|| below_folder(self.module, names));
        let hint = hint(near);
        let help = format!(
            "{hint}name its folder in `python_path = [\"...\"]`, or install its package into the environment"
        );
        Diagnostic::new(Code::AdapterNotFound, message, help)
    }

    fn without_class(&self, names: &[String]) -> Diagnostic {
        let class = self.class.unwrap_or_default();
        let message = format!("the adapter `{}` has no class `{class}`", self.module);
        let help = match (nearest(class, names.iter().map(String::as_str)), names) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => {
                "write the class, or name the module alone, whose functions are the tools then"
                    .to_owned()
            }
            (None, names) => format!("name one of its classes: `{}`", names.join("`, `")),
        };
        Diagnostic::new(Code::AdapterClassNotFound, message, help)
    }

    /// The interpreter gave no answer.
    pub(super) fn unanswered(&self, found: &str) -> Diagnostic {
        let Self {
            command, module, ..
        } = self;
        let message = format!("`{command}` did not say what is in the adapter `{module}`: {found}");
        let top = module.split('.').next().unwrap_or_default();
        let help = format!(
            "run `{command} -c \"import ast, json, importlib.util as util; util.find_spec('{top}')\"` to see what is wrong"
        );
        Diagnostic::new(Code::AdapterCheckFailed, message, help).at("adapter")
    }
}

/// The module that is meant where a folder of `python_path` was taken for a package.
fn below_folder<'a>(module: &'a str, names: &[String]) -> Option<&'a str> {
    let dots = module.match_indices('.');
    dots.map(|(index, _)| &module[index + 1..]).find(|rest| {
        let top = rest.split('.').next().unwrap_or_default();
        names.iter().any(|name| name == top)
    })
}

/// The warning of a file that is found before a module of Python itself.
fn hidden(file: &str, name: &str) -> Diagnostic {
    let message =
        format!("`{file}` hides the module `{name}` of Python itself from all that import it");
    Diagnostic::new(Code::StandardModuleHidden, message, "give it another name").at("python_path")
}

/// The fault of a source that is not read.
pub(super) fn too_large(file: &str, bytes: u64) -> Diagnostic {
    let message = format!(
        "the adapter's source `{file}` has {bytes} bytes, and {MOST_SOURCE} are the most that is read"
    );
    let help = "move its data to a file of its own, which it reads when it is imported";
    Diagnostic::new(Code::AdapterTooLarge, message, help).at("adapter")
}
