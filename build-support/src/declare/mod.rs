//! Source to declaration: the one parser that the macro and the build script share. It looks at tokens only.
//!
//! Here is the struct; `arguments` reads its own attribute, `pool` that of a field, `environment` the options of a
//! kind, `adapter` the module, and `file` finds the structs of a source file. `attribute`, `condition` and `modules`
//! tell what the compiler may leave out.

mod adapter;
mod arguments;
mod attribute;
mod condition;
mod depth;
mod environment;
mod file;
mod mistake;
mod modules;
mod nearest;
mod pool;
mod profile;
mod setting;
mod transport;
mod units;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DataStruct, DeriveInput};

pub(crate) use condition::is_false;

pub use arguments::{Anchor, Arguments, parse_arguments};
pub use attribute::remove_pool;
pub use file::parse_file;
pub use mistake::Mistake;
pub use modules::module_conditions;
pub use nearest::{hint, nearest};

pub(crate) use adapter::is_identifier;

use crate::catalogue::Code;
use crate::declaration::{self, Constant, Declaration, PoolDeclaration};

/// The struct that the attribute stands on; an enum or a union is told by [`require_struct`].
///
/// `syn` knows only these without its feature `full`, which would cost the first build of every program a second.
///
/// # Errors
/// It is something else, no Rust, or nests deeper than any struct does: whoever parsed it could run out of its stack.
pub fn parse_item(tokens: TokenStream) -> Result<DeriveInput, syn::Error> {
    if let Some((span, what)) = other_item(tokens.clone()) {
        return Err(misplaced(span, what).into_error());
    }
    let checked = depth::check(&tokens, "write a simpler struct");
    checked.map_err(|mistake| mistake.into_error())?;
    syn::parse2(tokens).map_err(|error| match error.to_string() {
        text if text.starts_with("unsupported expression") => {
            let message = "an expression of this kind is more than the attribute reads";
            let help = "give it a name: `const LENGTH: usize = ...;`";
            Mistake::at(error.span(), Code::StructNotSupported, message, help).into_error()
        }
        _ => error,
    })
}

/// What begins an item that has no fields, and its name.
fn other_item(tokens: TokenStream) -> Option<(Span, &'static str)> {
    let words = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    for word in words {
        let what = match word.to_string().as_str() {
            "struct" | "enum" | "union" => return None,
            "pub" | "unsafe" | "async" | "const" | "extern" => continue,
            "fn" => "a function",
            "impl" => "an `impl` block",
            "mod" => "a module",
            _ => "this item",
        };
        return Some((word.span(), what));
    }
    None
}

/// The struct of an item, or why there is none.
///
/// # Errors
/// The attribute stands on something else.
pub fn require_struct(item: &DeriveInput) -> Result<&DataStruct, Mistake> {
    match &item.data {
        Data::Struct(data) => Ok(data),
        Data::Enum(data) => Err(misplaced(data.enum_token.span, "an enum")),
        Data::Union(data) => Err(misplaced(data.union_token.span, "a union")),
    }
}

fn misplaced(span: Span, what: &str) -> Mistake {
    let message = format!("`#[snakepit_pools]` goes on a struct with named fields, not on {what}");
    let help = "write `struct Name { #[pool] field: PoolConfig }`";
    Mistake::at(span, Code::StructNotSupported, message, help)
}

