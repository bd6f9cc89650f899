//! `#[snakepit_pools]`: the manifest of the build script becomes constants, or errors at the right place.
//! It starts no process and reads one file.

mod expand;

use proc_macro::TokenStream;
use syn::{ItemStruct, parse_macro_input};

/// Turns the fields with `#[pool]` of a struct into spawn specs: `Struct::POOLS` and one constant for each field.
#[proc_macro_attribute]
pub fn snakepit_pools(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(parse_macro_input!(item as ItemStruct)).into()
}
