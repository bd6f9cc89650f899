//! What `conda activate` would set: found out once, in a shell that knows nothing of the one that builds.
//! <https://docs.conda.io/projects/conda/en/stable/dev-guide/deep-dives/activation.html>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Answer, Host, Program};
use crate::json::{self, Object, Value};
use crate::manifest::EnvOp;
use crate::ordered::{Ordered, Set};
use crate::said::said;
use crate::wire;

/// Longest wait for all activation scripts together.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the programs are that scripts may call.
const SYSTEM_PATH: &str = "/usr/bin:/bin";

/// Stands between the variables before and after the scripts.
const MARK: &[u8] = b"snakepit-activation";

/// `$1` prints the variables; the rest are the scripts. As under conda, a script's status does not matter; one that
/// leaves the shell never reaches the second half.
const RUN: &str = r#"
__snakepit_env=$1
shift
"$__snakepit_env" -0
printf 'snakepit-activation\0'
for __snakepit_script in "$@"; do . "$__snakepit_script" >&2; done
"$__snakepit_env" -0
"#;

/// What conda writes for a variable that it shall leave alone.
const UNSET: &str = "***unset***";

/// The changes to the environment that activation makes.
pub(super) fn changes(
    prefix: &Path,
    name: &str,
    host: &dyn Host,
) -> Result<Vec<EnvOp>, Diagnostic> {
    let set = |name: &str, value: String| EnvOp::Set {
        name: name.to_owned(),
        value,
    };
    let bin = prefix.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let mut changes = vec![
        EnvOp::Prepend {
            name: "PATH".to_owned(),
            value: bin.display().to_string(),
        },
        set("CONDA_PREFIX", prefix.display().to_string()),
        set("CONDA_DEFAULT_ENV", name.to_owned()),
        set("CONDA_SHLVL", "1".to_owned()),
    ];
    let variables = variables(prefix, host)?;
    changes.extend(
        variables
            .iter()
            .map(|(name, value)| set(name, value.clone())),
    );
    let scripts = scripts(prefix, host);
    if !scripts.is_empty() {
        let effect = effect(&scripts, &changes, &bin, host)?;
        changes.extend(effect);
    }
    Ok(changes)
}

/// The variables that packages and `conda env config vars set` gave to the environment.
fn variables(prefix: &Path, host: &dyn Host) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut variables = BTreeMap::new();
    let files = host.list(&prefix.join("etc/conda/env_vars.d"));
    for file in files.iter().filter(|file| has_extension(file, "json")) {
        let bytes = host.consult(file);
        let bytes = bytes.map_err(|error| unreadable(file, &error))?;
        variables.extend(texts(file, object(file, bytes)?)?);
    }
    let state = prefix.join("conda-meta/state");
    if host.info(&state).is_some() {
        // This one is read as a fact: where it changes, what was frozen is no longer true.
        let bytes = host.read(&state);
        let mut whole = object(&state, bytes.map_err(|error| unreadable(&state, &error))?)?;
        if let Some(Value::Object(own)) = whole.remove("env_vars") {
            variables.extend(texts(&state, own)?);
        }
    }
    Ok(variables
        .into_iter()
        .filter(|(name, text)| text != UNSET && is_name(name))
        .ordered())
}

/// The variables of one file; what is no text is given as JSON has it.
fn texts(file: &Path, variables: Object) -> Result<Vec<(String, String)>, Diagnostic> {
    let text = |(name, value): (String, Value)| {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if text.contains('\0') {
            let why = format!("the value of `{name}` holds NUL, which no variable can");
            return Err(unreadable(file, &why));
        }
        // All managers write the names in capitals, whatever the file says.
        Ok((name.to_uppercase(), text))
    };
    variables.into_iter().map(text).collect()
}

fn object(file: &Path, bytes: Vec<u8>) -> Result<Object, Diagnostic> {
    let text = str::from_utf8(&bytes).map_err(|error| unreadable(file, &error))?;
    let tree = json::parse(text).and_then(wire::object);
    tree.map_err(|why| unreadable(file, &why))
}

fn unreadable(file: &Path, why: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(
        Code::CondaEnvironmentInvalid,
        format!(
            "`{}` cannot be read as variables in a JSON object: {why}",
            file.display()
        ),
        "correct the file, or remove it and set the variables again: `conda env config vars set`",
    )
}

