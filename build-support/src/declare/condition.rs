//! `#[cfg(...)]` on a pool: whether a build script can tell that the compiler will leave it out.
//! <https://doc.rust-lang.org/cargo/reference/environment-variables.html#environment-variables-cargo-sets-for-build-scripts>

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Token, parenthesized, token};

/// Whether the condition is certainly false. `variable` gives what Cargo tells a build script. What it does not tell,
/// such as `test` or a `cfg` that a build script sets, leaves the answer open, and the pool is resolved: the macro
/// leaves the last word to the compiler.
pub(crate) fn is_false(condition: &Attribute, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let predicate = condition.parse_args::<Predicate>();
    predicate.is_ok_and(|predicate| predicate.value(variable) == Some(false))
}

/// What stands in `cfg(...)`. <https://doc.rust-lang.org/reference/conditional-compilation.html>
enum Predicate {
    Name(String),
    Equals(String, String),
    List(String, Vec<Predicate>),
}

impl Parse for Predicate {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `true` and `false` are keywords.
        let name = input.call(Ident::parse_any)?.unraw().to_string();
        if input.parse::<Option<Token![=]>>()?.is_some() {
            let value: LitStr = input.parse()?;
            return Ok(Self::Equals(name, value.value()));
        }
        if !input.peek(token::Paren) {
            return Ok(Self::Name(name));
        }
        let content;
        parenthesized!(content in input);
        let parts = Punctuated::<Self, Token![,]>::parse_terminated(&content)?;
        Ok(Self::List(name, parts.into_iter().collect()))
    }
}

impl Predicate {
    fn value(&self, variable: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
        match self {
            Self::Name(name) => match name.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                // Cargo does not tell these of the profile and the target that are compiled.
                "debug_assertions" | "test" | "doc" | "doctest" | "miri" | "clippy" => None,
                "unix" | "windows" => Some(variable(&told(name)).is_some()),
                _ => variable(&told(name)).map(|_| true),
            },
            Self::Equals(name, wanted) if name == "feature" => {
                let feature = wanted.to_uppercase().replace('-', "_");
                Some(variable(&format!("CARGO_FEATURE_{feature}")).is_some())
            }
            Self::Equals(name, wanted) => {
                let values = variable(&told(name));
                let is_listed = |values: &String| values.split(',').any(|value| value == wanted);
                match values.as_ref().map(is_listed) {
                    Some(false) | None if !name.starts_with("target_") => None,
                    listed => Some(listed.unwrap_or(false)),
                }
            }
            Self::List(name, parts) => {
                let mut parts = parts.iter().map(|part| part.value(variable));
                // One part may decide, whatever the others are.
                let decides = match name.as_str() {
                    "not" => return parts.next()?.map(|part| !part),
                    "all" => false,
                    "any" => true,
                    _ => return None,
                };
                let parts: Vec<_> = parts.collect();
                if parts.contains(&Some(decides)) {
                    Some(decides)
                } else if parts.contains(&None) {
                    None
                } else {
                    Some(!decides)
                }
            }
        }
    }
}

/// The variable of a `cfg`.
fn told(name: &str) -> String {
    format!("CARGO_CFG_{}", name.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_linux(condition: &str) -> bool {
        let attributes =
            syn::parse_str::<syn::DeriveInput>(&format!("#[cfg({condition})] struct C;"));
        let variable = |name: &str| match name {
            "CARGO_CFG_UNIX" | "CARGO_FEATURE_GPU_TWO" => Some(String::new()),
            "CARGO_CFG_TARGET_OS" => Some("linux".to_owned()),
            "CARGO_CFG_TARGET_FEATURE" => Some("fxsr,sse".to_owned()),
            "CARGO_CFG_TOKIO_UNSTABLE" | "CARGO_CFG_DEBUG_ASSERTIONS" => Some(String::new()),
            _ => None,
        };
        is_false(&attributes.unwrap().attrs[0], &variable)
    }

    #[test]
    fn what_cargo_tells_of_target_and_features_disables_a_pool() {
        for off in [
            "windows",
            "not(unix)",
            "target_os = \"macos\"",
            "target_feature = \"avx\"",
            "feature = \"other\"",
            "all(unix, feature = \"other\", test)",
            "any(windows, not(feature = \"gpu-two\"))",
            "false",
            "not(true)",
            "not(tokio_unstable)",
        ] {
            assert!(on_linux(off), "{off}");
        }
    }

    #[test]
    fn what_holds_or_cannot_be_told_leaves_a_pool_to_the_compiler() {
        for open in [
            "unix",
            "feature = \"gpu-two\"",
            "target_feature = \"sse\"",
            "test",
            "not(test)",
            "not(debug_assertions)",
            "my_cfg",
            "my_cfg = \"a\"",
            "any(windows, my_cfg)",
            "all(unix, test)",
            "unheard(of)",
            "=",
            "",
        ] {
            assert!(!on_linux(open), "{open}");
        }
    }
}
