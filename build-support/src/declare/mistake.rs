//! What is wrong with an attribute, and the tokens that are.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

use super::setting::in_quotes;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;

/// One mistake of a struct or of its attributes.
#[derive(Debug, Clone)]
pub struct Mistake {
    diagnostic: Diagnostic,
    /// A compile error knows both ends of its tokens, which no span on stable Rust does.
    error: syn::Error,
}

impl Mistake {
    /// A mistake of these tokens.
    pub(super) fn new(
        tokens: impl ToTokens,
        code: Code,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let diagnostic = Diagnostic::new(code, message, help);
        let error = syn::Error::new_spanned(tokens, &diagnostic);
        Self { diagnostic, error }
    }

    /// A mistake of one token.
    pub(super) fn at(
        span: Span,
        code: Code,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let diagnostic = Diagnostic::new(code, message, help);
        let error = syn::Error::new(span, &diagnostic);
        Self { diagnostic, error }
    }

    /// A value of another type than its key takes.
    pub(super) fn value(tokens: impl ToTokens, wanted: &str, help: impl Into<String>) -> Self {
        Self::new(
            tokens,
            Code::ValueInvalid,
            format!("{wanted} is wanted here"),
            help,
        )
    }

    /// A text without its quotes; `written` is the whole with a text in its place.
    pub(super) fn bare(tokens: &TokenStream, written: &dyn Fn(&str) -> String) -> Self {
        let help = format!("write `{}`", written(&in_quotes(tokens)));
        Self::value(tokens, "a text in quotes", help)
    }

    /// The same name once more.
    pub(super) fn repeated(span: Span, name: &str) -> Self {
        let message = format!("`{name}` is given twice");
        Self::at(span, Code::KeyRepeated, message, "remove one")
    }

    /// What the parser of Rust's tokens does not understand.
    pub(super) fn syntax(error: &syn::Error, help: &str) -> Self {
        Self::at(
            error.span(),
            Code::AttributeInvalid,
            error.to_string(),
            help,
        )
    }

    /// The same, as the parser of Rust's tokens has its errors.
    pub(super) fn into_error(self) -> syn::Error {
        self.error
    }

    /// Where its tokens stand.
    pub fn span(&self) -> Span {
        self.error.span()
    }

    /// What is wrong.
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.diagnostic
    }

    /// The compile error, at the tokens.
    pub fn to_compile_error(&self) -> TokenStream {
        self.error.to_compile_error()
    }
}

/// The text of the compile error.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}