/// The scripts that activation runs, in its order.
fn scripts(prefix: &Path, host: &dyn Host) -> Vec<PathBuf> {
    let mut scripts = host.list(&prefix.join("etc/conda/activate.d"));
    scripts.retain(|path| has_extension(path, "sh") && host.info(path).is_some());
    scripts
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension == wanted)
}

/// What the scripts change beyond what is set already.
fn effect(
    scripts: &[PathBuf],
    set: &[EnvOp],
    bin: &Path,
    host: &dyn Host,
) -> Result<Vec<EnvOp>, Diagnostic> {
    let failed = |why: String| {
        let folder = scripts[0].parent().unwrap_or(bin);
        Diagnostic::new(
            Code::CondaActivationFailed,
            format!(
                "the activation scripts in `{}` did not come to their end: {why}",
                folder.display()
            ),
            "correct the script, or update the package that installed it",
        )
    };
    let (Some(env), Some(shell)) = (
        host.which("env"),
        host.which("bash").or_else(|| host.which("sh")),
    ) else {
        return Err(failed(
            "no `env` and no shell is there to run them".to_owned(),
        ));
    };
    let mut args = vec![
        "-i".to_owned(),
        format!("PATH={}:{SYSTEM_PATH}", bin.display()),
    ];
    if let Some(home) = host
        .variable("HOME")
        .and_then(|home| home.into_string().ok())
    {
        args.push(format!("HOME={home}"));
    }
    for op in set {
        if let EnvOp::Set { name, value } = op {
            args.push(format!("{name}={value}"));
        }
    }
    args.push(shell.display().to_string());
    args.extend(["-c", RUN, "snakepit"].map(str::to_owned));
    args.push(env.display().to_string());
    args.extend(scripts.iter().map(|script| script.display().to_string()));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let answer = host
        .run(&Program::new(&env, &args, LIMIT))
        .map_err(|error| failed(error.to_string()))?;
    let Some((before, after)) = halves(&answer) else {
        let said = said(&String::from_utf8_lossy(&answer.stderr));
        return Err(failed(format!("{}, {said}", answer.status)));
    };
    Ok(difference(&before, &after))
}

/// Whether a shell can set a variable of this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

type Variables = BTreeMap<String, String>;

/// The variables before and after.
fn halves(answer: &Answer) -> Option<(Variables, Variables)> {
    let entries: Vec<&[u8]> = answer.stdout.split(|&byte| byte == 0).collect();
    let mark = entries.iter().position(|entry| *entry == MARK)?;
    let (before, after) = (parsed(&entries[..mark]), parsed(&entries[mark + 1..]));
    (answer.success && !after.is_empty()).then_some((before, after))
}

/// The shell's own variables, its exported functions and what is not UTF-8 are left out.
fn parsed(entries: &[&[u8]]) -> Variables {
    let own = ["_", "PWD", "OLDPWD", "SHLVL", "PS1"];
    entries
        .iter()
        .filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('='))
        .filter(|(name, _)| is_name(name) && !own.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ordered()
}

fn difference(before: &Variables, after: &Variables) -> Vec<EnvOp> {
    let mut changes = Vec::new();
    let prepend = |name: &str, paths: &str, changes: &mut Vec<EnvOp>| {
        for path in paths.split(':').rev().filter(|path| !path.is_empty()) {
            changes.push(EnvOp::Prepend {
                name: name.to_owned(),
                value: path.to_owned(),
            });
        }
    };
    for (name, value) in after {
        let old = before.get(name).map_or("", String::as_str);
        if before.get(name) == Some(value) {
            continue;
        }
        // `X=new:$X`, where nothing or something was in it before: the worker's own value stays behind it.
        match value
            .strip_suffix(old)
            .and_then(|paths| paths.strip_suffix(':'))
        {
            Some(paths) if !paths.is_empty() => prepend(name, paths, &mut changes),
            _ if name == "PATH" => {
                let known: Set<&str> = old.split(':').ordered();
                let new: Vec<&str> = value
                    .split(':')
                    .filter(|path| !known.contains(path))
                    .collect();
                prepend(name, &new.join(":"), &mut changes);
            }
            _ => changes.push(EnvOp::Set {
                name: name.clone(),
                value: value.clone(),
            }),
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    changes.extend(gone.map(|name| EnvOp::Unset { name: name.clone() }));
    changes
}
