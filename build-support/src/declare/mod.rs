//! Source to declaration: the one parser that the macro and the build script share. It looks at tokens only.
//!
//! Here is the struct; `arguments` reads its own attribute, `pool` that of a field, `environment` the options of a
//! kind, `adapter` the module, and `file` finds the structs of a source file.

mod adapter;
mod arguments;
mod environment;
mod file;
mod nearest;
mod pool;
mod setting;

use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, ItemStruct};

pub use arguments::{Arguments, parse_arguments};
pub use file::parse_file;

pub(crate) use adapter::is_identifier;

use crate::declaration::{Declaration, PoolDeclaration};

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
        match pool::parse_pool(name.unraw().to_string(), attribute) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
