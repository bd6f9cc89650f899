//! One field with `#[pool(...)]`: its settings, one after another.

use std::collections::BTreeMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Lit, Meta};

use super::adapter::adapter;
use super::depth;
use super::environment::{as_option, environment};
use super::mistake::Mistake;
use super::nearest::unknown;
use super::profile::profile;
use super::setting::{Argument, Setting, Settings, Value, as_text};
use super::transport;
use crate::catalogue::Code;
use crate::declaration::{Affinity, PoolDeclaration, Request, Supervision, Transport};
use crate::ordered::Ordered;

/// Keys of `#[pool(...)]`.
const KEYS: &[&str] = &[
    "adapter",
    "affinity",
    "cancel_timeout",
    "env",
    "environment",
    "execute_timeout",
    "heartbeat_timeout",
    "kill_timeout",
    "launch",
    "lenient",
    "max_age",
    "max_memory",
    "max_requests",
    "max_restart_delay",
    "max_restarts",
    "profile",
    "python",
    "python_path",
    "queue_limit",
    "requires",
    "restart_delay",
    "restart_window",
    "server",
    "server_args",
    "session_timeout",
    "shutdown_timeout",
    "size",
    "startup_timeout",
    "transport",
];

pub(super) fn parse_pool(name: String, attribute: &Meta) -> Result<PoolDeclaration, Vec<Mistake>> {
    const HELP: &str = "write `#[pool]` or `#[pool(key = value, ...)]`";
    let settings = match attribute {
        Meta::Path(_) => Punctuated::new(),
        Meta::List(list) => depth::check(&list.tokens, HELP)
            .and_then(|()| {
                list.parse_args_with(Settings::parse_terminated)
                    .map_err(|error| Mistake::syntax(&error, HELP))
            })
            .map_err(|mistake| vec![mistake])?,
        Meta::NameValue(pair) => {
            let message = "`pool` takes its settings in parentheses";
            return Err(vec![Mistake::new(
                pair,
                Code::AttributeInvalid,
                message,
                HELP,
            )]);
        }
    };
    let mut pool = PoolDeclaration {
        name: name.clone(),
        field: 0,
        conditions: Vec::new(),
        request: Request::new(name),
        spans: [("pool".to_owned(), attribute.path().span())]
            .into_iter()
            .ordered(),
    };
    let mut mistakes = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for setting in &settings {
        let key = setting.key.unraw().to_string();
        mistakes.extend(setting.colons());
        if seen.contains(&key) {
            mistakes.push(Mistake::repeated(setting.key.span(), &key));
        } else if let Err(mistake) = apply(&mut pool, &key, setting, &settings, &mut mistakes) {
            mistakes.push(mistake);
        }
        seen.push(key);
    }
    transport::settle(&mut pool, &mut mistakes);
    if mistakes.is_empty() {
        Ok(pool)
    } else {
        Err(mistakes)
    }
}

