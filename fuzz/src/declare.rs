//! The attributes, as the macro and the build script read them.

use proc_macro2::TokenStream;
use quote::quote;
use snakepit_build::declaration::Declaration;
use snakepit_build::declare::{parse_arguments, parse_file, parse_item, parse_struct};

use crate::verdict::readable;

/// A source file; the settings of a pool; the arguments of the struct's own attribute.
pub(crate) fn declare(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    parse_file(text).unwrap_or_default().iter().for_each(whole);
    if let Ok(tokens) = text.parse::<TokenStream>() {
        let item = quote!(
            struct C {
                #[pool(#tokens)]
                ml: PoolConfig,
            }
        );
        if let Ok(item) = parse_item(item) {
            whole(&parse_struct(&item));
        }
        if let Err(mistakes) = parse_arguments(tokens) {
            assert!(!mistakes.is_empty(), "a failure without a mistake");
            mistakes
                .iter()
                .for_each(|mistake| readable(mistake.diagnostic()));
        }
    }
    // Every text that was parsed is kept for its spans.
    proc_macro2::extra::invalidate_current_thread_spans();
}

fn whole(declaration: &Declaration) {
    for pool in &declaration.pools {
        assert!(pool.key().starts_with('{'));
        for place in ["environment", "option:venv_path", "requires:0", "pool"] {
            pool.span(place);
        }
    }
    for mistake in &declaration.mistakes {
        readable(mistake.diagnostic());
        assert!(!mistake.to_compile_error().is_empty());
    }
    assert!(!declaration.pools.is_empty() || !declaration.mistakes.is_empty());
}
