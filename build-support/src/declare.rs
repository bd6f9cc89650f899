//! Source to declaration: the one parser that the macro and the build script share. It looks at tokens only.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, ItemStruct, Lit, LitStr, Token};

use crate::declaration::{Declaration, PoolDeclaration, Request};

/// Keys of `#[pool(...)]`.
const KEYS: &[&str] = &[
    "adapter",
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

/// Keys of `#[snakepit_pools(...)]`.
const STRUCT_KEYS: &[&str] = &["crate"];

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

/// What `#[snakepit_pools(...)]` itself says.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// The path of the crate `snakepit`, for a program that renames it.
    pub krate: syn::Path,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            krate: syn::parse_quote!(::snakepit),
        }
    }
}

/// Parses what stands in the parentheses of `#[snakepit_pools(...)]`.
///
/// # Errors
/// Every fault, each at its place.
pub fn parse_arguments(tokens: TokenStream) -> Result<Arguments, Vec<syn::Error>> {
    let mut arguments = Arguments::default();
    let settings = Punctuated::<StructSetting, Token![,]>::parse_terminated
        .parse2(tokens)
        .map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    for (index, StructSetting { key, value }) in settings.iter().enumerate() {
        let text = key.to_string();
        if !STRUCT_KEYS.contains(&text.as_str()) {
            let known = STRUCT_KEYS.iter().copied();
            errors.push(unknown(key.span(), "unknown key", &text, known));
        } else if index > 0 && settings.iter().take(index).any(|other| other.key == *key) {
            errors.push(syn::Error::new_spanned(
                key,
                format!("`{key}` is given twice"),
            ));
        } else if let Some(Expr::Path(path)) = value
            && path.qself.is_none()
            && path.attrs.is_empty()
        {
            arguments.krate = path.path.clone();
        } else {
            let message = "write `crate = path`, such as `crate = ::renamed`";
            errors.push(match value {
                Some(value) => syn::Error::new_spanned(value, message),
                None => syn::Error::new_spanned(key, message),
            });
        }
    }
    if errors.is_empty() {
        Ok(arguments)
    } else {
        Err(errors)
    }
}

/// One `key` or `key = value` of `#[snakepit_pools(...)]`.
struct StructSetting {
    key: Ident,
    value: Option<Expr>,
}

impl Parse for StructSetting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        if input.peek(syn::token::Paren) {
            return Err(syn::Error::new(
                key.span(),
                format!("`{key}` takes no parentheses"),
            ));
        }
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { key, value })
    }
}

/// The struct of an item, or why there is none.
///
/// # Errors
/// The attribute stands on something else.
pub fn require_struct(item: &syn::Item) -> Result<&ItemStruct, syn::Error> {
    let what = match item {
        syn::Item::Struct(item) => return Ok(item),
        syn::Item::Enum(item) => (item.enum_token.span(), "an enum"),
        syn::Item::Union(item) => (item.union_token.span(), "a union"),
        syn::Item::Fn(item) => (item.sig.fn_token.span(), "a function"),
        syn::Item::Impl(item) => (item.impl_token.span(), "an `impl` block"),
        syn::Item::Mod(item) => (item.mod_token.span(), "a module"),
        other => (other.span(), "this item"),
    };
    Err(syn::Error::new(
        what.0,
        format!(
            "`#[snakepit_pools]` goes on a struct with named fields, not on {}",
            what.1
        ),
    ))
}

