//! What `#[snakepit_pools(...)]` itself says.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, Token};

use super::depth;
use super::mistake::Mistake;
use super::nearest::unknown;
use super::setting::{as_text, written};
use crate::catalogue::Code;

/// Keys of `#[snakepit_pools(...)]`.
const KEYS: &[&str] = &["anchor", "anchor_root", "crate"];

const CRATE: &str = "write `crate = path`, such as `crate = ::renamed`";

const ANCHOR: &str = "write `anchor = exe` for the folder of the program, `anchor = exe(\"..\")` for the one above it, \
                      or `anchor = env(\"APP_ROOT\")` for the folder that a variable names";

const ROOT: &str =
    "write `anchor_root = \"...\"` with the folder, from the package on, that is moved as a whole";

/// What `#[snakepit_pools(...)]` itself says.
#[derive(Clone)]
pub struct Arguments {
    /// The path of the crate `snakepit`, for a program that renames it.
    pub krate: syn::Path,
    /// What tells at start-up where the folder is that paths are kept relative to.
    pub anchor: Option<Anchor>,
    /// The same folder while the program is built, from the package on.
    pub anchor_root: String,
}

/// What tells at start-up where a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The program's own path: its folder, or one that many folders above it.
    Exe {
        /// How many.
        above: usize,
    },
    /// A variable of the environment.
    Env(String),
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            krate: syn::parse_quote!(::snakepit),
            anchor: None,
            anchor_root: ".".to_owned(),
        }
    }
}

/// Parses what stands in the parentheses of `#[snakepit_pools(...)]`.
///
/// # Errors
/// Every fault, each at its place.
pub fn parse_arguments(tokens: TokenStream) -> Result<Arguments, Vec<Mistake>> {
    const HELP: &str = "write `key = value`, such as `anchor = exe`; known are `anchor`, `anchor_root` and `crate`";
    let mut arguments = Arguments::default();
    depth::check(&tokens, HELP).map_err(|mistake| vec![mistake])?;
    let settings = Punctuated::<StructSetting, Token![,]>::parse_terminated
        .parse2(tokens)
        .map_err(|error| vec![Mistake::syntax(&error, HELP)])?;
    let mut mistakes = Vec::new();
    for (index, setting) in settings.iter().enumerate() {
        let key = &setting.key;
        let text = key.to_string();
        if !KEYS.contains(&text.as_str()) {
            let message = format!("unknown key `{text}`");
            let known = KEYS.iter().copied();
            let code = Code::KeyUnknown;
            mistakes.push(unknown(key.span(), code, &message, &text, known));
        } else if settings.iter().take(index).any(|other| other.key == *key) {
            mistakes.push(Mistake::repeated(key.span(), &text));
        } else {
            mistakes.extend(setting.read(&text, &mut arguments).err());
        }
    }
    let root = settings.iter().find(|setting| setting.key == "anchor_root");
    if let Some(root) = root
        && !settings.iter().any(|setting| setting.key == "anchor")
    {
        let message = "an `anchor` that tells at start-up where this folder is";
        mistakes.push(Mistake::value(&root.key, message, ANCHOR));
    }
    if mistakes.is_empty() {
        Ok(arguments)
    } else {
        Err(mistakes)
    }
}

/// One `key` or `key = value` of `#[snakepit_pools(...)]`.
struct StructSetting {
    key: Ident,
    value: Option<TokenStream>,
}

impl Parse for StructSetting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(written(input)?),
            None => None,
        };
        Ok(Self { key, value })
    }
}

impl StructSetting {
    fn read(&self, key: &str, arguments: &mut Arguments) -> Result<(), Mistake> {
        let (wanted, help) = match key {
            "anchor" => ("`exe` or `env(\"...\")`", ANCHOR),
            "anchor_root" => ("a text in quotes", ROOT),
            _ => ("a path", CRATE),
        };
        let Some(value) = &self.value else {
            let message = format!("{wanted} behind `{key}`");
            return Err(Mistake::value(&self.key, &message, help));
        };
        let is_read = match (key, value) {
            ("anchor", value) => anchor(value).map(|anchor| arguments.anchor = Some(anchor)),
            ("anchor_root", value) => as_text(value)
                .map(|text| text.value())
                .filter(|text| !text.is_empty())
                .map(|text| arguments.anchor_root = text),
            (_, value) => Path::parse_mod_style
                .parse2(value.clone())
                .ok()
                .map(|path| arguments.krate = path),
        };
        is_read.ok_or_else(|| Mistake::value(value, wanted, help))
    }
}

