//! One field with `#[pool(...)]`: its settings, one after another.

use std::collections::BTreeMap;

use syn::Attribute;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Lit, LitStr, Token};

use super::adapter::adapter;
use super::environment::environment;
use super::nearest::unknown;
use super::setting::{Argument, Setting, Value, choice, duration, literal, number, text, word};
use crate::declaration::{PoolDeclaration, Profile, Request};

/// Keys of `#[pool(...)]`.
const KEYS: &[&str] = &[
    "adapter",
    "cancel_timeout",
    "env",
    "environment",
    "execute_timeout",
    "launch",
    "profile",
    "python",
    "python_path",
    "queue_limit",
    "requires",
    "shutdown_timeout",
    "size",
    "startup_timeout",
];

pub(super) fn parse_pool(
    name: String,
    attribute: &Attribute,
) -> Result<PoolDeclaration, Vec<syn::Error>> {
    let settings = match &attribute.meta {
        syn::Meta::Path(_) => Punctuated::new(),
        syn::Meta::List(list) => list
            .parse_args_with(Punctuated::<Setting, Token![,]>::parse_terminated)
            .map_err(|error| vec![error])?,
        syn::Meta::NameValue(pair) => {
            return Err(vec![syn::Error::new_spanned(
                pair,
                "write `#[pool]` or `#[pool(key = value)]`",
            )]);
        }
    };
    let mut pool = PoolDeclaration {
        name: name.clone(),
        request: Request::new(name),
        spans: BTreeMap::from([("pool".to_owned(), attribute.path().span())]),
    };
    let mut errors = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for setting in &settings {
        let key = setting.key.unraw().to_string();
        if seen.contains(&key) {
            errors.push(syn::Error::new_spanned(
                &setting.key,
                format!("`{key}` is given twice"),
            ));
        } else if let Err(error) = apply(&mut pool, &key, setting) {
            errors.push(error);
        }
        seen.push(key);
    }
    if errors.is_empty() {
        Ok(pool)
    } else {
        Err(errors)
    }
}

fn apply(pool: &mut PoolDeclaration, key: &str, setting: &Setting) -> syn::Result<()> {
    if !matches!(key, "adapter" | "environment" | "profile" | "env")
        && !setting.arguments.is_empty()
    {
        return Err(syn::Error::new_spanned(
            &setting.key,
            format!("`{key}` takes no parentheses"),
        ));
    }
    let request = &mut pool.request;
    match key {
        "environment" => return environment(pool, setting),
        "launch" => {
            let word = word(setting, "direct, manager")?;
            request.manager_launch = choice(word, &["direct", "manager"])? == 1;
            pool.spans.insert("launch".to_owned(), word.span());
        }
        "profile" => {
            request.profile = profile(setting)?;
        }
        "python" => request.python = Some(text(setting)?.value()),
        "adapter" => {
            let (adapter, span) = adapter(setting)?;
            request.adapter = Some(adapter);
            pool.spans.insert("adapter".to_owned(), span);
        }
        "requires" | "python_path" => {
            let Some(Value::List(texts, span)) = &setting.value else {
                return Err(syn::Error::new_spanned(
                    &setting.key,
                    format!("write `{key} = [\"...\"]`"),
                ));
            };
            for (index, text) in texts.iter().enumerate() {
                pool.spans.insert(format!("{key}:{index}"), text.span());
            }
            pool.spans.insert(key.to_owned(), *span);
            let values = texts.iter().map(LitStr::value).collect();
            *(if key == "requires" {
                &mut request.requires
            } else {
                &mut request.python_path
            }) = values;
            return Ok(());
        }
        "env" => {
            if setting.value.is_some() || setting.arguments.is_empty() {
                return Err(syn::Error::new_spanned(
                    &setting.key,
                    "write `env(NAME = \"value\")`",
                ));
            }
            for argument in &setting.arguments {
                let Argument::Pair {
                    name,
                    span,
                    value: Lit::Str(value),
                } = argument
                else {
                    return Err(syn::Error::new_spanned(
                        &setting.key,
                        "write `env(NAME = \"value\")`",
                    ));
                };
                if name.is_empty() || name.contains(['=', '\0']) || value.value().contains('\0') {
                    return Err(syn::Error::new(
                        *span,
                        "this cannot be an environment variable",
                    ));
                }
                if request.env.insert(name.clone(), value.value()).is_some() {
                    return Err(syn::Error::new(*span, format!("`{name}` is given twice")));
                }
            }
        }
        "size" => request.size = number(literal(setting)?, 1024)?,
        "queue_limit" => request.queue_limit = number(literal(setting)?, u32::MAX)?,
        "startup_timeout" => request.startup_timeout_ms = duration(text(setting)?)?,
        "execute_timeout" => request.execute_timeout_ms = duration(text(setting)?)?,
        "cancel_timeout" => request.cancel_timeout_ms = duration(text(setting)?)?,
        "shutdown_timeout" => request.shutdown_timeout_ms = duration(text(setting)?)?,
        _ => {
            return Err(unknown(
                setting.key.span(),
                "unknown key",
                key,
                KEYS.iter().copied(),
            ));
        }
    }
    if let Some(Value::Literal(literal)) = &setting.value {
        pool.spans.insert(key.to_owned(), literal.span());
    }
    Ok(())
}