/// Reads one setting. What does not keep the rest of it from being read goes to `mistakes`.
fn apply(
    pool: &mut PoolDeclaration,
    key: &str,
    setting: &Setting,
    settings: &Settings,
    mistakes: &mut Vec<Mistake>,
) -> Result<(), Mistake> {
    if !KEYS.contains(&key) {
        return Err(unknown_key(key, setting, settings));
    }
    if !matches!(key, "adapter" | "environment" | "profile" | "env")
        && !setting.arguments.is_empty()
    {
        let message = format!("`{key}` takes no parentheses");
        let help = format!("write `{key} = ...`");
        return Err(Mistake::new(
            &setting.key,
            Code::AttributeInvalid,
            message,
            help,
        ));
    }
    let request = &mut pool.request;
    match key {
        "environment" => environment(pool, setting, mistakes),
        "launch" => {
            let (is_manager, span) = setting.choice(&[("direct", false), ("manager", true)])?;
            request.manager_launch = is_manager;
            pool.spans.insert("launch".to_owned(), span);
        }
        "profile" => {
            request.profile = profile(setting)?;
            if let Some(Value::Word(word)) = &setting.value {
                pool.spans.insert(key.to_owned(), word.span());
            }
        }
        "python" => request.python = Some(setting.text("\">=3.11\"")?.value()),
        "adapter" => {
            let (adapter, span) = adapter(setting)?;
            request.adapter = Some(adapter);
            pool.spans.insert("adapter".to_owned(), span);
        }
        "requires" => request.requires = list(&mut pool.spans, key, setting, mistakes)?,
        "transport" => {
            let choices = [("sockets", Transport::Sockets), ("grpc", Transport::Grpc)];
            let (transport, span) = setting.choice(&choices)?;
            request.transport = transport;
            pool.spans.insert(key.to_owned(), span);
        }
        "server" => request.server = Some(setting.text("\"path/grpc_server.py\"")?.value()),
        "server_args" => request.server_args = list(&mut pool.spans, key, setting, mistakes)?,
        "python_path" => request.python_path = list(&mut pool.spans, key, setting, mistakes)?,
        "env" => variables(request, setting, mistakes)?,
        "size" => request.size = setting.number(1024)?,
        "queue_limit" => request.queue_limit = setting.number(u32::MAX)?,
        "startup_timeout" => request.startup_timeout_ms = setting.duration()?,
        "execute_timeout" => request.execute_timeout_ms = setting.duration()?,
        "affinity" => {
            let choices = [
                ("hint", Affinity::Hint),
                ("strict_queue", Affinity::StrictQueue),
                ("strict_fail_fast", Affinity::StrictFailFast),
            ];
            request.affinity = setting.choice(&choices)?.0;
        }
        "lenient" => request.lenient = setting.flag()?,
        "session_timeout" => request.session_timeout_ms = setting.duration()?,
        "cancel_timeout" => request.cancel_timeout_ms = setting.duration()?,
        "shutdown_timeout" => request.shutdown_timeout_ms = setting.duration()?,
        _ => supervision(&mut request.supervision, key, setting, settings)?,
    }
    if let Some(Value::Literal(literal)) = &setting.value {
        pool.spans.insert(key.to_owned(), literal.span());
    }
    Ok(())
}

/// One of the keys that say when workers are replaced, and how they are ended.
fn supervision(
    values: &mut Supervision,
    key: &str,
    setting: &Setting,
    settings: &Settings,
) -> Result<(), Mistake> {
    match key {
        "restart_delay" => values.restart_delay_ms = setting.duration()?,
        "max_restart_delay" => values.max_restart_delay_ms = setting.duration()?,
        "max_restarts" => values.max_restarts = setting.number(u32::MAX)?,
        "restart_window" => values.restart_window_ms = setting.duration()?,
        "max_requests" => values.max_requests = Some(setting.number(u32::MAX)?),
        "max_age" => values.max_age_ms = Some(setting.duration()?),
        "max_memory" => values.max_memory = Some(setting.memory()?),
        "heartbeat_timeout" => values.heartbeat_timeout_ms = Some(setting.duration()?),
        "kill_timeout" => values.kill_timeout_ms = setting.duration()?,
        _ => return Err(unknown_key(key, setting, settings)),
    }
    Ok(())
}

fn unknown_key(key: &str, setting: &Setting, settings: &Settings) -> Mistake {
    let message = format!("unknown key `{key}`");
    let (span, code) = (setting.key.span(), Code::KeyUnknown);
    match as_option(key, &setting.quoted(), settings) {
        Some(help) => Mistake::at(span, code, message, help),
        None => unknown(span, code, &message, key, KEYS.iter().copied()),
    }
}

/// The texts of a list, each with its place.
fn list(
    spans: &mut BTreeMap<String, Span>,
    key: &str,
    setting: &Setting,
    mistakes: &mut Vec<Mistake>,
) -> Result<Vec<String>, Mistake> {
    let help = format!("write `{key} = [\"...\"]`");
    let list = match &setting.value {
        Some(Value::List(list)) => list,
        Some(Value::Literal(literal @ Lit::Str(text))) => {
            let help = format!("write `{key} = [{:?}]`", text.value());
            return Err(Mistake::value(literal, "a list of texts", help));
        }
        _ => return Err(setting.misshapen(&help)),
    };
    spans.insert(key.to_owned(), list.span);
    let mut texts = Vec::new();
    for (index, element) in list.elements.iter().enumerate() {
        spans.insert(format!("{key}:{index}"), element.span());
        match as_text(element) {
            Some(text) => texts.push(text.value()),
            None => mistakes.push(Mistake::value(element, "a text in quotes", &help)),
        }
    }
    Ok(texts)
}

