//! One failure or warning of a build: its code, what was wanted and found, and what to do about it.

use std::fmt;

use crate::catalogue::Code;
use crate::wire::record;

/// The longest message or help, in bytes: what it quotes may be of any length.
const LONGEST: usize = 4000;

/// One failure or warning, and the part of the declaration that it belongs to.
///
/// Its code is one of the catalogue, save for what an environment of the program's own reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    code: String,
    message: String,
    help: String,
    place: String,
}

record!(Diagnostic {
    code,
    message,
    help,
    place
});

impl Diagnostic {
    /// A diagnostic that belongs to the environment's name.
    ///
    /// `message` says what was wanted and what was found: lower case, no full stop, paths in backticks. `help` says
    /// what to do about it.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::custom(code.as_str(), message, help)
    }

    /// A diagnostic of an environment that a program registers itself, with a code of its own such as
    /// `nix_not_found`.
    ///
    /// ```
    /// use snakepit_build::Diagnostic;
    ///
    /// let fault = Diagnostic::custom("nix_not_found", "no `nix` on the search path", "install Nix");
    /// assert_eq!(fault.place(), "environment");
    /// ```
    pub fn custom(
        code: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            message: shown(message.into()),
            help: shown(help.into()),
            place: "environment".to_owned(),
        }
    }

    /// The same, at another part of the declaration: `python`, `adapter`, `option:venv_path`, `requires:0`.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// The same, with other help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = shown(help.into());
        self
    }

    /// Whether it is of this kind.
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }

    /// The code, without `snakepit::`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What was wanted and what was found.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The part of the declaration: `environment`, `python`, `adapter`, `option:venv_path`, `requires:0`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The text of a compile error that belongs to a pool.
    pub fn of_pool(&self, pool: &str) -> String {
        format!("pool `{pool}`: {self}")
    }

    /// The text of one of Cargo's warnings, which are of one line.
    #[doc(hidden)]
    pub fn warning_of_pool(&self, pool: &str) -> String {
        let Self {
            code,
            message,
            help,
            ..
        } = self;
        let text = format!("pool `{pool}`: {message} [snakepit::{code}]; help: {help}");
        text.replace('\n', " ")
    }
}

/// The text of a compile error.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            message,
            help,
            ..
        } = self;
        write!(f, "{message} [snakepit::{code}]\nhelp: {help}")
    }
}

/// A text as a terminal may show it: what it quotes of a file or a program cannot steer the terminal, or fill it.
fn shown(mut text: String) -> String {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if !text.chars().all(is_plain) {
        let quoted = text.chars().map(|c| match is_plain(c) {
            true => c.to_string(),
            false => c.escape_default().to_string(),
        });
        text = quoted.collect();
    }
    if text.len() > LONGEST {
        // A new text: a cut one would keep the memory of the whole.
        let end = text.floor_char_boundary(LONGEST);
        return format!("{} [...]", &text[..end]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_quotes_neither_steers_a_terminal_nor_fills_it() {
        let fault = Diagnostic::custom("a", "no `\u{1b}[31m\u{9b}\r\0`\n\tx", "");
        assert_eq!(fault.message(), "no `\\u{1b}[31m\\u{9b}\\r\\u{0}`\n\tx");
        let fault = fault.with_help("\u{e9}".repeat(1 << 20));
        assert!(fault.help().len() < LONGEST + 10 && fault.help().ends_with("\u{e9} [...]"));
    }
}
