//! An attribute that stands as it is, or in `#[cfg_attr(condition, ...)]`: then the condition is one of what it makes.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token, parse_quote};

use super::depth;

/// One that was looked for.
pub(super) struct Found {
    pub(super) meta: Meta,
    /// As `#[cfg(...)]`, where there is one.
    pub(super) condition: Option<Attribute>,
}

/// Those whose path is wanted.
pub(super) fn find(attributes: &[Attribute], is_wanted: fn(&Path) -> bool) -> Vec<Found> {
    let metas = attributes.iter().map(|attribute| &attribute.meta);
    metas.flat_map(|meta| inside(meta, is_wanted)).collect()
}

/// The same for one attribute.
pub(super) fn inside(meta: &Meta, is_wanted: fn(&Path) -> bool) -> Vec<Found> {
    if is_wanted(meta.path()) {
        let meta = meta.clone();
        let condition = None;
        return vec![Found { meta, condition }];
    }
    let Some((condition, metas)) = conditional(meta) else {
        return Vec::new();
    };
    let wanted = metas.into_iter().filter(|meta| is_wanted(meta.path()));
    wanted
        .map(|meta| Found {
            meta,
            condition: Some(parse_quote!(#[cfg(#condition)])),
        })
        .collect()
}

/// The attributes `#[cfg(...)]`.
pub(super) fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = Attribute> {
    let attributes = attributes.iter();
    attributes
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
}

/// Whether the attribute is the one of a pool.
pub(super) fn is_pool(path: &Path) -> bool {
    path.is_ident("pool")
}

/// Whether the attribute is that of a struct with pools, by whatever path.
pub(super) fn is_ours(path: &Path) -> bool {
    let last = path.segments.last();
    last.is_some_and(|segment| segment.ident == "snakepit_pools")
}

/// Removes `#[pool]`, which nobody but the macro knows.
pub fn remove_pool(attributes: &mut Vec<Attribute>) {
    attributes.retain_mut(|attribute| {
        if is_pool(attribute.path()) {
            return false;
        }
        let Some((condition, mut metas)) = conditional(&attribute.meta) else {
            return true;
        };
        let before = metas.len();
        metas.retain(|meta| !is_pool(meta.path()));
        if metas.len() == before {
            return true;
        }
        attribute.meta = parse_quote!(cfg_attr(#condition, #(#metas),*));
        !metas.is_empty()
    });
}

/// Of `cfg_attr(condition, ...)` the condition and the rest.
fn conditional(meta: &Meta) -> Option<(TokenStream, Vec<Meta>)> {
    let Meta::List(list) = meta else {
        return None;
    };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    depth::check(&list.tokens, "").ok()?;
    let parts = |input: ParseStream<'_>| {
        let mut condition = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            condition.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![,]>()?;
        let metas = input.call(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        Ok((condition, metas.into_iter().collect()))
    };
    list.parse_args_with(parts).ok()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn of_a_conditional_attribute_only_the_pool_is_removed() {
        for (written, left) in [
            ("#[pool] #[serde(default)]", "#[serde(default)]"),
            (
                "#[cfg_attr(unix, pool(size = 2))] #[cfg(unix)]",
                "#[cfg(unix)]",
            ),
            (
                "#[cfg_attr(unix, pool, serde(default))]",
                "#[cfg_attr(unix, serde(default))]",
            ),
            ("#[cfg_attr(unix, other)]", "#[cfg_attr(unix, other)]"),
        ] {
            let fields = |text: &str| {
                let item =
                    syn::parse_str::<syn::DeriveInput>(&format!("struct C {{ {text} a: u8 }}"));
                crate::declare::require_struct(&item.unwrap())
                    .unwrap()
                    .fields
                    .clone()
            };
            let mut fields_left = fields(written);
            for field in &mut fields_left {
                remove_pool(&mut field.attrs);
            }
            let text = |fields: syn::Fields| fields.to_token_stream().to_string();
            assert_eq!(text(fields_left), text(fields(left)), "{written}");
        }
    }
}