/// `exe`, `exe("../..")` or `env("NAME")`.
fn anchor(value: &TokenStream) -> Option<Anchor> {
    let parts = |input: ParseStream<'_>| {
        let word: Ident = input.parse()?;
        let mut argument = None;
        if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            argument = Some(content.parse::<LitStr>()?.value());
        }
        Ok((word, argument))
    };
    let (word, argument) = parts.parse2(value.clone()).ok()?;
    let Some(argument) = argument else {
        return (word == "exe").then_some(Anchor::Exe { above: 0 });
    };
    if word == "exe" {
        let mut steps = argument.trim_end_matches('/').split('/');
        let above = steps.clone().count();
        return steps
            .all(|step| step == "..")
            .then_some(Anchor::Exe { above });
    }
    // What no system takes for the name of a variable.
    let is_name = !argument.is_empty() && !argument.contains(['=', '\0']);
    (word == "env" && is_name).then_some(Anchor::Env(argument))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn arguments(text: &str) -> Result<Arguments, String> {
        let parsed = parse_arguments(text.parse().unwrap());
        parsed.map_err(|mut mistakes| mistakes.remove(0).to_string())
    }

    #[test]
    fn the_attribute_itself_takes_the_path_of_the_crate() {
        let krate = |text| {
            let parsed = arguments(text);
            parsed.map(|arguments| arguments.krate.to_token_stream().to_string())
        };
        assert_eq!(krate("").unwrap(), ":: snakepit");
        assert_eq!(
            krate("crate = crate::reexport").unwrap(),
            "crate :: reexport"
        );
        let error = krate("crat = ::renamed").unwrap_err();
        assert!(
            error.contains("did you mean `crate`?") && error.contains("anchor_root, crate"),
            "{error}"
        );
        for wrong in ["crate", "crate = \"renamed\"", "crate = 1"] {
            let error = krate(wrong).unwrap_err();
            assert!(error.contains("write `crate = path`"), "{error}");
        }
        assert!(
            krate("crate = ::a, crate = ::b")
                .unwrap_err()
                .contains("twice")
        );
    }

    #[test]
    fn the_attribute_itself_takes_what_tells_where_the_program_is() {
        for (text, wanted) in [
            ("anchor = exe", Anchor::Exe { above: 0 }),
            ("anchor = exe(\"..\")", Anchor::Exe { above: 1 }),
            ("anchor = exe(\"../../\")", Anchor::Exe { above: 2 }),
            (
                "anchor = env(\"APP_ROOT\")",
                Anchor::Env("APP_ROOT".to_owned()),
            ),
        ] {
            let parsed = arguments(text).unwrap();
            assert_eq!(parsed.anchor, Some(wanted));
            assert_eq!(parsed.anchor_root, ".");
        }
        let parsed = arguments("anchor = exe, anchor_root = \"bundle\"").unwrap();
        assert_eq!(parsed.anchor_root, "bundle");
    }

    #[test]
    fn an_anchor_that_tells_nothing_is_refused() {
        for wrong in [
            "anchor",
            "anchor = \"exe\"",
            "anchor = program",
            "anchor = exe(\"bin\")",
            "anchor = exe(\"\")",
            "anchor = exe(1)",
            "anchor = exe()",
            "anchor = env(\"\")",
            "anchor = env(\"A=B\")",
            "anchor = env(APP_ROOT)",
            "anchor = env(\"A\", \"B\")",
            "anchor_root = \"bundle\"",
        ] {
            let error = arguments(wrong).map(|_| ()).unwrap_err();
            assert!(error.contains("write `anchor = exe`"), "{wrong}: {error}");
        }
        for wrong in ["\"\"", "bundle"] {
            let wrong = format!("anchor = exe, anchor_root = {wrong}");
            let error = arguments(&wrong).map(|_| ()).unwrap_err();
            assert!(error.contains("write `anchor_root = "), "{error}");
        }
    }
}