/// Parses one annotated struct.
///
/// # Errors
/// Every fault of the struct and of its attributes, each at its place.
pub fn parse_struct(item: &ItemStruct) -> Result<Declaration, Vec<syn::Error>> {
    let mut errors = Vec::new();
    if !item.generics.params.is_empty() {
        let message = "`#[snakepit_pools]` takes no generic struct: its pools are constants";
        errors.push(syn::Error::new_spanned(&item.generics, message));
    }
    let kind = match &item.fields {
        syn::Fields::Named(_) => None,
        syn::Fields::Unnamed(_) => Some("a tuple struct"),
        syn::Fields::Unit => Some("a unit struct"),
    };
    if let Some(kind) = kind {
        let message =
            format!("`#[snakepit_pools]` goes on a struct with named fields, not on {kind}");
        errors.push(syn::Error::new_spanned(&item.ident, message));
        return Err(errors);
    }
    let mut pools: Vec<PoolDeclaration> = Vec::new();
    for field in &item.fields {
        let attributes: Vec<&Attribute> = field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("pool"))
            .collect();
        let (Some(attribute), Some(name)) = (attributes.first(), &field.ident) else {
            continue;
        };
        if let Some(condition) = field.attrs.iter().find(|attribute| {
            attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
        }) {
            errors.push(syn::Error::new_spanned(
                condition,
                "a pool cannot be conditional: put the condition on the whole struct",
            ));
        }
        if let Some(second) = attributes.get(1) {
            errors.push(syn::Error::new_spanned(
                second,
                "this field has a `#[pool]` already",
            ));
        }
        match parse_pool(name.unraw().to_string(), attribute) {
            Ok(pool) => {
                let constant = pool.constant();
                if constant == "POOLS" || pools.iter().any(|other| other.constant() == constant) {
                    errors.push(syn::Error::new_spanned(
                        name,
                        format!("the constant `{constant}` of this pool exists already: give the field another name"),
                    ));
                }
                pools.push(pool);
            }
            Err(mut faults) => errors.append(&mut faults),
        }
    }
    if pools.is_empty() && errors.is_empty() {
        errors.push(syn::Error::new_spanned(
            &item.ident,
            "no field has `#[pool]`: mark the fields that are pools",
        ));
    }
    if errors.is_empty() {
        Ok(Declaration {
            name: item.ident.unraw().to_string(),
            pools,
        })
    } else {
        Err(errors)
    }
}

/// All annotated structs of a source file; those with faults are left out, since the macro reports them.
///
/// # Errors
/// The file is not Rust.
pub fn parse_file(text: &str) -> Result<Vec<Declaration>, syn::Error> {
    let mut found = Vec::new();
    walk(&syn::parse_file(text)?.items, &mut found);
    Ok(found)
}

fn walk(items: &[syn::Item], found: &mut Vec<Declaration>) {
    for item in items {
        match item {
            syn::Item::Struct(item) => {
                let Some(attribute) = item.attrs.iter().find(|attribute| is_ours(attribute)) else {
                    continue;
                };
                let arguments = match &attribute.meta {
                    syn::Meta::List(list) => list.tokens.clone(),
                    _ => TokenStream::new(),
                };
                if parse_arguments(arguments).is_ok() {
                    found.extend(parse_struct(item));
                }
            }
            syn::Item::Mod(module) => walk(
                module.content.as_ref().map_or(&[], |(_, items)| items),
                found,
            ),
            _ => {}
        }
    }
}

fn is_ours(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "snakepit_pools")
}

/// One `key`, `key = value`, `key(...)` or `key = value(...)`.
struct Setting {
    key: Ident,
    value: Option<Value>,
    arguments: Vec<Argument>,
}

/// What stands behind `=`.
enum Value {
    Word(Ident),
    Literal(Lit),
    List(Vec<LitStr>, Span),
}

/// One part of the parentheses.
enum Argument {
    Text(LitStr),
    Pair {
        name: String,
        span: Span,
        value: Lit,
    },
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) && !input.peek2(Token![=]) {
            return Ok(Self::Text(input.parse()?));
        }
        let (name, span) = if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            (text.value(), text.span())
        } else {
            let word = input.call(Ident::parse_any)?;
            (word.unraw().to_string(), word.span())
        };
        input.parse::<Token![=]>()?;
        Ok(Self::Pair {
            name,
            span,
            value: input.parse()?,
        })
    }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let mut setting = Self {
            key,
            value: None,
            arguments: Vec::new(),
        };
        if input.parse::<Option<Token![=]>>()?.is_some() {
            setting.value = Some(if input.peek(syn::token::Bracket) {
                list(&input.parse()?)?
            } else if input.peek(Lit) {
                Value::Literal(input.parse()?)
            } else {
                Value::Word(input.call(Ident::parse_any)?)
            });
        }
        if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            setting.arguments = Punctuated::<Argument, Token![,]>::parse_terminated(&content)?
                .into_iter()
                .collect();
        }
        Ok(setting)
    }
}

