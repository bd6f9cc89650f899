//! `#[snakepit_pools]`: the manifest of the build script becomes constants, or errors at the right place.
//! It starts no process and reads one file.
#![deny(missing_docs)]

mod expand;
mod manifest;
mod spec;

use proc_macro::TokenStream;

/// Turns the fields with `#[pool]` of a struct into spawn specs: `Struct::POOLS` and one constant for each field,
/// and with the feature `pool` of `snakepit` into `StructPools` and `Struct::start_pools`.
///
/// `#[snakepit_pools(anchor = exe)]` keeps paths below the package relative to the folder of the running program,
/// `anchor = exe("..")` to the one above it, and `anchor = env("APP_ROOT")` to the one that a variable names, so that
/// program and environment can be moved as a whole. `anchor_root = "bundle"` names the folder of the package that it is.
///
/// `#[snakepit_pools(crate = ::renamed)]` names the crate `snakepit` where the program knows it by another name.
#[proc_macro_attribute]
pub fn snakepit_pools(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), item.into()).into()
}
