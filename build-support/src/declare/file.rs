//! The annotated structs of a source file.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ItemStruct;

use super::{parse_item, parse_struct};
use crate::declaration::Declaration;

/// All annotated structs of a source file, wherever they stand: in modules, in functions and in what other macros are
/// given. What is wrong with them is the macro's to report.
///
/// # Errors
/// The file is not Rust.
pub fn parse_file(text: &str) -> Result<Vec<Declaration>, syn::Error> {
    let mut found = Vec::new();
    // No recursion: the compiler, too, takes sources that nest deeper than this thread's stack would hold.
    let mut open = vec![Trees::of(TokenStream::from_str(text)?)];
    while let Some(trees) = open.last_mut() {
        let index = trees.next;
        trees.next += 1;
        if trees.attribute(index).is_some_and(is_ours) {
            let (item, end) = trees.item(index);
            found.extend(item.ok().as_ref().map(parse_struct));
            // Its other attributes are its own, but something else may be in its braces.
            trees.next = end.max(index + 1);
            continue;
        }
        match trees.all.get(index) {
            Some(TokenTree::Group(group)) => {
                let inside = Trees::of(group.stream());
                open.push(inside);
            }
            Some(_) => {}
            None => _ = open.pop(),
        }
    }
    Ok(found)
}

/// What stands between two brackets, read up to `next`.
struct Trees {
    all: Vec<TokenTree>,
    next: usize,
}

impl Trees {
    fn of(tokens: TokenStream) -> Self {
        Self {
            all: tokens.into_iter().collect(),
            next: 0,
        }
    }

    /// The attribute whose brackets are at an index.
    fn attribute(&self, end: usize) -> Option<&Group> {
        match self.all.get(end.checked_sub(1)?..=end)? {
            [TokenTree::Punct(mark), TokenTree::Group(group)]
                if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
            {
                Some(group)
            }
            _ => None,
        }
    }

    /// The struct that has the attribute at an index, and where it ends.
    fn item(&self, attribute: usize) -> (syn::Result<ItemStruct>, usize) {
        // It begins with its first attribute, and ends with its fields.
        let mut start = attribute - 1;
        while start >= 2 && self.attribute(start - 1).is_some() {
            start -= 2;
        }
        let rest = &self.all[attribute..];
        let is_end = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(mark) => mark.as_char() == ';',
            _ => false,
        };
        let end = attribute + rest.iter().position(is_end).unwrap_or(rest.len() - 1);
        let item = match parse_item(self.all[start..=end].iter().cloned().collect()) {
            Ok(syn::Item::Struct(item)) => Ok(item),
            Ok(other) => Err(syn::Error::new_spanned(other, "it is no struct")),
            Err(error) => Err(error),
        };
        (item, end)
    }
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

    #[test]
    fn a_source_that_nests_as_deep_as_the_compiler_takes_it_hides_no_pool() {
        let deep = format!("{}1{}", "(".repeat(4000), ")".repeat(4000));
        let text = format!("#[snakepit_pools] struct A {{ #[pool] a: P }} const X: u8 = {deep};");
        assert_eq!(names(&text), ["A"]);
        // Deeper than any struct is: the macro says so.
        let text = format!("#[snakepit_pools] struct A {{ #[pool] a: {deep} }}");
        assert_eq!(names(&text), [""; 0]);
    }
}
