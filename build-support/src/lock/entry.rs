//! One pool of a lock: its resolution as the manifest has it, with portable paths, and under `declared` what the
//! declaration asked for, as far as it decides what is found.

use super::roots::{self, RootFault, Roots};
use crate::declaration::Request;
use crate::diagnostic::Diagnostic;
use crate::document::Table;
use crate::json::Value;
use crate::manifest::{EnvOp, Resolution};
use crate::ordered::Ordered;
use crate::wire::{self, Read, Written};

/// The key of what the declaration asked for.
const DECLARED: &str = "declared";

/// What the resolver reads of a request. The rest, such as sizes and time limits, is the program's.
const DECIDING: &[&str] = &[
    "adapter",
    "custom",
    "env",
    "kind",
    "manager_launch",
    "options",
    "profile",
    "python",
    "python_path",
    "requires",
];

/// The tables whose keys are paths.
const KEYED_BY_PATH: &[&str] = &["lock_files"];

/// Texts of source code: no paths of a machine.
const VERBATIM: &[&str] = &[DECLARED, "tools"];

/// Where whole paths stand.
const PATHS: &[&str] = &[
    "command",
    "cwd",
    "embedded",
    "path",
    "python_path",
    "site_packages",
];

/// What is wrong with a pool of a lock.
pub(super) enum Fault {
    Invalid(String),
    /// A key's path.
    UnknownKey(String),
    /// A key's path, and what is wrong there.
    Path(String, String),
}

/// What a lock says of a pool.
pub(crate) fn entry(request: &Request, resolution: &Resolution, roots: &Roots) -> Table {
    let mut entry = object(resolution.tree());
    for (name, value) in &mut entry {
        if !VERBATIM.contains(&name.as_str()) {
            let portable = |text: &str| Ok::<_, RootFault>(roots.portable(text));
            // It makes no faults.
            let _ = mapped(name, value, &portable);
        }
    }
    entry.insert(DECLARED.to_owned(), Value::Object(declared(request)));
    without_nothing(entry)
}

/// What decides of a request.
pub(crate) fn declared(request: &Request) -> Table {
    let request = object(request.tree());
    let deciding = request
        .into_iter()
        .filter(|(key, _)| DECIDING.contains(&key.as_str()));
    without_nothing(deciding.ordered())
}

/// The resolution of a pool as it holds on the machine of these roots.
///
/// # Errors
/// A root that this machine does not know. Of an entry that was checked nothing else can be wrong.
pub(crate) fn resolution(entry: &Table, roots: &Roots) -> Result<Resolution, RootFault> {
    let mut entry = entry.clone();
    entry.remove(DECLARED);
    for (name, value) in &mut entry {
        if !VERBATIM.contains(&name.as_str()) {
            mapped(name, value, &|text| roots.here(text))?;
        }
    }
    let mut read = Resolution::read(Value::Object(entry)).map_err(RootFault::Invalid)?;
    // Their texts go to the terminal.
    for warning in &mut read.warnings {
        let (code, message, help) = (warning.code(), warning.message(), warning.help());
        *warning = Diagnostic::custom(code, message, help).at(warning.place());
    }
    Ok(read)
}

/// What can be told of a pool from the package's own files.
pub(crate) struct Sources<'a> {
    pub(crate) request: &'a Request,
    /// The digest of the source that is compiled into the program.
    pub(crate) adapter: Option<String>,
    /// That of a file, if it is there.
    pub(crate) lock_file: &'a dyn Fn(&str) -> Option<String>,
}

impl Sources<'_> {
    /// The entry as the sources have it now; of everything else it says the same.
    pub(crate) fn entry(&self, locked: &Table) -> Table {
        let mut now = locked.clone();
        now.insert(DECLARED.to_owned(), Value::Object(declared(self.request)));
        if let Some(Value::Object(fingerprint)) = now.get_mut("fingerprint") {
            fingerprint.remove("adapter");
            let adapter = self.adapter.iter().cloned();
            fingerprint.extend(adapter.map(|digest| ("adapter".to_owned(), digest.into())));
            if let Some(Value::Object(files)) = fingerprint.get_mut("lock_files") {
                for (path, digest) in files {
                    let is_source = ["{package}/", "{workspace}/"]
                        .iter()
                        .any(|root| path.starts_with(root));
                    if let Some(now) = (self.lock_file)(path).filter(|_| is_source) {
                        *digest = now.into();
                    }
                }
            }
        }
        now
    }
}

