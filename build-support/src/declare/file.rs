//! The annotated structs of a source file.

use syn::Attribute;

use super::parse_struct;
use crate::declaration::Declaration;

/// All annotated structs of a source file. What is wrong with them is the macro's to report.
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
            syn::Item::Struct(item) if item.attrs.iter().any(is_ours) => {
                found.push(parse_struct(item));
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
