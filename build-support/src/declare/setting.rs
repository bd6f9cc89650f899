//! The grammar of one setting, and the readers of its values.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Lit, LitStr, Token};

use super::mistake::Mistake;
use super::nearest::unknown;
use super::units::{bytes, milliseconds};
use crate::catalogue::Code;

/// Those of one pool.
pub(super) type Settings = Punctuated<Setting, Token![,]>;

/// One `key`, `key = value`, `key(...)` or `key = value(...)`.
pub(super) struct Setting {
    pub(super) key: Ident,
    pub(super) value: Option<Value>,
    pub(super) arguments: Vec<Argument>,
    /// A colon where `=` is wanted: the rest is read all the same.
    colon: Option<Token![:]>,
}

/// What stands behind `=`.
pub(super) enum Value {
    Word(Ident),
    Literal(Lit),
    List(List),
    Other(TokenStream),
}

/// What stands in brackets.
pub(super) struct List {
    pub(super) span: Span,
    pub(super) elements: Vec<TokenStream>,
}

/// One part of the parentheses.
pub(super) enum Argument {
    Text(LitStr),
    /// What is no text for want of quotes.
    Bare(TokenStream),
    Pair {
        name: String,
        span: Span,
        value: TokenStream,
        colon: Option<Token![:]>,
    },
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) && !input.peek2(Token![=]) {
            return Ok(Self::Text(input.parse()?));
        }
        let fork = input.fork();
        let is_named = fork.peek(LitStr)
            || fork.call(Ident::parse_any).is_ok()
                && (fork.peek(Token![=]) || fork.peek(Token![:]));
        if !is_named {
            return Ok(Self::Bare(written(input)?));
        }
        let (name, span) = if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            (text.value(), text.span())
        } else {
            let word = input.call(Ident::parse_any)?;
            (word.unraw().to_string(), word.span())
        };
        let colon = input.parse::<Option<Token![:]>>()?;
        if colon.is_none() {
            input.parse::<Token![=]>()?;
        }
        Ok(Self::Pair {
            name,
            span,
            value: written(input)?,
            colon,
        })
    }
}

/// A value as it is written: what stands before the next comma.
pub(super) fn written(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    if tokens.is_empty() {
        return Err(input.error("expected a value"));
    }
    Ok(tokens)
}

/// A word; one that goes on, such as `package.module`, is a text without its quotes.
fn word(input: ParseStream<'_>) -> syn::Result<Value> {
    let word = input.call(Ident::parse_any)?;
    let mut tokens = word.to_token_stream();
    let goes_on = || {
        input.peek(Token![.])
            || input.peek(Token![-])
            || input.peek(Token![/])
            || input.peek(Token![::])
    };
    if !goes_on() {
        return Ok(Value::Word(word));
    }
    while goes_on() || (!input.is_empty() && !input.peek(Token![,]) && ends_open(&tokens)) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(Value::Other(tokens))
}

/// Whether more has to come, since a sign is last.
fn ends_open(tokens: &TokenStream) -> bool {
    let last = tokens.clone().into_iter().last();
    matches!(last, Some(TokenTree::Punct(_)))
}

/// What was meant as a text, in its quotes.
pub(super) fn in_quotes(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    format!("{:?}", text.replace(char::is_whitespace, ""))
}

/// The same for a value; one with brackets, or of another type than a text could be meant by, says nothing of it.
pub(super) fn value_in_quotes(value: &TokenStream) -> String {
    let is_number = |literal: &Lit| matches!(literal, Lit::Int(_) | Lit::Float(_));
    match literal(value) {
        Some(literal) if !is_number(&literal) => "\"...\"".to_owned(),
        None if has_brackets(value) => "\"...\"".to_owned(),
        _ => in_quotes(value),
    }
}

fn has_brackets(tokens: &TokenStream) -> bool {
    let is_group = |token| matches!(token, TokenTree::Group(_));
    tokens.clone().into_iter().any(is_group)
}