/// Whether a pool of a lock can be used: it says everything, and nothing that nobody knows.
pub(super) fn check(entry: &Table) -> Result<(), Fault> {
    let mut own = entry.clone();
    match own.remove(DECLARED) {
        Some(Value::Object(declared)) => {
            if let Some(key) = declared
                .keys()
                .find(|key| !DECIDING.contains(&key.as_str()))
            {
                return Err(Fault::UnknownKey(format!("{DECLARED}.{key}")));
            }
        }
        _ => return Err(Fault::Invalid(format!("missing table `{DECLARED}`"))),
    }
    let own = Value::Object(own);
    let read = Resolution::read(own.clone()).map_err(Fault::Invalid)?;
    // What was read is all that is known: what is not written again stands for nothing.
    let known = read.tree();
    if let Some(key) = unknown("", &own, &known) {
        return Err(Fault::UnknownKey(key));
    }
    for op in &read.env {
        let (EnvOp::Set { name, .. } | EnvOp::Prepend { name, .. } | EnvOp::Unset { name }) = op;
        if name.is_empty() || name.contains('=') {
            let why = format!("no variable can be called `{name}`");
            return Err(Fault::Invalid(why));
        }
    }
    let is_empty = |warning: &Diagnostic| {
        let texts = [warning.code(), warning.message(), warning.help()];
        texts.iter().any(|text| text.is_empty())
    };
    if read.warnings.iter().any(is_empty) {
        return Err(Fault::Invalid("a warning that says nothing".to_owned()));
    }
    for (name, value) in entry {
        if !VERBATIM.contains(&name.as_str()) {
            paths(name, name, value)?;
        }
    }
    Ok(())
}

/// The first key that is not known.
fn unknown(path: &str, value: &Value, known: &Value) -> Option<String> {
    match (value, known) {
        (Value::Object(table), Value::Object(known)) => {
            let mut keys = table.iter();
            keys.find_map(|(key, value)| {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                match known.get(key) {
                    Some(known) => unknown(&path, value, known),
                    None => Some(path),
                }
            })
        }
        (Value::Array(items), Value::Array(known)) => {
            let mut pairs = items.iter().zip(known).enumerate();
            pairs.find_map(|(index, (item, known))| {
                unknown(&format!("{path}[{index}]"), item, known)
            })
        }
        _ => None,
    }
}

/// Looks at every text: `at` is where it stands, `name` the last key of that.
fn paths(at: &str, name: &str, value: &Value) -> Result<(), Fault> {
    let text = |text: &str, is_path: bool| {
        if text.contains('\0') {
            let why = format!("a text at `{at}` has a zero in it, which no program can be given");
            return Err(Fault::Invalid(why));
        }
        let fault = |why| Err(Fault::Path(at.to_owned(), why));
        match roots::check(text) {
            Err(RootFault::Invalid(why)) => fault(why),
            // Nothing is looked up.
            Err(RootFault::Unknown(_)) | Ok(()) if is_path && !roots::is_path(text) => {
                fault(format!("`{text}` is no path from a root or from the top"))
            }
            _ => Ok(()),
        }
    };
    match value {
        Value::String(value) => text(value, PATHS.contains(&name)),
        Value::Array(items) => items.iter().try_for_each(|item| paths(at, name, item)),
        Value::Object(table) => table.iter().try_for_each(|(key, value)| {
            if KEYED_BY_PATH.contains(&name) {
                text(key, true)?;
            }
            paths(&format!("{at}.{key}"), key, value)
        }),
        _ => Ok(()),
    }
}

/// Maps every text.
fn mapped<E>(
    name: &str,
    value: &mut Value,
    map: &dyn Fn(&str) -> Result<String, E>,
) -> Result<(), E> {
    match value {
        Value::String(text) => *text = map(text)?,
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| mapped(name, item, map))?,
        Value::Object(table) => {
            for (key, mut value) in std::mem::take(table) {
                mapped(&key, &mut value, map)?;
                let key = match KEYED_BY_PATH.contains(&name) {
                    true => map(&key)?,
                    false => key,
                };
                table.insert(key, value);
            }
        }
        _ => {}
    }
    Ok(())
}

fn object(value: Value) -> Table {
    wire::object(value).expect("a struct is written as an object")
}

/// TOML has nothing for what is not there.
fn without_nothing(table: Table) -> Table {
    fn clean(value: Value) -> Value {
        match value {
            Value::Object(table) => Value::Object(without_nothing(table)),
            Value::Array(items) => items.into_iter().map(clean).collect(),
            other => other,
        }
    }
    let entries = table.into_iter().filter(|(_, value)| !value.is_null());
    entries.map(|(key, value)| (key, clean(value))).ordered()
}