/// Parses one annotated struct: its pools, and everything that is wrong with it and with its attributes, each at its
/// place. A pool with a mistake is left out, and the others are there.
pub fn parse_struct(item: &DeriveInput) -> Declaration {
    let mut declaration = Declaration {
        name: item.ident.unraw().to_string(),
        pools: Vec::new(),
        constants: Vec::new(),
        unread: Vec::new(),
        mistakes: Vec::new(),
    };
    let Declaration {
        pools,
        constants,
        unread,
        mistakes,
        ..
    } = &mut declaration;
    let data = match require_struct(item) {
        Ok(data) => data,
        Err(mistake) => {
            mistakes.push(mistake);
            return declaration;
        }
    };
    if !item.generics.params.is_empty() {
        let message = "`#[snakepit_pools]` takes no generic struct: its pools are constants";
        let help = "remove the parameters, or keep the pools in a struct of their own";
        mistakes.push(Mistake::new(
            &item.generics,
            Code::StructNotSupported,
            message,
            help,
        ));
    }
    match &data.fields {
        syn::Fields::Named(_) => {}
        syn::Fields::Unnamed(_) => mistakes.push(misplaced(item.ident.span(), "a tuple struct")),
        syn::Fields::Unit => mistakes.push(misplaced(item.ident.span(), "a unit struct")),
    }
    let own = attribute::find(&item.attrs, attribute::is_ours).into_iter();
    let of_struct: Vec<Attribute> = attribute::conditions(&item.attrs)
        .chain(own.filter_map(|found| found.condition))
        .collect();
    let mut has_pools = false;
    for (index, field) in data.fields.iter().enumerate() {
        let attributes = attribute::find(&field.attrs, attribute::is_pool);
        let (Some(attribute), Some(name)) = (attributes.first(), &field.ident) else {
            continue;
        };
        has_pools = true;
        let own: Vec<Attribute> = attribute::conditions(&field.attrs)
            .chain(attribute.condition.clone())
            .collect();
        if let Some(second) = attributes.get(1) {
            let message = "this field has a `#[pool]` already";
            let help = "write all settings into one";
            mistakes.push(Mistake::new(&second.meta, Code::KeyRepeated, message, help));
        }
        let constant = Constant {
            name: declaration::constant(&name.unraw().to_string()),
            field: index,
            conditions: own.clone(),
        };
        if is_taken(&constant, constants) {
            let constant = constant.name;
            let message = format!("the constant `{constant}` of this pool exists already");
            let help = "give the field another name";
            mistakes.push(Mistake::new(name, Code::PoolNameTaken, message, help));
        } else {
            constants.push(constant);
        }
        let conditions = of_struct.iter().cloned().chain(own).collect();
        match pool::parse_pool(name.unraw().to_string(), &attribute.meta) {
            Ok(pool) => pools.push(PoolDeclaration {
                field: index,
                conditions,
                ..pool
            }),
            Err(faults) => {
                unread.push(name.clone());
                mistakes.extend(faults);
            }
        }
    }
    if !has_pools && mistakes.is_empty() {
        let message = "no field has `#[pool]`";
        let help = "mark the fields that are pools";
        mistakes.push(Mistake::new(
            &item.ident,
            Code::PoolNotDeclared,
            message,
            help,
        ));
    }
    declaration
}

