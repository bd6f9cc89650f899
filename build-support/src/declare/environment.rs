//! `environment = kind(option = "...")`: the kinds that are built, each with its options.

use syn::Lit;
use syn::ext::IdentExt;

use super::nearest::{nearest, unknown};
use super::setting::{Argument, Setting, Value};
use crate::declaration::PoolDeclaration;

/// Kinds that are built, each with its options.
const KINDS: &[(&str, &[&str])] = &[
    ("auto", &["project_dir"]),
    ("conda", &["environment_name", "prefix", "project_dir"]),
    (
        "docker",
        &["container_name", "cwd", "engine", "image", "python_path"],
    ),
    ("poetry", &["project_dir"]),
    ("pyenv", &["python_version"]),
    ("system", &["python_executable"]),
    ("uv", &["project_dir", "python_version", "uv_environment"]),
    ("venv", &["venv_path"]),
];

pub(super) fn environment(pool: &mut PoolDeclaration, setting: &Setting) -> syn::Result<()> {
    let kind_word = match &setting.value {
        Some(Value::Word(word)) => word,
        Some(Value::Literal(literal)) => {
            return Err(syn::Error::new_spanned(
                literal,
                "write the environment's kind without quotes, such as `environment = venv`",
            ));
        }
        _ => {
            return Err(syn::Error::new_spanned(
                &setting.key,
                "write `environment = kind` or `environment = kind(option = \"...\")`",
            ));
        }
    };
    let kind = kind_word.unraw().to_string();
    pool.spans
        .insert("environment".to_owned(), kind_word.span());
    pool.request.kind.clone_from(&kind);
    let options = KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, options)| *options);
    if options.is_none() && kind != "custom" {
        let names = KINDS.iter().map(|(name, _)| *name).chain(["custom"]);
        let hint = nearest(&kind, names)
            .map(|name| format!("did you mean `{name}`? "))
            .unwrap_or_default();
        let message = format!(
            "unknown environment `{kind}` [snakepit::invalid_python_environment]\n\
             help: {hint}environments are system, uv, venv, docker, pyenv, poetry, conda, custom and auto"
        );
        return Err(syn::Error::new_spanned(kind_word, message));
    }
    for argument in &setting.arguments {
        match (argument, options) {
            (Argument::Text(text), None) if pool.request.custom.is_none() => {
                pool.request.custom = Some(text.value())
            }
            (Argument::Pair { name, span, value }, options) => {
                if let Some(options) = options
                    && !options.contains(&name.as_str())
                {
                    let what = format!("`{kind}` has no option");
                    return Err(unknown(*span, &what, name, options.iter().copied()));
                }
                let Lit::Str(value) = value else {
                    return Err(syn::Error::new_spanned(
                        value,
                        "a text in quotes is wanted here",
                    ));
                };
                if pool
                    .request
                    .options
                    .insert(name.clone(), value.value())
                    .is_some()
                {
                    return Err(syn::Error::new(*span, format!("`{name}` is given twice")));
                }
                pool.spans.insert(format!("option:{name}"), value.span());
            }
            (Argument::Text(text), _) => {
                return Err(syn::Error::new_spanned(text, "write `option = \"...\"`"));
            }
        }
    }
    if kind == "custom" && pool.request.custom.is_none() {
        return Err(syn::Error::new_spanned(
            kind_word,
            "write `custom(\"name\")` with the name registered in `build.rs`",
        ));
    }
    Ok(())
}