fn profile(setting: &Setting) -> syn::Result<Profile> {
    let word = word(
        setting,
        "process, thread(threads = N), async(concurrency = N)",
    )?;
    let (option, mut count, profile): (_, _, fn(u32) -> Profile) =
        match choice(word, &["process", "thread", "async"])? {
            0 => ("", 1, |_| Profile::Process),
            1 => ("threads", 4, Profile::Thread),
            _ => ("concurrency", 64, Profile::Async),
        };
    for argument in &setting.arguments {
        match argument {
            Argument::Pair { name, value, .. } if name == option => count = number(value, 1024)?,
            _ => {
                return Err(syn::Error::new_spanned(
                    word,
                    "write `process`, `thread(threads = N)` or `async(concurrency = N)`",
                ));
            }
        }
    }
    Ok(profile(count))
}

#[cfg(test)]
mod tests {
    use syn::ItemStruct;

    use super::*;
    use crate::declare::parse_struct;

    fn parsed(attribute: &str) -> Result<Request, String> {
        let item: ItemStruct =
            syn::parse_str(&format!("struct C {{ {attribute} ml: PoolConfig }}")).unwrap();
        parse_struct(&item)
            .map(|mut declaration| declaration.pools.remove(0).request)
            .map_err(|errors| {
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n")
            })
    }

    #[test]
    fn a_bare_attribute_means_auto() {
        assert_eq!(parsed("#[pool]").unwrap(), Request::new("ml"));
    }

    #[test]
    fn the_whole_grammar_is_read() {
        let request = parsed(
            "#[pool(environment = venv(venv_path = \"v\"), launch = direct, python = \">=3.9\", requires = [\"a\"],
              adapter = \"a.b\", python_path = [\"p\"], profile = thread(threads = 8), size = 3, env(A = \"1\", \"B-C\" = \"2\"),
              startup_timeout = \"2m\", execute_timeout = \"500ms\", shutdown_timeout = \"1s\", queue_limit = 7)]",
        )
        .unwrap();
        assert_eq!(request.options["venv_path"], "v");
        assert_eq!(
            (request.profile, request.size, request.queue_limit),
            (Profile::Thread(8), 3, 7)
        );
        assert_eq!(
            (request.startup_timeout_ms, request.execute_timeout_ms),
            (120_000, 500)
        );
        assert_eq!(request.env["B-C"], "2");
    }

    #[test]
    fn a_profile_says_how_many_requests_run_at_a_time() {
        let profile = |text: &str| {
            parsed(&format!("#[pool(profile = {text})]")).map(|request| request.profile)
        };
        assert_eq!(profile("process"), Ok(Profile::Process));
        assert_eq!(profile("thread"), Ok(Profile::Thread(4)));
        assert_eq!(profile("async"), Ok(Profile::Async(64)));
        assert_eq!(profile("async(concurrency = 8)"), Ok(Profile::Async(8)));
        for wrong in ["async(threads = 8)", "process(threads = 1)", "thread(8)"] {
            assert!(profile(wrong).is_err(), "{wrong}");
        }
        let error = profile("asink").unwrap_err();
        assert!(error.contains("did you mean `async`?"), "{error}");
    }

    #[test]
    fn slips_name_the_nearest_known_word_and_list_them_all() {
        let error = parsed("#[pool(enviroment = venv)]").unwrap_err();
        assert!(
            error.contains("did you mean `environment`?") && error.contains("queue_limit"),
            "{error}"
        );
        let error = parsed("#[pool(environment = venvv)]").unwrap_err();
        assert!(
            error.contains("did you mean `venv`?") && error.contains("invalid_python_environment"),
            "{error}"
        );
        let error = parsed("#[pool(environment = venv(path = \"x\"))]").unwrap_err();
        assert!(error.contains("known are venv_path"), "{error}");
        assert!(
            parsed("#[pool(environment = \"venv\")]")
                .unwrap_err()
                .contains("without quotes")
        );
    }

    #[test]
    fn all_faults_of_a_struct_are_reported() {
        let error = parsed("#[pool(size = 0, startup_timeout = \"soon\", size = 1)]").unwrap_err();
        assert_eq!(error.lines().count(), 3, "{error}");
    }

    #[test]
    fn a_fault_of_an_option_that_is_not_written_stands_at_the_environment() {
        let item: ItemStruct =
            syn::parse_str("struct C { #[pool(environment = venv)] ml: PoolConfig }").unwrap();
        let declaration = parse_struct(&item).unwrap();
        let text = |place| declaration.pools[0].span(place).source_text();
        assert_eq!(text("option:venv_path").as_deref(), Some("venv"));
        assert_eq!(text("requires:0").as_deref(), Some("pool"));
    }
}
