//! `#[cfg(...)]` on a pool: whether a build script can tell that the compiler will leave it out.
//! <https://doc.rust-lang.org/cargo/reference/environment-variables.html#environment-variables-cargo-sets-for-build-scripts>

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitBool, Meta, Token};

/// What may stand in the parentheses of `cfg`. A `Meta` cannot be a bare `true` or `false`.
enum Condition {
    Constant(bool),
    Meta(Box<Meta>),
}

impl Parse for Condition {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitBool) {
            return Ok(Self::Constant(input.parse::<LitBool>()?.value));
        }
        Ok(Self::Meta(Box::new(input.parse()?)))
    }
}

/// Whether the condition is certainly false. `variable` gives what Cargo tells a build script. What it does not tell,
/// such as `test` or a `cfg` that a build script sets, leaves the answer open, and the pool is resolved: the macro
/// leaves the last word to the compiler.
pub(crate) fn is_false(condition: &Attribute, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let condition = condition.parse_args::<Condition>();
    condition.is_ok_and(|condition| value(&condition, variable) == Some(false))
}

fn value(condition: &Condition, variable: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    let meta = match condition {
        Condition::Constant(constant) => return Some(*constant),
        Condition::Meta(meta) => &**meta,
    };
    match meta {
        Meta::Path(path) => {
            let name = path.get_ident()?.to_string();
            match name.as_str() {
                // Cargo does not tell these of the profile and the target that are compiled.
                "debug_assertions" | "test" | "doc" | "doctest" | "miri" | "clippy" => None,
                "unix" | "windows" => Some(variable(&told(&name)).is_some()),
                _ => variable(&told(&name)).map(|_| true),
            }
        }
        Meta::NameValue(pair) => {
            let name = pair.path.get_ident()?.to_string();
            let Expr::Lit(ExprLit {
                lit: Lit::Str(wanted),
                ..
            }) = &pair.value
            else {
                return None;
            };
            let wanted = wanted.value();
            if name == "feature" {
                let feature = wanted.to_uppercase().replace('-', "_");
                return Some(variable(&format!("CARGO_FEATURE_{feature}")).is_some());
            }
            let values = variable(&told(&name));
            let is_listed = |values: &String| values.split(',').any(|value| value == wanted);
            match values.as_ref().map(is_listed) {
                Some(false) | None if !name.starts_with("target_") => None,
                listed => Some(listed.unwrap_or(false)),
            }
        }
        Meta::List(list) => {
            let parts = list
                .parse_args_with(Punctuated::<Condition, Token![,]>::parse_terminated)
                .ok()?;
            let mut parts = parts.iter().map(|part| value(part, variable));
            if list.path.is_ident("not") {
                return parts.next()?.map(|part| !part);
            }
            // One part may decide, whatever the others are.
            let decides = !list.path.is_ident("all");
            if decides && !list.path.is_ident("any") {
                return None;
            }
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

/// The variable of a `cfg`.
fn told(name: &str) -> String {
    format!("CARGO_CFG_{}", name.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_linux(condition: &str) -> bool {
        let attributes =
            syn::parse_str::<syn::ItemStruct>(&format!("#[cfg({condition})] struct C;"));
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
