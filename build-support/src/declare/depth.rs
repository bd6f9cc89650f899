//! How far a declaration may nest: the stack of whoever parses it grows with it, and running out of it would be the
//! end of the compiler.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Span, TokenStream, TokenTree};

use super::mistake::Mistake;
use crate::catalogue::Code;

/// Tokens that may be open at one place: each is a bracket around it, or stands before it with no comma in between,
/// as in `!!!true`. No declaration comes near it.
const DEEPEST: usize = 128;

/// # Errors
/// The tokens go deeper.
pub(super) fn check(tokens: &TokenStream, help: &str) -> Result<(), Mistake> {
    match too_deep(tokens.clone()) {
        None => Ok(()),
        Some(span) => {
            let message = format!("this is more than {DEEPEST} tokens deep");
            Err(Mistake::at(span, Code::AttributeInvalid, message, help))
        }
    }
}

/// The tokens between two brackets, read up to one of them.
struct Level {
    tokens: IntoIter,
    /// How deep the brackets are, and how deep the token.
    own: usize,
    depth: usize,
    is_behind_hash: bool,
}

impl Level {
    fn new(tokens: TokenStream, own: usize) -> Self {
        Self {
            tokens: tokens.into_iter(),
            own,
            depth: own,
            is_behind_hash: false,
        }
    }
}

/// The first token that is. No recursion: this has to end where that would not.
fn too_deep(tokens: TokenStream) -> Option<Span> {
    let mut open = vec![Level::new(tokens, 0)];
    while let Some(level) = open.last_mut() {
        let Some(token) = level.tokens.next() else {
            open.pop();
            continue;
        };
        level.depth += 1;
        let reached = level.depth;
        if reached > DEEPEST {
            return Some(token.span());
        }
        let is_mark = |wanted| matches!(&token, TokenTree::Punct(mark) if mark.as_char() == wanted);
        let is_attribute = level.is_behind_hash && matches!(token, TokenTree::Group(_));
        level.is_behind_hash = is_mark('#');
        // What stands behind an attribute is not in it.
        if is_mark(',') || is_attribute {
            level.depth = level.own;
        }
        if let TokenTree::Group(group) = token {
            open.push(Level::new(group.stream(), reached));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken(text: &str) -> bool {
        check(&text.parse().unwrap(), "write less").is_ok()
    }

    #[test]
    fn long_lists_are_taken_and_deep_nesting_and_long_chains_are_not() {
        for right in [
            format!("requires = [{}], size = 1", "\"a\", ".repeat(10_000)),
            "env(A = \"1\", B = \"2\"), ".repeat(1000),
            format!("{} struct A {{ a: P }}", "#[doc = \"a\"]".repeat(1000)),
        ] {
            assert!(is_taken(&right), "{}", &right[..40]);
        }
        for wrong in [
            format!("size = {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
            format!("size = {}1", "!".repeat(10_000)),
            format!("size = {}1{}", "[1, ".repeat(10_000), "]".repeat(10_000)),
            format!("requires = [a, {}1]", "!-".repeat(100)),
        ] {
            assert!(!is_taken(&wrong), "{}", &wrong[..40]);
        }
    }
}
