//! The annotated structs of a source file.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ItemStruct;
use syn::parse::{ParseStream, Parser};

use super::parse_struct;
use crate::declaration::Declaration;

/// All annotated structs of a source file, wherever they stand: in modules, in functions and in what other macros are
/// given. What is wrong with them is the macro's to report.
///
/// # Errors
/// The file is not Rust.
pub fn parse_file(text: &str) -> Result<Vec<Declaration>, syn::Error> {
    let mut found = Vec::new();
    walk(TokenStream::from_str(text)?, &mut found);
    Ok(found)
}

fn walk(tokens: TokenStream, found: &mut Vec<Declaration>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let attribute = |end: usize| match trees.get(end.checked_sub(1)?..=end)? {
        [TokenTree::Punct(mark), TokenTree::Group(group)]
            if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            Some(group)
        }
        _ => None,
    };
    for (index, tree) in trees.iter().enumerate() {
        if attribute(index).is_some_and(is_ours) {
            // The item begins with its first attribute.
            let mut start = index - 1;
            while start >= 2 && attribute(start - 1).is_some() {
                start -= 2;
            }
            let rest = trees[start..].iter().cloned().collect();
            found.extend(first_struct.parse2(rest).ok().as_ref().map(parse_struct));
        } else if let TokenTree::Group(group) = tree {
            walk(group.stream(), found);
        }
    }
}

/// The struct at the beginning of what follows.
fn first_struct(input: ParseStream<'_>) -> syn::Result<ItemStruct> {
    let item = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(item)
}

/// Whether the attribute's path ends with the macro's name.
fn is_ours(attribute: &Group) -> bool {
    let path = attribute.stream().into_iter();
    let path = path.take_while(|tree| !matches!(tree, TokenTree::Group(_)));
    path.last().is_some_and(|tree| match tree {
        TokenTree::Ident(name) => name == "snakepit_pools",
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let found = parse_file(text).unwrap().into_iter();
        found.map(|declaration| declaration.name).collect()
    }

    #[test]
    fn structs_in_modules_of_a_file_are_found() {
        let found = parse_file("mod a { mod b { #[snakepit::snakepit_pools] struct C { #[pool] r#type: PoolConfig } } }").unwrap();
        assert_eq!(found[0].pools[0].name, "type");
    }

    #[test]
    fn structs_in_functions_and_in_calls_of_macros_are_found() {
        let text = "fn f() { if x { #[derive(Debug)] #[snakepit_pools(crate = a::b)] #[derive(Default)] pub struct A { #[pool] a: P } } }
                    impl T { fn g() { let _ = || { #[snakepit_pools] struct B { #[pool] b: P } }; } }
                    wrap! { #[snakepit_pools] struct C { #[pool] c: P } }
                    #[snakepit_pools] struct A { #[pool] other: P }";
        assert_eq!(names(text), ["A", "B", "C", "A"]);
    }

    #[test]
    fn what_only_mentions_the_attribute_is_no_struct() {
        let text = "use snakepit::snakepit_pools; #[doc = \"#[snakepit_pools] struct A {}\"] struct B { a: u8 }
                    #[snakepit_pools] enum C {} #[other(snakepit_pools)] struct D { #[pool] a: P }";
        assert_eq!(names(text), [""; 0]);
    }
}
