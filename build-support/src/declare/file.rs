//! The annotated structs of a source file.

use proc_macro2::TokenStream;
use syn::Attribute;

use super::{parse_arguments, parse_struct};
use crate::declaration::Declaration;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_in_modules_of_a_file_are_found() {
        let found = parse_file("mod a { mod b { #[snakepit::snakepit_pools] struct C { #[pool] r#type: PoolConfig } } }").unwrap();
        assert_eq!(found[0].pools[0].name, "type");
    }
}