impl Parse for List {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let brackets = syn::bracketed!(content in input);
        let elements = content.parse_terminated(written, Token![,])?;
        Ok(Self {
            span: brackets.span.join(),
            elements: elements.into_iter().collect(),
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
            colon: input.parse()?,
        };
        if setting.colon.is_some() || input.parse::<Option<Token![=]>>()?.is_some() {
            setting.value = Some(if input.peek(syn::token::Bracket) {
                Value::List(input.parse()?)
            } else if input.peek(Lit) {
                Value::Literal(input.parse()?)
            } else if input.peek(Ident::peek_any) {
                word(input)?
            } else {
                Value::Other(written(input)?)
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

impl Setting {
    /// The mistakes of colons where `=` is wanted, here and in the parentheses.
    pub(super) fn colons(&self) -> impl Iterator<Item = Mistake> {
        let value = match &self.value {
            Some(Value::Word(word)) => word.to_string(),
            Some(Value::Literal(literal)) => literal.to_token_stream().to_string(),
            _ => "...".to_owned(),
        };
        let own = self.colon.map(|colon| (colon, self.key.to_string(), value));
        let inside = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Pair {
                name, value, colon, ..
            } => Some(((*colon)?, name.clone(), value.to_token_stream().to_string())),
            Argument::Text(_) | Argument::Bare(_) => None,
        });
        own.into_iter().chain(inside).map(|(colon, name, value)| {
            let message = "`=` is wanted here, not `:`";
            let help = format!("write `{name} = {value}`");
            Mistake::new(colon, Code::AttributeInvalid, message, help)
        })
    }

    /// The value as a text in quotes, where it says one.
    pub(super) fn quoted(&self) -> String {
        match &self.value {
            Some(Value::Literal(Lit::Str(text))) => format!("{:?}", text.value()),
            Some(Value::Literal(literal)) => value_in_quotes(&literal.to_token_stream()),
            Some(Value::Word(word)) => in_quotes(word),
            Some(Value::Other(tokens)) => value_in_quotes(tokens),
            Some(Value::List(_)) | None => "\"...\"".to_owned(),
        }
    }

    /// The mistake of a setting that is written in another form than its key takes.
    pub(super) fn misshapen(&self, help: &str) -> Mistake {
        let message = format!("`{}` is not written like this", self.key);
        Mistake::new(&self.key, Code::ValueInvalid, message, help)
    }

    /// The word, which is one of those that are `shown` where there is none.
    pub(super) fn word(&self, shown: &str) -> Result<&Ident, Mistake> {
        match &self.value {
            Some(Value::Word(word)) => Ok(word),
            _ => Err(self.misshapen(&format!("write `{}` as one of {shown}", self.key))),
        }
    }

    /// What the word means, which is one of the choices, and where it stands.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<(T, Span), Mistake> {
        let shown: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        let word = self.word(&shown.join(", "))?;
        Ok((choice(word, choices)?, word.span()))
    }

    pub(super) fn literal(&self, example: &str) -> Result<&Lit, Mistake> {
        match &self.value {
            Some(Value::Literal(literal)) => Ok(literal),
            Some(Value::Other(other)) => Err(self.wants(other, "a literal value", example)),
            _ => Err(self.misshapen(&format!("write `{} = {example}`", self.key))),
        }
    }

    pub(super) fn text(&self, example: &str) -> Result<&LitStr, Mistake> {
        if let Some(Value::Other(bare)) = &self.value
            && !has_brackets(bare)
        {
            return Err(Mistake::bare(bare, &|text| {
                format!("{} = {text}", self.key)
            }));
        }
        match self.literal(example)? {
            Lit::Str(text) => Ok(text),
            other => Err(self.wants(other, "a text in quotes", example)),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Mistake> {
        match self.literal("true")? {
            Lit::Bool(flag) => Ok(flag.value),
            other => Err(self.wants(other, "`true` or `false`", "true")),
        }
    }

    pub(super) fn number(&self, most: u32) -> Result<u32, Mistake> {
        let wanted = format!("a number from 1 to {most}");
        match &self.value {
            Some(Value::Literal(Lit::Int(number)))
                if self.key == "max_requests" && number.base10_digits() == "0" =>
            {
                let help = "remove it, and no worker is replaced for its requests; or write `max_requests = 10000`";
                Err(Mistake::value(number, &wanted, help))
            }
            Some(Value::Literal(literal)) => within(literal, most).ok_or_else(|| {
                let quoted = match literal {
                    Lit::Str(text) => text.parse().ok(),
                    _ => None,
                };
                let meant = quoted.and_then(|number| within(&number, most)).unwrap_or(1);
                self.wants(literal, &wanted, &meant.to_string())
            }),
            Some(Value::Other(other)) => Err(self.wants(other, &wanted, "1")),
            _ => Err(self.misshapen(&format!("write `{} = 1`", self.key))),
        }
    }

    /// `500ms`, `30s`, `2m` or `1h`, in milliseconds.
    pub(super) fn duration(&self) -> Result<u64, Mistake> {
        if let Some(Value::Literal(Lit::Int(number))) = &self.value {
            let example = format!("\"{}s\"", number.base10_digits());
            return Err(self.wants(number, "a duration with its unit", &example));
        }
        let text = self.text("\"30s\"")?;
        milliseconds(&text.value()).ok_or_else(|| {
            let wanted = "a duration such as `500ms`, `30s`, `2m` or `1h`";
            self.wants(text, wanted, "\"30s\"")
        })
    }

    /// `512MiB` or `2GB`, in bytes.
    pub(super) fn memory(&self) -> Result<u64, Mistake> {
        let text = self.text("\"512MiB\"")?;
        bytes(&text.value())
            .ok_or_else(|| self.wants(text, "a size such as `512MiB` or `2GB`", "\"512MiB\""))
    }

    fn wants(&self, tokens: impl ToTokens, wanted: &str, example: &str) -> Mistake {
        Mistake::value(tokens, wanted, format!("write `{} = {example}`", self.key))
    }
}

/// The literal that a value is.
pub(super) fn literal(value: &TokenStream) -> Option<Lit> {
    syn::parse2(value.clone()).ok()
}

/// The text that a value is.
pub(super) fn as_text(value: &TokenStream) -> Option<LitStr> {
    syn::parse2(value.clone()).ok()
}

/// The number of a literal that is one.
pub(super) fn within(literal: &Lit, most: u32) -> Option<u32> {
    match literal {
        Lit::Int(number) => number
            .base10_parse()
            .ok()
            .filter(|number| (1..=most).contains(number)),
        _ => None,
    }
}

/// What a word means.
pub(super) fn choice<T: Copy>(word: &Ident, choices: &[(&str, T)]) -> Result<T, Mistake> {
    let text = word.to_string();
    let chosen = choices.iter().find(|(name, _)| *name == text);
    chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let message = format!("unknown value `{text}`");
        let known = choices.iter().map(|(name, _)| *name);
        unknown(word.span(), Code::ValueInvalid, &message, &text, known)
    })
}
