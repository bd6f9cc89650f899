//! `#[cfg(...)] mod name;`: what decides about a whole file stands in the one that declares it.
//! <https://doc.rust-lang.org/reference/items/modules.html#module-source-filenames>

use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Attribute;
use syn::ext::IdentExt;

use super::file::{Trees, condition};

/// The conditions of the modules that lead to a file. Where the files do not tell which one declares it, they are not
/// known, and the pools in it are left to the compiler: such as a file that two programs share, one that `#[path]`
/// names, and one that a macro includes.
pub fn module_conditions(file: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Vec<Attribute> {
    let mut found = Vec::new();
    let mut file = file.to_owned();
    while let Some((name, parents)) = parents(&file) {
        let declarations = parents.into_iter().filter_map(|parent| {
            let declared = declared(&read(&parent)?, &name);
            Some(declared.into_iter().map(move |one| (parent.clone(), one)))
        });
        let mut declarations = declarations.flatten();
        let (Some((parent, conditions)), None) = (declarations.next(), declarations.next()) else {
            break;
        };
        found.extend(conditions);
        file = parent;
    }
    found
}

/// A file's name as a module, and the files that can declare it; none for the root of a crate.
fn parents(file: &Path) -> Option<(String, Vec<PathBuf>)> {
    let stem = file.file_stem()?.to_str()?;
    let mut folder = file.parent()?;
    let name = match stem {
        "lib" | "main" => return None,
        "mod" => {
            let name = folder.file_name()?.to_str()?;
            folder = folder.parent()?;
            name
        }
        stem => stem,
    };
    let inside = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name));
    let beside = folder.with_extension("rs");
    let parents = inside.into_iter().chain([beside]);
    Some((
        name.to_owned(),
        parents.filter(|parent| parent != file).collect(),
    ))
}

/// Each `mod name;` of a file, with its conditions and those of the file itself.
fn declared(text: &str, name: &str) -> Vec<Vec<Attribute>> {
    let mut found = Vec::new();
    let Ok(tokens) = TokenStream::from_str(text) else {
        return found;
    };
    let mut trees = Trees::of(tokens, Vec::new());
    let mut is_elsewhere = false;
    while let Some(tree) = trees.all.get(trees.next) {
        let index = trees.next;
        trees.next += 1;
        match tree {
            TokenTree::Group(group) => {
                if let Some(attribute) = trees.attribute(index) {
                    is_elsewhere |= is_path(attribute.stream());
                    trees.own.extend(condition(attribute));
                } else if trees.is_inner_attribute(index) {
                    trees.around.extend(condition(group));
                } else if group.delimiter() == Delimiter::Brace {
                    (trees.own, is_elsewhere) = (Vec::new(), false);
                }
            }
            TokenTree::Punct(mark) if matches!(mark.as_char(), ';' | ',') => {
                if mark.as_char() == ';' && !is_elsewhere && trees.is_module(index, name) {
                    found.push([&trees.around[..], &trees.own].concat());
                }
                (trees.own, is_elsewhere) = (Vec::new(), false);
            }
            _ => {}
        }
    }
    found
}

/// Whether an attribute is `#[path = "..."]`.
fn is_path(tokens: TokenStream) -> bool {
    matches!(tokens.into_iter().next(), Some(TokenTree::Ident(name)) if name == "path")
}

impl Trees {
    /// Whether a semicolon ends `mod name`.
    fn is_module(&self, end: usize, wanted: &str) -> bool {
        let words = end
            .checked_sub(2)
            .and_then(|start| self.all.get(start..end));
        matches!(words, Some([TokenTree::Ident(word), TokenTree::Ident(name)])
            if word == "mod" && name.unraw() == wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quote::ToTokens;

    use super::*;

    /// The conditions of a file of a package, which is made of these files.
    fn conditions(file: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<&Path, &str> = files
            .iter()
            .map(|(path, text)| (Path::new(path), *text))
            .collect();
        let read = |path: &Path| files.get(path).map(|text| (*text).to_owned());
        let found = module_conditions(Path::new(file), &read);
        let text = |condition: Attribute| condition.meta.to_token_stream().to_string();
        found.into_iter().map(text).collect()
    }

    #[test]
    fn the_modules_above_a_file_decide_about_it() {
        let files = [
            (
                "src/lib.rs",
                "use a::b; #[cfg(a)] pub mod outer; #[cfg(b)] mod other;",
            ),
            (
                "src/outer.rs",
                "#![cfg(c)] #[cfg(d)] fn f() {} #[doc = \"\"] #[cfg(e)] pub(crate) mod r#type;",
            ),
            (
                "src/outer/type/mod.rs",
                "mod deep; mod inline { #[cfg(f)] mod deep; }",
            ),
        ];
        for (file, wanted) in [
            (
                "src/outer/type/deep.rs",
                &["cfg (c)", "cfg (e)", "cfg (a)"][..],
            ),
            ("src/outer/type/mod.rs", &["cfg (c)", "cfg (e)", "cfg (a)"]),
            ("src/outer.rs", &["cfg (a)"]),
            ("src/lib.rs", &[]),
            ("tests/main_line.rs", &[]),
        ] {
            assert_eq!(conditions(file, &files), wanted, "{file}");
        }
    }

    #[test]
    fn a_file_that_several_declare_or_that_has_another_path_is_left_to_the_compiler() {
        let conditional = "#[cfg(a)] mod shared;";
        for files in [
            &[("src/lib.rs", conditional), ("src/main.rs", "mod shared;")][..],
            &[(
                "src/lib.rs",
                "#[cfg(a)] mod shared; #[cfg(not(a))] mod shared;",
            )],
            &[("src/lib.rs", "#[cfg(a)] #[path = \"other.rs\"] mod shared;")],
            &[("src/lib.rs", "mod m { #[cfg(a)] mod shared; }")],
            &[("src/lib.rs", "#[cfg(a)] mod shared; }")],
        ] {
            assert_eq!(conditions("src/shared.rs", files), [""; 0], "{files:?}");
        }
        assert_eq!(
            conditions("src/shared.rs", &[("src/lib.rs", conditional)]),
            ["cfg (a)"]
        );
    }
}
