//! The user's Python module: its interpreter finds it, reads its source and lists its tools. It is never run.
//!
//! The tools are those that `adopt` of the bridge would take, as far as the source shows them: the functions marked
//! with `@tool` of `snakepit_bridge`, else all public ones; of a class its methods, and those of its bases in the same
//! module. Definitions in an `if` or `try` of the module count, and a function with other decorators counts as it is
//! written. Not listed is what only running the module would tell:
//! functions made by an assignment, a star import or `__getattr__`, those marked in another module, and a name of
//! `@tool(name = ...)` that is no literal.

mod embed;
mod files;
mod inspection;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::cache::Cache;
use crate::declaration::{Adapter, Request};
use crate::diagnostic::Diagnostic;
use crate::environment::Launch;
use crate::host::Host;
use crate::json::{Object, Value};
use crate::manifest::EnvOp;
use crate::ordered::Ordered;
use crate::probe::Interpreter;
use crate::script;

pub(crate) use embed::{Source, read};
use inspection::too_large;
pub(crate) use inspection::{Adapted, Asked, Inspection};

/// The longest source of an adapter, in bytes: reading it takes Python about a hundred times as much memory.
const MOST_SOURCE: u64 = 8 << 20;

/// Longest wait for what Python says of a source of that length.
const LIMIT: Duration = Duration::from_secs(60);

/// The functions of the script; a script that uses them stands below.
pub(crate) const INSPECT: &str = include_str!("inspect.py");

const ASK: &str = "reply(inspect_adapter())\n";

/// Variables of the builder that the runtime takes from its workers.
pub const FOREIGN: &[&str] = &["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"];

/// What the script is asked.
pub(crate) struct Question<'a> {
    module: Option<&'a str>,
    class: Option<&'a str>,
    /// The file to embed, whose source is the standard input.
    embedded: Option<&'a Path>,
    python_path: Vec<&'a str>,
    most: u64,
}

impl<'a> Question<'a> {
    /// As the script reads it.
    ///
    /// # Errors
    /// A path that is no text.
    pub(crate) fn json(&self) -> Result<Object, String> {
        let text = |path: &'a Path| path.to_str().ok_or("the path of the file is not UTF-8");
        let embedded = self.embedded.map(text).transpose()?;
        let fields = [
            ("module", Value::from(self.module)),
            ("class", Value::from(self.class)),
            ("embedded", Value::from(embedded)),
            ("python_path", self.python_path.iter().copied().collect()),
            ("most", Value::from(self.most)),
        ];
        Ok(fields
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .ordered())
    }

    pub(crate) fn new(
        adapter: Option<&'a Adapter>,
        source: Option<&'a Source>,
        python_path: Vec<&'a str>,
    ) -> Self {
        // A file that could not be read has its fault already.
        let is_readable = |adapter: &&Adapter| source.is_some() || !adapter.is_embedded();
        Self {
            module: adapter.filter(is_readable).map(Adapter::module),
            class: adapter.and_then(Adapter::class),
            embedded: source.map(|source| source.file.as_path()),
            python_path,
            most: MOST_SOURCE,
        }
    }
}

/// An interpreter that sees the files of the build machine, and how its workers are started.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) executable: &'a Path,
    pub(crate) launch: &'a Launch,
    pub(crate) python_path: &'a [String],
}

/// The adapter's tools and warnings; `source` is that of an embedded one.
pub(crate) fn check(
    request: &Request,
    adapter: Option<&Adapter>,
    source: Option<&Source>,
    place: Place<'_>,
    probes: &Cache,
    host: &dyn Host,
) -> Result<Adapted, Diagnostic> {
    let folders = place.python_path.iter().map(String::as_str);
    let question = Question::new(adapter, source, folders.collect());
    let Some(module) = question.module else {
        return Ok(Adapted::default());
    };
    let command = place.launch.shown(place.executable);
    let asked = Asked {
        module,
        class: question.class,
        command: &command,
        version: &place.interpreter.version,
        python_path: place.python_path,
    };
    if host.target().is_some() {
        let interpreter = place.interpreter;
        let folders = place.python_path.iter().chain(&interpreter.site_packages);
        let folders: Vec<&String> = folders.chain([&interpreter.standard_library]).collect();
        return adapter.map_or_else(
            || Ok(Adapted::default()),
            |adapter| files::check(adapter, &folders, &asked, host),
        );
    }
    let json = question.json().map_err(|found| asked.unanswered(&found))?;
    let text = Value::Object(json).to_string();
    let env = environment(place.launch, request);
    let ask = || {
        let script = format!("{INSPECT}{ASK}");
        let mut program = place
            .launch
            .program(place.executable, &["-s", "-c", &script, &text]);
        program.env = &env;
        program.input = source.map_or(&[], |source| source.text.as_bytes());
        program.limit = program.limit.max(LIMIT);
        script::ask(&program, host).map_err(|found| asked.unanswered(&found))
    };
    let key = key(&text, &env, source, place, host);
    let inspection: Inspection = probes
        .adapters
        .answer(key, |known| known.holds(host), ask)?;
    inspection.record(host);
    inspection.tools(&asked)
}

/// What a worker's environment is, as far as it decides which modules it finds.
fn environment(launch: &Launch, request: &Request) -> Vec<EnvOp> {
    let mut env = launch.asking_env();
    for name in FOREIGN {
        let is_set = env.iter().any(|op| {
            matches!(op, EnvOp::Set { name: set, .. } | EnvOp::Prepend { name: set, .. } if set == name)
        });
        if !is_set {
            env.push(EnvOp::Unset {
                name: (*name).to_owned(),
            });
        }
    }
    let declared = request.env.iter();
    env.extend(declared.map(|(name, value)| EnvOp::Set {
        name: name.clone(),
        value: value.clone(),
    }));
    env
}

/// Everything that decides the answer, save for the files that it names itself. A module that comes into one of the
/// folders changes the folder's time.
fn key(
    question: &str,
    env: &[EnvOp],
    source: Option<&Source>,
    place: Place<'_>,
    host: &dyn Host,
) -> String {
    let interpreter = place.interpreter;
    let folders = place.python_path.iter().chain(&interpreter.site_packages);
    let times: Vec<Option<u128>> = folders
        .map(|folder| {
            let modified = host.info(&PathBuf::from(folder))?.modified?;
            Some(modified.duration_since(UNIX_EPOCH).ok()?.as_nanos())
        })
        .collect();
    let mut hasher = DefaultHasher::new();
    (INSPECT, source.map(|source| &source.text)).hash(&mut hasher);
    let digest = hasher.finish();
    let (executable, launch) = (place.executable, place.launch);
    format!("{question}|{digest:x}|{interpreter:?}|{executable:?}|{launch:?}|{env:?}|{times:?}")
}
