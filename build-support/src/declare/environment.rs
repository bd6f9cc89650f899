//! `environment = kind(option = "...")`: the kinds that are built, each with its options.

use syn::Ident;
use syn::ext::IdentExt;

use super::mistake::Mistake;
use super::nearest::unknown;
use super::setting::{Argument, Setting, Settings, Value, as_text, value_in_quotes};
use crate::catalogue::Code;
use crate::declaration::PoolDeclaration;

/// What `environment` may be, in the order of the documentation, each with its options. What a custom one takes,
/// nobody knows here.
const KINDS: &[(&str, Option<&[&str]>)] = &[
    ("system", Some(&["python_executable"])),
    (
        "uv",
        Some(&["project_dir", "python_version", "uv_environment"]),
    ),
    ("venv", Some(&["venv_path"])),
    (
        "docker",
        Some(&["container_name", "cwd", "engine", "image", "python_path"]),
    ),
    ("pyenv", Some(&["python_version"])),
    ("poetry", Some(&["project_dir"])),
    (
        "conda",
        Some(&["environment_name", "prefix", "project_dir"]),
    ),
    ("custom", None),
    ("auto", Some(&["project_dir"])),
];

/// What other tools call theirs, and how that is written here.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["hatch", "pdm", "pipenv", "pip", "rye", "virtualenv"],
        "venv(venv_path = \"...\")` with the folder of its virtual environment",
    ),
    (
        &["anaconda", "mamba", "micromamba", "miniconda", "miniforge"],
        "conda(...)` with the environment's name, prefix or project",
    ),
    (
        &["pixi"],
        "conda(prefix = \".pixi/envs/default\")` with the folder of its environment",
    ),
    (
        &["container", "podman"],
        "docker(..., engine = \"podman\")`, or leave out `engine` for Docker's own client",
    ),
    (
        &[
            "asdf",
            "interpreter",
            "local",
            "mise",
            "none",
            "python",
            "python3",
        ],
        "system` for the machine's Python, or `system(python_executable = \"...\")` for another one",
    ),
];

/// A kind that is none, with the one that was meant.
fn unknown_kind(word: &Ident, kind: &str) -> Mistake {
    let message = format!("unknown environment `{kind}`");
    let known = KINDS.iter().map(|(name, _)| *name);
    let code = Code::InvalidPythonEnvironment;
    let foreign = FOREIGN.iter().find(|(names, _)| names.contains(&kind));
    let Some((_, written)) = foreign else {
        return unknown(word.span(), code, &message, kind, known);
    };
    let known: Vec<&str> = known.collect();
    let help = format!(
        "write `environment = {written}; known are {}",
        known.join(", ")
    );
    Mistake::new(word, code, message, help)
}

/// How a text without a name is written as an option.
fn with_name(kind: &str, options: &[&str], text: &str) -> String {
    match options {
        [] => "write `option = \"...\"`".to_owned(),
        [option] => format!("write `{kind}({option} = {text:?})`"),
        options => format!(
            "write `{kind}(option = {text:?})` with the option that is meant: {}",
            options.join(", ")
        ),
    }
}

/// How an option is written that stands beside the environment: as one of the kind that is named there, else of the
/// first that has it.
pub(super) fn as_option(key: &str, value: &str, settings: &Settings) -> Option<String> {
    let named = settings.iter().find(|setting| setting.key == "environment");
    let kind = match named.and_then(|setting| setting.value.as_ref()) {
        Some(Value::Word(word)) => word.unraw().to_string(),
        _ => "auto".to_owned(),
    };
    let mut having = KINDS
        .iter()
        .filter(|(_, options)| options.is_some_and(|options| options.contains(&key)))
        .map(|(name, _)| *name);
    let first = having.clone().next()?;
    let found = having.find(|name| *name == kind).unwrap_or(first);
    let others = named.is_some_and(|setting| !setting.arguments.is_empty() && found == kind);
    let others = if others { "..., " } else { "" };
    Some(format!(
        "write `environment = {found}({others}{key} = {value})`"
    ))
}

pub(super) fn environment(
    pool: &mut PoolDeclaration,
    setting: &Setting,
    mistakes: &mut Vec<Mistake>,
) {
    let invalid = Code::InvalidPythonEnvironment;
    let word = match &setting.value {
        Some(Value::Word(word)) => word,
        Some(Value::Literal(literal)) => {
            let message = "an environment's kind is a word, not a text";
            let help = "write it without quotes, such as `environment = venv`";
            return mistakes.push(Mistake::new(literal, invalid, message, help));
        }
        _ => {
            let message = "`environment` names no kind";
            let help = "write `environment = kind` or `environment = kind(option = \"...\")`";
            return mistakes.push(Mistake::new(&setting.key, invalid, message, help));
        }
    };
    let kind = word.unraw().to_string();
    pool.spans.insert("environment".to_owned(), word.span());
    pool.request.kind.clone_from(&kind);
    let Some((_, options)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        return mistakes.push(unknown_kind(word, &kind));
    };
    for argument in &setting.arguments {
        match (argument, *options) {
            (Argument::Bare(bare), options) => {
                // An option without a value is a mistake of its own, once it has one.
                let written = |text: &str| match options {
                    Some([option]) => format!("{kind}({option} = {text})"),
                    Some(_) => format!("{kind}(option = {text})"),
                    None => format!("{kind}({text})"),
                };
                mistakes.push(Mistake::bare(bare, &written));
                if options.is_none() && pool.request.custom.is_none() {
                    return;
                }
            }
            (Argument::Text(text), None) if pool.request.custom.is_none() => {
                pool.request.custom = Some(text.value());
            }
            (Argument::Text(text), options) => {
                let message = "an option has a name";
                let help = with_name(&kind, options.unwrap_or_default(), &text.value());
                mistakes.push(Mistake::new(text, Code::ValueInvalid, message, help));
            }
            (Argument::Pair { name, span, .. }, Some(options))
                if !options.contains(&name.as_str()) =>
            {
                let message = format!("`{kind}` has no option `{name}`");
                let known = options.iter().copied();
                mistakes.push(unknown(*span, Code::OptionUnknown, &message, name, known));
            }
            (
                Argument::Pair {
                    name, span, value, ..
                },
                _,
            ) => {
                let Some(text) = as_text(value) else {
                    let help = format!("write `{name} = {}`", value_in_quotes(value));
                    mistakes.push(Mistake::value(value, "a text in quotes", help));
                    continue;
                };
                let options = &mut pool.request.options;
                if options.insert(name.clone(), text.value()).is_some() {
                    mistakes.push(Mistake::repeated(*span, name));
                }
                pool.spans.insert(format!("option:{name}"), text.span());
            }
        }
    }
    if kind == "custom" && pool.request.custom.is_none() {
        let message = "`custom` names no environment";
        let help = "write `custom(\"name\")` with the name registered in `build.rs`";
        mistakes.push(Mistake::new(word, invalid, message, help));
    }
}
