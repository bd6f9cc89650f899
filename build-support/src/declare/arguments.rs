//! What `#[snakepit_pools(...)]` itself says.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token};

use super::nearest::unknown;

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
pub fn parse_arguments(tokens: TokenStream) -> Result<Arguments, Vec<syn::Error>> {
    let mut arguments = Arguments::default();
    let settings = Punctuated::<StructSetting, Token![,]>::parse_terminated
        .parse2(tokens)
        .map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    for (index, StructSetting { key, value }) in settings.iter().enumerate() {
        let text = key.to_string();
        if !KEYS.contains(&text.as_str()) {
            let known = KEYS.iter().copied();
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

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

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
}
