//! `#[snakepit_pools]`: the manifest of the build script becomes constants, or errors at the right place.
//! It starts no process and reads one file.

mod expand;
mod manifest;
mod spec;

use proc_macro::TokenStream;

/// Turns the fields with `#[pool]` of a struct into spawn specs: `Struct::POOLS` and one constant for each field,
/// and with the feature `pool` of `snakepit` into `StructPools` and `Struct::start_pools`.
///
/// `#[snakepit_pools(crate = ::renamed)]` names the crate `snakepit` where the program knows it by another name.
#[proc_macro_attribute]
pub fn snakepit_pools(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(arguments.into(), item.into()).into()
}