/// Of two pools that are conditional each by itself the compiler may leave one out; a condition of their struct leaves
/// out both or none.
fn is_taken(constant: &Constant, others: &[Constant]) -> bool {
    let is_certain = |constant: &Constant| constant.conditions.is_empty();
    constant.name == "POOLS"
        || others
            .iter()
            .any(|other| other.name == constant.name && (is_certain(constant) || is_certain(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::Request;

    /// What the attribute of a pool asks for, or all its mistakes.
    pub(super) fn request(attribute: &str) -> Result<Request, String> {
        let item: DeriveInput =
            syn::parse_str(&format!("struct C {{ {attribute} ml: PoolConfig }}")).unwrap();
        let mut declaration = parse_struct(&item);
        if declaration.mistakes.is_empty() {
            return Ok(declaration.pools.remove(0).request);
        }
        let mistakes = declaration.mistakes.iter().map(ToString::to_string);
        Err(mistakes.collect::<Vec<_>>().join("\n"))
    }

    fn codes(mistakes: &[Mistake]) -> Vec<&str> {
        mistakes
            .iter()
            .map(|mistake| mistake.diagnostic().code())
            .collect()
    }

    #[test]
    fn generic_structs_and_structs_without_a_pool_are_refused() {
        let generic: DeriveInput = syn::parse_str("struct C<T> { #[pool] ml: T }").unwrap();
        assert_eq!(
            codes(&parse_struct(&generic).mistakes),
            ["struct_not_supported"]
        );
        let empty: DeriveInput = syn::parse_str("struct C { listen: String }").unwrap();
        assert_eq!(codes(&parse_struct(&empty).mistakes), ["pool_not_declared"]);
    }

    #[test]
    fn tuple_and_unit_structs_enums_and_unions_are_refused_by_name() {
        for (source, what) in [
            ("struct C(#[pool] PoolConfig);", "a tuple struct"),
            ("struct C;", "a unit struct"),
            ("enum C { #[pool] Ml }", "an enum"),
            ("union C { #[pool] ml: u8 }", "a union"),
            ("fn c() {}", "a function"),
            ("#[inline] pub const unsafe fn c() {}", "a function"),
            ("impl C {}", "an `impl` block"),
            ("pub(crate) mod c;", "a module"),
            ("trait C {}", "this item"),
        ] {
            let error = match parse_item(source.parse().unwrap()) {
                Ok(item) => parse_struct(&item).mistakes.remove(0).to_string(),
                Err(error) => error.to_string(),
            };
            assert!(
                error.contains("goes on a struct") && error.contains(what),
                "{error}"
            );
        }
    }

    /// Another crate of the program may turn on what `syn` needs to read it.
    #[test]
    fn an_expression_that_cannot_be_read_is_told_with_the_way_around_it() {
        let source = "struct C { a: [u8; if X { 1 } else { 2 }], #[pool] ml: PoolConfig }";
        match parse_item(source.parse().unwrap()) {
            Ok(item) => assert_eq!(parse_struct(&item).pools.len(), 1),
            Err(error) => assert!(error.to_string().contains("const LENGTH"), "{error}"),
        }
    }

    #[test]
    fn pools_whose_constants_collide_are_refused() {
        for source in [
            "struct C { #[pool] ml: PoolConfig, #[pool] ML: PoolConfig }",
            "struct C { #[cfg(unix)] #[pool] ml: PoolConfig, #[pool] ML: PoolConfig }",
            // The struct's own condition leaves out both or none.
            "#[cfg(unix)] struct C { #[pool] ml: PoolConfig, #[pool] ML: PoolConfig }",
            "#[cfg_attr(unix, snakepit_pools)] struct C { #[pool] ml: PoolConfig, #[pool] ML: PoolConfig }",
            "struct C { #[pool] pools: PoolConfig }",
        ] {
            let declaration = parse_struct(&syn::parse_str(source).unwrap());
            assert_eq!(
                codes(&declaration.mistakes),
                ["pool_name_taken"],
                "{source}"
            );
            assert_eq!(
                declaration.constants.len(),
                declaration.pools.len() - 1,
                "{source}"
            );
        }
    }

    #[test]
    fn of_pools_that_are_conditional_each_by_itself_one_may_be_left_out() {
        let source = "struct C { #[cfg(unix)] #[pool] ml: PoolConfig, #[cfg_attr(windows, pool)] ML: PoolConfig }";
        let declaration = parse_struct(&syn::parse_str(source).unwrap());
        assert!(declaration.mistakes.is_empty());
        assert_eq!(declaration.constants.len(), 2);
    }

    #[test]
    fn a_pool_with_a_mistake_does_not_hide_the_others() {
        let item: DeriveInput = syn::parse_str(
            "struct C { #[pool(size = 0)] a: PoolConfig, #[pool] b: PoolConfig, #[pool(sise = 1)] c: PoolConfig }",
        )
        .unwrap();
        let declaration = parse_struct(&item);
        assert_eq!(
            codes(&declaration.mistakes),
            ["value_invalid", "key_unknown"]
        );
        assert_eq!(declaration.pools.len(), 1);
        assert_eq!(declaration.pools[0].name, "b");
        assert_eq!(declaration.unread, ["a", "c"]);
    }
}