fn list(array: &syn::ExprArray) -> syn::Result<Value> {
    let text = |element: &Expr| match element {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            "a text in quotes is wanted here",
        )),
    };
    Ok(Value::List(
        array.elems.iter().map(text).collect::<syn::Result<_>>()?,
        array.span(),
    ))
}

fn parse_pool(name: String, attribute: &Attribute) -> Result<PoolDeclaration, Vec<syn::Error>> {
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
    if !matches!(key, "environment" | "profile" | "env") && !setting.arguments.is_empty() {
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
            let word = word(setting, "process, thread(threads = N)")?;
            let threaded = choice(word, &["process", "thread"])? == 1;
            let mut threads = 4;
            for argument in &setting.arguments {
                match argument {
                    Argument::Pair { name, value, .. } if threaded && name == "threads" => {
                        threads = number(value, 1024)?
                    }
                    _ => {
                        return Err(syn::Error::new_spanned(
                            word,
                            "write `process` or `thread(threads = N)`",
                        ));
                    }
                }
            }
            request.threads = threaded.then_some(threads);
        }
        "python" => request.python = Some(text(setting)?.value()),
        "adapter" => {
            let module = text(setting)?;
            if let Some(name) = module.value().strip_suffix(".py") {
                let name = name.replace('/', ".");
                return Err(syn::Error::new_spanned(
                    module,
                    format!(
                        "an adapter is a module, not a file: write `{name}`, and its folder in `python_path`"
                    ),
                ));
            }
            if !module.value().split('.').all(is_identifier) {
                return Err(syn::Error::new_spanned(
                    module,
                    "an adapter is the dotted name of a module, such as `service.tools`",
                ));
            }
            request.adapter = Some(module.value());
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

fn environment(pool: &mut PoolDeclaration, setting: &Setting) -> syn::Result<()> {
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

fn word<'a>(setting: &'a Setting, choices: &str) -> syn::Result<&'a Ident> {
    match &setting.value {
        Some(Value::Word(word)) => Ok(word),
        _ => Err(syn::Error::new_spanned(
            &setting.key,
            format!("`{}` is one of {choices}", setting.key),
        )),
    }
}

fn choice(word: &Ident, choices: &[&str]) -> syn::Result<usize> {
    let text = word.to_string();
    choices
        .iter()
        .position(|choice| *choice == text)
        .ok_or_else(|| unknown(word.span(), "unknown value", &text, choices.iter().copied()))
}

fn literal(setting: &Setting) -> syn::Result<&Lit> {
    match &setting.value {
        Some(Value::Literal(literal)) => Ok(literal),
        _ => Err(syn::Error::new_spanned(
            &setting.key,
            format!("write `{} = value`", setting.key),
        )),
    }
}

fn text(setting: &Setting) -> syn::Result<&LitStr> {
    match literal(setting)? {
        Lit::Str(text) => Ok(text),
        other => Err(syn::Error::new_spanned(
            other,
            "a text in quotes is wanted here",
        )),
    }
}

fn number(literal: &Lit, most: u32) -> syn::Result<u32> {
    match literal {
        Lit::Int(number) => number
            .base10_parse()
            .ok()
            .filter(|number| (1..=most).contains(number)),
        _ => None,
    }
    .ok_or_else(|| {
        syn::Error::new_spanned(literal, format!("a number from 1 to {most} is wanted here"))
    })
}

/// `500ms`, `30s`, `2m` or `1h`, in milliseconds.
fn duration(text: &LitStr) -> syn::Result<u64> {
    let value = text.value();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = value.split_at(digits);
    let factor = match unit.trim() {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let count = count.parse::<u64>().ok().filter(|count| *count > 0);
    count
        .zip(factor)
        .and_then(|(count, factor)| count.checked_mul(factor))
        .ok_or_else(|| {
            syn::Error::new_spanned(
                text,
                "a duration such as `500ms`, `30s`, `2m` or `1h` is wanted here",
            )
        })
}

fn unknown<'a>(
    span: Span,
    what: &str,
    found: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> syn::Error {
    let hint = nearest(found, known.clone())
        .map(|name| format!("did you mean `{name}`? "))
        .unwrap_or_default();
    let known: Vec<&str> = known.collect();
    syn::Error::new(
        span,
        format!(
            "{what} `{found}`\nhelp: {hint}known are {}",
            known.join(", ")
        ),
    )
}

/// Whether Python takes it for a name; its keywords are left to Python.
fn is_identifier(part: &str) -> bool {
    !part.starts_with(|c: char| c.is_ascii_digit())
        && !part.is_empty()
        && part.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// The known name that is at most two changes away.
fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (distance(found, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, name)| name)
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

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
            (request.threads, request.size, request.queue_limit),
            (Some(8), 3, 7)
        );
        assert_eq!(
            (request.startup_timeout_ms, request.execute_timeout_ms),
            (120_000, 500)
        );
        assert_eq!(request.env["B-C"], "2");
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
    fn generic_structs_and_structs_without_a_pool_are_refused() {
        let generic: ItemStruct = syn::parse_str("struct C<T> { #[pool] ml: T }").unwrap();
        assert!(parse_struct(&generic).is_err());
        let empty: ItemStruct = syn::parse_str("struct C { listen: String }").unwrap();
        assert!(parse_struct(&empty).is_err());
    }

    #[test]
    fn tuple_and_unit_structs_enums_and_unions_are_refused_by_name() {
        for (source, what) in [
            ("struct C(#[pool] PoolConfig);", "a tuple struct"),
            ("struct C;", "a unit struct"),
            ("enum C { #[pool] Ml }", "an enum"),
            ("union C { #[pool] ml: u8 }", "a union"),
            ("fn c() {}", "a function"),
        ] {
            let item: syn::Item = syn::parse_str(source).unwrap();
            let error = match require_struct(&item) {
                Ok(item) => parse_struct(item).unwrap_err().remove(0),
                Err(error) => error,
            };
            let error = error.to_string();
            assert!(
                error.contains("goes on a struct") && error.contains(what),
                "{error}"
            );
        }
    }

    #[test]
    fn pools_whose_constants_collide_are_refused() {
        for fields in [
            "#[pool] ml: PoolConfig, #[pool] ML: PoolConfig",
            "#[pool] pools: PoolConfig",
        ] {
            let item: ItemStruct = syn::parse_str(&format!("struct C {{ {fields} }}")).unwrap();
            let error = parse_struct(&item).unwrap_err().remove(0).to_string();
            assert!(error.contains("exists already"), "{error}");
        }
    }

    #[test]
    fn the_attribute_itself_takes_the_path_of_the_crate_and_nothing_else() {
        let arguments = |text: &str| {
            parse_arguments(text.parse().unwrap())
                .map(|arguments| arguments.krate.to_token_stream().to_string())
                .map_err(|mut errors| errors.remove(0).to_string())
        };
        assert_eq!(arguments("").unwrap(), ":: snakepit");
        assert_eq!(
            arguments("crate = crate::reexport").unwrap(),
            "crate :: reexport"
        );
        let error = arguments("crat = ::renamed").unwrap_err();
        assert!(
            error.contains("did you mean `crate`?") && error.contains("known are crate"),
            "{error}"
        );
        for wrong in ["anchor = exe", "anchor = env(\"APP_ROOT\")"] {
            let error = arguments(wrong).unwrap_err();
            assert!(error.contains("unknown key `anchor`"), "{error}");
        }
        for wrong in ["crate", "crate = \"renamed\"", "crate = 1"] {
            let error = arguments(wrong).unwrap_err();
            assert!(error.contains("write `crate = path`"), "{error}");
        }
        assert!(
            arguments("crate = ::a, crate = ::b")
                .unwrap_err()
                .contains("twice")
        );
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

    #[test]
    fn structs_in_modules_of_a_file_are_found() {
        let found = parse_file("mod a { mod b { #[snakepit::snakepit_pools] struct C { #[pool] r#type: PoolConfig } } }").unwrap();
        assert_eq!(found[0].pools[0].name, "type");
    }
}
