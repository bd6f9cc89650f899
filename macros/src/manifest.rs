//! What the build script found: one file, which is all that the macro reads.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use snakepit_build::anchor::Movable;
use snakepit_build::declaration::PoolDeclaration;
use snakepit_build::declare::Arguments;
use snakepit_build::manifest::{EMITTED, FILE_NAME, Manifest, Outcome};
use snakepit_build::{Code, Diagnostic};
use syn::{DeriveInput, Error};

use crate::spec::spec;

/// The manifest, and what makes the compiler come back when it changes.
pub(crate) fn read(item: &DeriveInput) -> (Result<Manifest, Error>, TokenStream) {
    let mut inputs = quote! {
        const _: ::core::option::Option<&str> = ::core::option_env!("SNAKEPIT_MANIFEST");
    };
    let fail = |code, message: &str, help: &str| {
        let fault = Diagnostic::new(code, message, help);
        Err(Error::new(attribute(item), fault))
    };
    let named = env::var_os("SNAKEPIT_MANIFEST").map(PathBuf::from);
    let out_dir = env::var_os("OUT_DIR").map(PathBuf::from);
    if named.is_none() && out_dir.is_some() && env::var_os(EMITTED).is_none() {
        let message = "the build script of this package did not call `snakepit_build::emit()`";
        let help = "call it in the `main` of `build.rs`";
        return (fail(Code::ManifestNotFound, message, help), inputs);
    }
    let Some(path) = named.or_else(|| Some(out_dir?.join(FILE_NAME))) else {
        let message = "no build script ran for this package";
        let help = "add a `build.rs` whose `main` calls `snakepit_build::emit()`, \
                    and `snakepit-build` under `[build-dependencies]`";
        return (fail(Code::ManifestNotFound, message, help), inputs);
    };
    // `include_bytes!` takes a relative path from the source file, not from here.
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.is_file()
        && let Some(path) = path.to_str()
    {
        inputs.extend(quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        ));
    }
    let manifest = Manifest::read(&path).or_else(|why| {
        let message = format!("the manifest of the build script cannot be read: {why}");
        let help = "call `snakepit_build::emit()` in `build.rs`, with `snakepit-build` of the version of `snakepit`";
        fail(Code::ManifestInvalid, &message, help)
    });
    (manifest, inputs)
}

/// One pool's spec, or its errors. `told` has those of the whole struct, which each of its pools brings along.
pub(crate) fn frozen(
    arguments: &Arguments,
    item: &DeriveInput,
    pool: &PoolDeclaration,
    manifest: &Manifest,
    told: &mut BTreeSet<String>,
) -> Result<TokenStream, Vec<Error>> {
    match manifest.pools.get(&pool.key()) {
        Some(Outcome::Resolved(resolution)) => {
            let movable = arguments.anchor.as_ref().map(|_| {
                let package = Path::new(&manifest.package);
                Movable::new(package, &arguments.anchor_root).resolution(resolution)
            });
            let resolution = movable.as_ref().unwrap_or(resolution);
            Ok(spec(arguments, &pool.request, resolution))
        }
        Some(Outcome::Failed(faults)) => {
            let error = |fault: &Diagnostic| match fault.place() {
                "struct" => {
                    let text = fault.to_string();
                    // One under a condition may not be there to tell it.
                    let is_new = match pool.conditions.is_empty() {
                        true => told.insert(text.clone()),
                        false => !told.contains(&text),
                    };
                    is_new.then(|| Error::new(attribute(item), text))
                }
                place => Some(Error::new(pool.span(place), fault.of_pool(&pool.name))),
            };
            Err(faults.iter().filter_map(error).collect())
        }
        None => {
            let message = "the build script did not see this declaration";
            let help = "call `snakepit_build::emit()` in `build.rs` (if it does: `touch build.rs`); a file outside `src`, \
                        `tests`, `examples` and `benches` is named there: \
                        `snakepit_build::Builder::new().source(\"...\").emit()`; a struct that a macro writes is not \
                        seen: write it out";
            let fault = Diagnostic::new(Code::DeclarationUnknown, message, help);
            let text = fault.of_pool(&pool.name);
            Err(vec![Error::new(pool.span("pool"), text)])
        }
    }
}

/// The attribute's place as the source has it: of one inside a macro the compiler would say so at length.
fn attribute(item: &DeriveInput) -> Span {
    Span::call_site().resolved_at(item.ident.span())
}
