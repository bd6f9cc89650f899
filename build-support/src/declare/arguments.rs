//! What `#[snakepit_pools(...)]` itself says.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token};

use super::depth;
use super::mistake::Mistake;
use super::nearest::unknown;
use crate::catalogue::Code;

/// Keys of `#[snakepit_pools(...)]`.
const KEYS: &[&str] = &["crate"];

/// What `#[snakepit_pools(...)]` itself says.
#[derive(Clone)]
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
pub fn parse_arguments(tokens: TokenStream) -> Result<Arguments, Vec<Mistake>> {
    const HELP: &str = "write `crate = path`, such as `crate = ::renamed`";
    let mut arguments = Arguments::default();
    depth::check(&tokens, HELP).map_err(|mistake| vec![mistake])?;
    let settings = Punctuated::<StructSetting, Token![,]>::parse_terminated
        .parse2(tokens)
        .map_err(|error| vec![Mistake::syntax(&error, HELP)])?;
    let mut mistakes = Vec::new();
    for (index, StructSetting { key, value }) in settings.iter().enumerate() {
        let text = key.to_string();
        if !KEYS.contains(&text.as_str()) {
            let message = format!("unknown key `{text}`");
            let known = KEYS.iter().copied();
            let code = Code::KeyUnknown;
            mistakes.push(unknown(key.span(), code, &message, &text, known));
        } else if settings.iter().take(index).any(|other| other.key == *key) {
            mistakes.push(Mistake::repeated(key.span(), &text));
        } else if let Some(Expr::Path(path)) = value
            && path.qself.is_none()
            && path.attrs.is_empty()
        {
            arguments.krate = path.path.clone();
        } else if let Some(value) = value {
            mistakes.push(Mistake::value(value, "a path", HELP));
        } else {
            mistakes.push(Mistake::value(key, "a path behind `crate`", HELP));
        }
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
    value: Option<Expr>,
}

impl Parse for StructSetting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { key, value })
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn the_attribute_itself_takes_the_path_of_the_crate_and_nothing_else() {
        let arguments = |text: &str| {
            parse_arguments(text.parse().unwrap())
                .map(|arguments| arguments.krate.to_token_stream().to_string())
                .map_err(|mut mistakes| mistakes.remove(0).to_string())
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
}
