//! What is printed to standard output: collected, and written at once, as the terminal or the pipe can show it.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use crate::failure::Failure;

/// The text of a task, with styles; they are removed where colours are not wanted.
#[derive(Debug, Default)]
pub(crate) struct Output {
    text: Vec<u8>,
}

impl Output {
    /// Text that has no styles, or those of `anstyle`.
    pub(crate) fn plain(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// A line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.text.extend_from_slice(text.as_ref().as_bytes());
        self.text.push(b'\n');
    }

    /// Writes what there is so far: before a question, and at the end.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        let text = std::mem::take(&mut self.text);
        let mut stdout = AutoStream::auto(io::stdout().lock());
        let written = stdout.write_all(&text).and_then(|()| stdout.flush());
        written.map_err(Failure::of_output)
    }
}

/// Whether standard output shows colours.
pub(crate) fn has_colors() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// The columns of the terminal; `None` in a pipe, where lines have any length.
pub(crate) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| width.0)
}
