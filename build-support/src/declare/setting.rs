//! The grammar of one setting, and the readers of its values.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

use super::nearest::unknown;

/// One `key`, `key = value`, `key(...)` or `key = value(...)`.
pub(super) struct Setting {
    pub(super) key: Ident,
    pub(super) value: Option<Value>,
    pub(super) arguments: Vec<Argument>,
}

/// What stands behind `=`.
pub(super) enum Value {
    Word(Ident),
    Literal(Lit),
    List(Vec<LitStr>, Span),
}

/// One part of the parentheses.
pub(super) enum Argument {
    Text(LitStr),
    Pair {
        name: String,
        span: Span,
        value: Lit,
    },
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) && !input.peek2(Token![=]) {
            return Ok(Self::Text(input.parse()?));
        }
        let (name, span) = if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            (text.value(), text.span())
        } else {
            let word = input.call(Ident::parse_any)?;
            (word.unraw().to_string(), word.span())
        };
        input.parse::<Token![=]>()?;
        Ok(Self::Pair {
            name,
            span,
            value: input.parse()?,
        })
    }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let mut setting = Self {
            key,
            value: None,
            arguments: Vec::new(),
        };
        if input.parse::<Option<Token![=]>>()?.is_some() {
            setting.value = Some(if input.peek(syn::token::Bracket) {
                list(&input.parse()?)?
            } else if input.peek(Lit) {
                Value::Literal(input.parse()?)
            } else {
                Value::Word(input.call(Ident::parse_any)?)
            });
        }
        if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            setting.arguments = Punctuated::<Argument, Token![,]>::parse_terminated(&content)?
                .into_iter()
                .collect();
        }
        Ok(setting)
    }
}

fn list(array: &syn::ExprArray) -> syn::Result<Value> {
    let text = |element: &Expr| match element {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            "a text in quotes is wanted here",
        )),
    };
    Ok(Value::List(
        array.elems.iter().map(text).collect::<syn::Result<_>>()?,
        array.span(),
    ))
}

pub(super) fn word<'a>(setting: &'a Setting, choices: &str) -> syn::Result<&'a Ident> {
    match &setting.value {
        Some(Value::Word(word)) => Ok(word),
        _ => Err(syn::Error::new_spanned(
            &setting.key,
            format!("`{}` is one of {choices}", setting.key),
        )),
    }
}

pub(super) fn choice(word: &Ident, choices: &[&str]) -> syn::Result<usize> {
    let text = word.to_string();
    choices
        .iter()
        .position(|choice| *choice == text)
        .ok_or_else(|| unknown(word.span(), "unknown value", &text, choices.iter().copied()))
}

pub(super) fn literal(setting: &Setting) -> syn::Result<&Lit> {
    match &setting.value {
        Some(Value::Literal(literal)) => Ok(literal),
        _ => Err(syn::Error::new_spanned(
            &setting.key,
            format!("write `{} = value`", setting.key),
        )),
    }
}

pub(super) fn text(setting: &Setting) -> syn::Result<&LitStr> {
    match literal(setting)? {
        Lit::Str(text) => Ok(text),
        other => Err(syn::Error::new_spanned(
            other,
            "a text in quotes is wanted here",
        )),
    }
}

pub(super) fn number(literal: &Lit, most: u32) -> syn::Result<u32> {
    match literal {
        Lit::Int(number) => number
            .base10_parse()
            .ok()
            .filter(|number| (1..=most).contains(number)),
        _ => None,
    }
    .ok_or_else(|| {
        syn::Error::new_spanned(literal, format!("a number from 1 to {most} is wanted here"))
    })
}

/// `500ms`, `30s`, `2m` or `1h`, in milliseconds.
pub(super) fn duration(text: &LitStr) -> syn::Result<u64> {
    let value = text.value();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = value.split_at(digits);
    let factor = match unit.trim() {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let count = count.parse::<u64>().ok().filter(|count| *count > 0);
    count
        .zip(factor)
        .and_then(|(count, factor)| count.checked_mul(factor))
        .ok_or_else(|| {
            syn::Error::new_spanned(
                text,
                "a duration such as `500ms`, `30s`, `2m` or `1h` is wanted here",
            )
        })
}
