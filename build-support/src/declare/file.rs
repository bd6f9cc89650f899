//! The annotated structs of a source file.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::{Attribute, DeriveInput};

use super::{depth, parse_item, parse_struct, require_struct};
use crate::declaration::Declaration;

/// All annotated structs of a source file, wherever they stand: in modules, in functions and in what other macros are
/// given. What is wrong with them is the macro's to report. A `#[cfg(...)]` of the modules and functions around a
/// struct is one of its pools, too; that of `mod name;` stands in another file, which `modules` reads.
///
/// # Errors
/// The file is not Rust.
pub fn parse_file(text: &str) -> Result<Vec<Declaration>, syn::Error> {
    let mut found = Vec::new();
    // No recursion: the compiler, too, takes sources that nest deeper than this thread's stack would hold.
    let mut open = vec![Trees::of(TokenStream::from_str(text)?, Vec::new())];
    while let Some(trees) = open.last_mut() {
        let index = trees.next;
        trees.next += 1;
        if let Some(attribute) = trees.attribute(index) {
            let (condition, is_ours) = (condition(attribute), is_ours(attribute));
            trees.own.extend(condition);
            if is_ours {
                let (item, end) = trees.item(index);
                if let Some(item) = item {
                    let mut declaration = parse_struct(&item);
                    for pool in &mut declaration.pools {
                        pool.conditions.extend(trees.around.iter().cloned());
                    }
                    found.push(declaration);
                }
                // Its other attributes are its own, but something else may be in its braces.
                trees.next = end.max(index + 1);
            }
            continue;
        }
        match trees.all.get(index) {
            Some(TokenTree::Group(group)) if trees.is_inner_attribute(index) => {
                let condition = condition(group);
                trees.around.extend(condition);
            }
            Some(TokenTree::Group(group)) => {
                let around = trees.around.iter().chain(&trees.own).cloned();
                let inside = Trees::of(group.stream(), around.collect());
                if group.delimiter() == Delimiter::Brace {
                    trees.own.clear();
                }
                open.push(inside);
            }
            Some(TokenTree::Punct(mark)) if matches!(mark.as_char(), ';' | ',') => {
                trees.own.clear();
            }
            Some(_) => {}
            None => _ = open.pop(),
        }
    }
    Ok(found)
}

/// What stands between two brackets, read up to `next`.
pub(super) struct Trees {
    pub(super) all: Vec<TokenTree>,
    pub(super) next: usize,
    /// The conditions of what it stands in.
    pub(super) around: Vec<Attribute>,
    /// Those of the item that is being read. Where one ends nobody can tell from tokens alone: rather too early, so
    /// that a pool is left to the compiler, than too late.
    pub(super) own: Vec<Attribute>,
}

impl Trees {
    pub(super) fn of(tokens: TokenStream, around: Vec<Attribute>) -> Self {
        Self {
            all: tokens.into_iter().collect(),
            next: 0,
            around,
            own: Vec::new(),
        }
    }

    /// Whether the brackets at an index are those of `#![...]`.
    pub(super) fn is_inner_attribute(&self, end: usize) -> bool {
        let marks = end
            .checked_sub(2)
            .and_then(|start| self.all.get(start..end));
        matches!(marks, Some([TokenTree::Punct(hash), TokenTree::Punct(mark)])
            if hash.as_char() == '#' && mark.as_char() == '!')
    }

    /// The attribute whose brackets are at an index.
    pub(super) fn attribute(&self, end: usize) -> Option<&Group> {
        match self.all.get(end.checked_sub(1)?..=end)? {
            [TokenTree::Punct(mark), TokenTree::Group(group)]
                if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
            {
                Some(group)
            }
            _ => None,
        }
    }

    /// The struct that has the attribute at an index, if it is one, and where it ends.
    fn item(&self, attribute: usize) -> (Option<DeriveInput>, usize) {
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
        let item = self.all[start..=end].iter().cloned().collect();
        let item = parse_item(item).ok();
        let item = item.filter(|item| require_struct(item).is_ok());
        (item, end)
    }
}

/// Whether it is the macro's, by itself or in `cfg_attr`.
fn is_ours(attribute: &Group) -> bool {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg_attr" => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_comma =
                |tree: &TokenTree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ',');
            tokens.split(is_comma).skip(1).any(is_our_path)
        }
        tokens => is_our_path(tokens),
    }
}

/// Whether a path ends with the macro's name.
fn is_our_path(tokens: &[TokenTree]) -> bool {
    let path = tokens.iter();
    let path = path.take_while(|tree| !matches!(tree, TokenTree::Group(_)));
    matches!(path.last(), Some(TokenTree::Ident(name)) if name == "snakepit_pools")
}

/// The attribute, if it is `#[cfg(...)]`; one that nests too deep is not read.
pub(super) fn condition(attribute: &Group) -> Option<Attribute> {
    let first = attribute.stream().into_iter().next()?;
    let is_condition = matches!(first, TokenTree::Ident(name) if name == "cfg");
    if !is_condition || depth::check(&attribute.stream(), "").is_err() {
        return None;
    }
    let attributes = Attribute::parse_outer.parse2(quote!(# #attribute));
    attributes.ok()?.pop()
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::Meta;

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

    /// The conditions of each pool, as they are written.
    fn conditions(text: &str) -> Vec<Vec<String>> {
        let pools = parse_file(text).unwrap().into_iter();
        let pools = pools.flat_map(|declaration| declaration.pools);
        let text =
            |condition: &Attribute| condition.parse_args::<Meta>().unwrap().to_token_stream();
        pools
            .map(|pool| {
                pool.conditions
                    .iter()
                    .map(|one| text(one).to_string())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn what_stands_around_a_struct_decides_with_it() {
        let pool = "#[snakepit_pools] struct A { #[pool] a: P }";
        let text = format!(
            "#![cfg(a)] #[cfg(b)] use c::{{d, e}}; #[cfg(c)] mod m {{ #![cfg(d)] #[cfg(e)] fn f() {{ {pool} }} {pool} }}
             #[cfg(f)] const G: u8 = 0; {pool} #[cfg(g)] {pool}"
        );
        assert_eq!(
            conditions(&text),
            [
                &["a", "c", "d", "e"][..],
                &["a", "c", "d"],
                &["a"],
                &["g", "a"]
            ]
        );
    }

    #[test]
    fn an_attribute_under_a_condition_is_one_with_that_condition() {
        let text = "#[cfg_attr(a, derive(Debug), snakepit::snakepit_pools)] struct A {
                        #[cfg_attr(b, serde(default), pool(size = 2))] #[cfg(c)] a: P,
                        #[cfg_attr(d, other)] b: P,
                    }
                    #[cfg_attr(snakepit_pools, derive(Debug))] struct B { #[pool] a: P }";
        assert_eq!(conditions(text), [["a", "c", "b"]]);
        assert_eq!(parse_file(text).unwrap()[0].pools[0].request.size, 2);
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