fn variables(
    request: &mut Request,
    setting: &Setting,
    mistakes: &mut Vec<Mistake>,
) -> Result<(), Mistake> {
    const HELP: &str = "write `env(NAME = \"value\")`";
    if setting.value.is_some() || setting.arguments.is_empty() {
        return Err(setting.misshapen(HELP));
    }
    for argument in &setting.arguments {
        let (name, span, value) = match argument {
            Argument::Pair {
                name, span, value, ..
            } => (name, *span, value),
            Argument::Text(text) => {
                mistakes.push(Mistake::value(text, "a variable with a name", HELP));
                continue;
            }
            Argument::Bare(bare) => {
                mistakes.push(Mistake::value(bare, "a variable with a name", HELP));
                continue;
            }
        };
        let Some(text) = as_text(value) else {
            mistakes.push(Mistake::value(value, "a text in quotes", HELP));
            continue;
        };
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = "no environment variable can have this name";
            let help = "write one without `=` and NUL";
            mistakes.push(Mistake::at(span, Code::ValueInvalid, message, help));
        } else if text.value().contains('\0') {
            let message = "no environment variable can have this value";
            let help = "write one without NUL";
            mistakes.push(Mistake::new(text, Code::ValueInvalid, message, help));
        } else if request.env.insert(name.clone(), text.value()).is_some() {
            mistakes.push(Mistake::repeated(span, name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use syn::DeriveInput;

    use super::*;
    use crate::declaration::Profile;
    use crate::declare::parse_struct;
    use crate::declare::tests::request as parsed;

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
    fn supervision_is_read_and_what_is_not_said_is_the_default() {
        let request = parsed(
            "#[pool(restart_delay = \"1s\", max_restart_delay = \"1m\", max_restarts = 3, restart_window = \"1h\",
              max_requests = 1000, max_age = \"2h\", max_memory = \"2GiB\", heartbeat_timeout = \"30s\",
              kill_timeout = \"50ms\")]",
        )
        .unwrap();
        let wanted = Supervision {
            restart_delay_ms: 1_000,
            max_restart_delay_ms: 60_000,
            max_restarts: 3,
            restart_window_ms: 3_600_000,
            max_requests: Some(1000),
            max_age_ms: Some(7_200_000),
            max_memory: Some(2 << 30),
            heartbeat_timeout_ms: Some(30_000),
            kill_timeout_ms: 50,
        };
        assert_eq!(request.supervision, wanted);
        assert_eq!(
            parsed("#[pool]").unwrap().supervision,
            Supervision::default()
        );
        let error = parsed("#[pool(max_memory = \"a lot\")]").unwrap_err();
        assert!(error.contains("write `max_memory = \"512MiB\"`"), "{error}");
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
        for (foreign, help) in [
            ("pipenv", "write `environment = venv(venv_path = \"...\")`"),
            ("micromamba", "write `environment = conda(...)`"),
            (
                "podman",
                "write `environment = docker(..., engine = \"podman\")`",
            ),
        ] {
            let error = parsed(&format!("#[pool(environment = {foreign})]")).unwrap_err();
            assert!(
                error.contains(help) && error.contains("known are system"),
                "{error}"
            );
        }
        let error = parsed("#[pool(environment = venv(path = \"x\"))]").unwrap_err();
        assert!(error.contains("known are venv_path"), "{error}");
        assert!(
            parsed("#[pool(environment = \"venv\")]")
                .unwrap_err()
                .contains("without quotes")
        );
    }

    #[test]
    fn the_attributes_page_and_the_guide_tell_of_every_key() {
        let page = include_str!("../../../macros/src/lib.rs");
        let guide = include_str!("../../../docs/guide/src/declarations.md");
        for key in KEYS {
            let is_told = |text: &str| {
                let forms = [" ", "(", "`"].map(|end| format!("`{key}{end}"));
                forms.iter().any(|form| text.contains(form))
            };
            assert!(is_told(page) && is_told(guide), "{key}");
        }
    }

    #[test]
    fn every_known_key_is_read() {
        for key in KEYS {
            // Without a value: whoever reads it says how it is written.
            let error = parsed(&format!("#[pool({key})]")).unwrap_err();
            assert!(!error.contains("[snakepit::key_unknown]"), "{error}");
            assert!(error.contains(&format!("write `{key}")), "{error}");
        }
    }

    #[test]
    fn all_mistakes_of_an_attribute_are_reported() {
        let error = parsed(
            "#[pool(size = 0, startup_timeout = \"soon\", size = 1, launch = \"x\", requires = [\"a\", b, 1],
              environment = venv(a = \"1\", venv_path = 2), env(A = 1, \"B=\" = \"2\"), queue_limit = -1)]",
        )
        .unwrap_err();
        let codes: Vec<&str> = error
            .split("[snakepit::")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(']')?.0))
            .collect();
        let values = |count| vec!["value_invalid"; count];
        let mut wanted = values(2);
        wanted.push("key_repeated");
        wanted.extend(values(3));
        wanted.push("option_unknown");
        wanted.extend(values(4));
        assert_eq!(codes, wanted, "{error}");
    }

    #[test]
    fn what_comes_from_another_notation_is_told_how_it_is_written_here() {
        for (attribute, help) in [
            (
                "environment = venv(\".venv\")",
                "write `venv(venv_path = \".venv\")`",
            ),
            (
                "environment = docker(\"web\")",
                "write `docker(option = \"web\")` with the option that is meant: container_name, cwd",
            ),
            ("environment: venv", "write `environment = venv`"),
            (
                "environment = venv(venv_path: \"a\")",
                "write `venv_path = \"a\"`",
            ),
            ("size: 4, requires: [\"numpy\"]", "write `requires = ...`"),
            ("execute_timeout = 90", "write `execute_timeout = \"90s\"`"),
            ("environment = custom(nix)", "write `custom(\"nix\")`"),
            (
                "environment = venv(venv_path = .venv)",
                "write `venv_path = \".venv\"`",
            ),
            (
                "environment = venv(venv_path = envs/my-app/.venv, )",
                "write `venv_path = \"envs/my-app/.venv\"`",
            ),
            (
                "environment = uv(python_version = 3.12)",
                "write `python_version = \"3.12\"`",
            ),
            ("max_requests = 0", "remove it"),
            ("size = \"4\"", "write `size = 4`"),
            ("size = \"many\"", "write `size = 1`"),
            (
                "python_path = \"python\"",
                "write `python_path = [\"python\"]`",
            ),
            (
                "environment = venv(path = \".venv\")",
                "did you mean `venv_path`?",
            ),
            (
                "adapter = service.tools, size = 2",
                "write `adapter = \"service.tools\"`",
            ),
        ] {
            let error = parsed(&format!("#[pool({attribute})]")).unwrap_err();
            assert!(error.contains(help), "{error}");
        }
    }

    #[test]
    fn an_option_beside_the_environment_is_told_where_it_is_written() {
        for (attribute, help) in [
            (
                "environment = venv, venv_path = \".venv\"",
                "venv(venv_path = \".venv\")",
            ),
            ("venv_path = \".venv\"", "venv(venv_path = \".venv\")"),
            (
                "venv_path = .venv, environment = venv",
                "venv(venv_path = \".venv\")",
            ),
            (
                "environment = system, venv_path",
                "venv(venv_path = \"...\")",
            ),
            (
                "environment = poetry, project_dir = \"ml\"",
                "poetry(project_dir = \"ml\")",
            ),
            ("project_dir = \"ml\"", "auto(project_dir = \"ml\")"),
            (
                "environment = pyenv, python_version = 3.12",
                "pyenv(python_version = \"3.12\")",
            ),
            ("python_version = \"3.12\"", "uv(python_version = \"3.12\")"),
            (
                "environment = docker(image = \"a\"), engine = podman",
                "docker(..., engine = \"podman\")",
            ),
        ] {
            let error = parsed(&format!("#[pool({attribute})]")).unwrap_err();
            let help = format!("[snakepit::key_unknown]\nhelp: write `environment = {help}`");
            assert!(error.contains(&help), "{error}");
            assert!(!error.contains("known are"), "{error}");
        }
    }

    #[test]
    fn what_is_no_list_of_settings_is_told_with_how_to_write_one() {
        for wrong in [
            "#[pool = 1]",
            "#[pool(environment venv)]",
            "#[pool(size(1) = 2)]",
            "#[pool(python(\"3\"))]",
        ] {
            let error = parsed(wrong).unwrap_err();
            assert!(
                error.contains("[snakepit::attribute_invalid]\nhelp: write"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_fault_of_an_option_that_is_not_written_stands_at_the_environment() {
        let item: DeriveInput =
            syn::parse_str("struct C { #[pool(environment = venv)] ml: PoolConfig }").unwrap();
        let declaration = parse_struct(&item);
        let text = |place| declaration.pools[0].span(place).source_text();
        assert_eq!(text("option:venv_path").as_deref(), Some("venv"));
        assert_eq!(text("requires:0").as_deref(), Some("pool"));
    }
}
